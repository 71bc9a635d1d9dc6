import { type Aim, type Figure, meets } from "./figure.ts";
import { medianOfPairs } from "./statistics.ts";

const HEAD = ["figure", "ours", "bare", "difference", "ratio", "aim", "met", "compared with"];

/** A Markdown table: a line a figure, medians of the runs, the aim and whether it is met. */
export function markdownTable(figures: readonly Figure[]): string {
  const rows = figures.map(rowOf);
  const widths = HEAD.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(HEAD), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

function rowOf({ name, unit, bare, runs, aim }: Figure): readonly string[] {
  const medians = medianOfPairs(runs);
  const isMet = meets(aim, medians);
  return [
    name,
    `${formatNumber(medians.ours)} ${unit}`,
    medians.bare === null ? "" : `${formatNumber(medians.bare)} ${unit}`,
    medians.difference === null ? "" : `${signed(medians.difference)} ${unit}`,
    medians.ratio === null ? "" : `${formatNumber(medians.ratio)} x`,
    aim ? formatAim(aim, unit) : "",
    isMet === null ? "" : isMet ? "yes" : "NO",
    bare ?? "",
  ];
}

/** Three significant digits, and no more than a person reads: `0.123`, `4.56`, `78.9`, `1234`. */
function formatNumber(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return value.toFixed(digits);
}

function signed(value: number): string {
  return `${value >= 0 ? "+" : ""}${formatNumber(value)}`;
}

/** `<= +3 ms`, `>= 500 /s`, `<= 1.1 x`. */
function formatAim({ of, atMost, atLeast }: Aim, unit: Figure["unit"]): string {
  const bounds = [
    ...(atMost === undefined ? [] : [["<=", atMost] as const]),
    ...(atLeast === undefined ? [] : [[">=", atLeast] as const]),
  ];
  const shown = (value: number): string => {
    if (of === "ratio") return `${value} x`;
    return `${of === "difference" && value >= 0 ? "+" : ""}${value} ${unit}`;
  };
  return bounds.map(([sign, value]) => `${sign} ${shown(value)}`).join(", ");
}
