import { cleanText, isBlank } from "./clean.ts";
import { type Entity, NOTHING, type RichText, type StyleType } from "./entity.ts";
import { codeBlockText } from "./rich-text.ts";
import { settleEntities, trimRich } from "./settle.ts";

/** What stands before the lines of a list item or an inner quote: `first` once, `rest` on the following lines. */
export interface LinePrefix {
  readonly first: string;
  readonly rest: string;
}

/** Builds one RichText from top to bottom. Offsets are UTF-16 units of what was written so far. */
export interface Writer {
  /** Asks for at least `newlines` before what comes next; none at the very beginning. */
  readonly gap: (newlines: number) => void;
  /** Writes text, with the line prefixes where a line begins. Cleans it first. */
  readonly text: (text: string) => void;
  /** Writes code as lines of its own, unprefixed, so that it can be copied. */
  readonly codeBlock: (content: string, language: string | undefined) => void;
  /** Begins a line of its own, and gives its offset. What comes next gets no gap. */
  readonly beginBlock: () => number;
  /** Writes what the line's beginning owes, and gives the offset where the next text will stand. */
  readonly begin: () => number;
  /** Where the text ends so far. */
  readonly end: () => number;
  /** What was written since `start`. */
  readonly since: (start: number) => string;
  readonly mark: (entity: Entity) => void;
  /** Styles nest; text between the outermost pair gets the style. */
  readonly openStyle: (type: StyleType) => void;
  readonly closeStyle: (type: StyleType) => void;
  readonly pushPrefix: (prefix: LinePrefix) => void;
  /** Ends the innermost prefix; a `first` that nothing followed is written now. */
  readonly popPrefix: () => void;
  /** The text, trimmed as Telegram trims, with settled entities. */
  readonly finish: () => RichText;
}

/** An empty writer. */
export function createWriter(): Writer {
  let written = "";
  let pendingGap = 0;
  let newlines = 0; // at the end of `written`; looking there would flatten the string each time
  let isLineStart = true;
  const prefixes: { first: string | null; readonly rest: string }[] = [];
  const styles = new Map<StyleType, number[]>();
  const spans: Entity[] = [];

  function write(text: string): void {
    written += text;
    newlines = 0;
    isLineStart = false;
  }

  function breakLine(): void {
    written += "\n";
    newlines++;
    isLineStart = true;
  }

  function writeGap(): void {
    while (written !== "" && newlines < pendingGap) breakLine();
    pendingGap = 0;
  }

  function begin(): number {
    writeGap();
    if (!isLineStart) return written.length;
    const owed = prefixes.map((prefix) => prefix.first ?? prefix.rest).join("");
    for (const prefix of prefixes) prefix.first = null;
    if (owed !== "") write(owed);
    isLineStart = false;
    return written.length;
  }

  function beginBlock(): number {
    writeGap();
    if (prefixes.some(({ first }) => first !== null)) begin();
    if (!isLineStart) breakLine();
    newlines = Number.POSITIVE_INFINITY; // the block's first line needs no gap of its own
    return written.length;
  }

  function writeText(text: string): void {
    for (const [index, line] of cleanText(text).split("\n").entries()) {
      if (index > 0) {
        begin();
        breakLine();
      }
      if (line === "") continue;
      begin();
      write(line);
    }
  }

  return {
    gap: (newlines) => {
      pendingGap = Math.max(pendingGap, newlines);
    },
    text: writeText,
    codeBlock: (content, language) => {
      const text = codeBlockText(content);
      if (isBlank(text)) return;
      const offset = beginBlock();
      write(text);
      const range = { type: "pre" as const, offset, length: text.length };
      spans.push(language === undefined ? range : { ...range, language });
    },
    beginBlock,
    begin,
    end: () => written.length,
    since: (start) => written.slice(start),
    mark: (entity) => spans.push(entity),
    openStyle: (type) => styles.set(type, [...(styles.get(type) ?? []), begin()]),
    closeStyle: (type) => {
      const offset = styles.get(type)?.pop();
      if (offset !== undefined) spans.push({ type, offset, length: written.length - offset });
    },
    pushPrefix: ({ first, rest }) => prefixes.push({ first, rest }),
    popPrefix: () => {
      if (typeof prefixes.at(-1)?.first === "string") begin();
      prefixes.pop();
    },
    finish: () => {
      if (isBlank(written)) return NOTHING;
      return trimRich({ text: written, entities: settleEntities(written, spans) });
    },
  };
}
