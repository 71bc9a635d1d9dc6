import { createRequire } from "node:module";
import type { Token } from "markdown-it";
import type * as StringWidth from "string-width";
import { inlineText } from "./inline.ts";

/** Every character takes one column. */
const PLAIN = /^[ -~]*$/;
/** Loaded with the first text that needs it: the data that it asks for take 20 ms of a start and several megabytes. */
let stringWidth: typeof StringWidth.default | null = null;

type Align = "left" | "center" | "right";

interface Cell {
  readonly text: string;
  readonly align: Align;
}

interface Row {
  readonly cells: Cell[];
  /** Index of the row's line in the source. */
  readonly line: number;
}

/** A table's tokens, and what is needed to write them. */
export interface TableSource {
  /** From `table_open` to `table_close`. */
  readonly tokens: readonly Token[];
  /** All lines of the Markdown, for rows that have more cells than the header. */
  readonly lines: readonly string[];
  readonly shownUrl: (href: string) => string;
}

/**
 * The table as lines of monospace text, padded by display width (CJK and emoji take two columns). Markdown drops the cells
 * that a row has beyond its header; a table with such a row is given as it was written, so that nothing is lost.
 */
export function tableText({ tokens, lines, shownUrl }: TableSource): string {
  const rows = readRows(tokens, shownUrl);
  const columnCount = rows[0]?.cells.length ?? 0;
  if (rows.slice(1).some(({ line }) => cellCount(lines[line] ?? "") > columnCount)) {
    const [first, end] = tokens[0]?.map ?? [0, 0];
    return lines.slice(first, end).join("\n");
  }
  const widths = Array.from({ length: columnCount }, (_, column) =>
    rows.reduce((width, { cells }) => Math.max(width, widthOf(cells[column]?.text ?? "")), 1),
  );
  const [header, ...body] = rows.map(({ cells }) =>
    cells
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join(" | ")
      .trimEnd(),
  );
  const rule = widths.map((width) => "-".repeat(width)).join("-|-");
  return [header, rule, ...body].join("\n");
}

function readRows(tokens: readonly Token[], shownUrl: TableSource["shownUrl"]): Row[] {
  const rows: Row[] = [];
  let align: Align = "left";
  for (const token of tokens) {
    if (token.type === "tr_open") rows.push({ cells: [], line: token.map?.[0] ?? 0 });
    if (token.type === "th_open" || token.type === "td_open") align = alignOf(token);
    if (token.type !== "inline") continue;
    const text = inlineText(token.children ?? [], shownUrl).replaceAll("\n", " ");
    rows.at(-1)?.cells.push({ text, align });
  }
  return rows;
}

function alignOf(token: Token): Align {
  const style = String(token.attrGet("style") ?? "");
  if (style.endsWith("center")) return "center";
  return style.endsWith("right") ? "right" : "left";
}

function pad({ text, align }: Cell, width: number): string {
  const room = width - widthOf(text);
  const left = align === "left" ? 0 : align === "right" ? room : Math.floor(room / 2);
  return " ".repeat(left) + text + " ".repeat(room - left);
}

function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  stringWidth ??= loadStringWidth();
  return stringWidth(text, { countAnsiEscapeCodes: true });
}

function loadStringWidth(): typeof StringWidth.default {
  const loaded: typeof StringWidth = createRequire(import.meta.url)("string-width");
  return loaded.default;
}

/** Cells of a source line up to the last that is not empty, split as markdown-it splits. */
function cellCount(line: string): number {
  const cells = line.trim().split(/(?<!\\)\|/u);
  if (cells[0] === "") cells.shift();
  while (cells.length > 0 && cells.at(-1)?.trim() === "") cells.pop();
  return cells.length;
}
