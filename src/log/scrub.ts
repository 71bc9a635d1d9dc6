/** Longer texts are cut, after secrets are out of them: one line must not fill the disk. */
const MAX_CHARS = 8192;
/** Of a text only so much is looked through: nothing beyond it is shown, however much of this were secrets. */
const MAX_LOOKED_AT = 65_536;

/** What a terminal acts upon or a reader cannot see, newline and tab excepted: controls, direction marks, tags. */
const UNSEEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Takes every secret out of a line of JSON. Works on the parsed texts, keys included, so that no escape hides a secret
 * and what comes out is JSON again; a line that is none comes out as `{"unparsed":…}`. Unseen characters become visible.
 */
export function scrubLine(line: string, redact: (text: string) => string): string {
  if (isCleanAsItStands(line, redact)) return line;
  const scrub = (text: string) => {
    const shown = redact(text.slice(0, MAX_LOOKED_AT)).replace(UNSEEN, showCode);
    return cut(shown, Math.max(0, text.length - MAX_LOOKED_AT));
  };
  return `${JSON.stringify(mapTexts(parse(line), scrub))}\n`;
}

/** The quick way for most lines: without escapes the line shows every text as it is, and one search covers them all. */
function isCleanAsItStands(line: string, redact: (text: string) => string): boolean {
  const isPlain = line.length <= MAX_CHARS && line.endsWith("}\n") && !line.includes("\\");
  return isPlain && line.search(UNSEEN) === -1 && redact(line) === line;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return { unparsed: line }; // better a line of an odd shape than a lost or an unscrubbed one
  }
}

/** A value of JSON with every text of it changed, keys included. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((each: unknown) => mapTexts(each, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [change(key), mapTexts(each, change)]),
  );
}

function cut(text: string, unseen: number): string {
  const more = Math.max(0, text.length - MAX_CHARS) + unseen;
  return more === 0 ? text : `${text.slice(0, MAX_CHARS)}… (${more} more)`;
}

function showCode(character: string): string {
  return `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}>`;
}
