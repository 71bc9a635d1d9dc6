import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A bullet or a table row of "What holds", and the names of the tests that stand in brackets at its end. */
export interface Claim {
  readonly text: string;
  readonly tests: readonly string[];
}

/** The names of tests that stand in brackets at the end of a claim; a name may itself hold brackets. */
function namesIn(line: string): readonly string[] {
  const start = line.search(/[.|] \[/);
  if (start < 0) return [];
  return line.slice(start + 3, line.lastIndexOf("]")).split("] [");
}

/** The claims of the SECURITY.md in `root`, in their order: bullets first, then rows of tables. */
export function readClaims(root: string): readonly Claim[] {
  const security = readFileSync(join(root, "SECURITY.md"), "utf8");
  const from = security.indexOf("## What holds");
  const lines = security.slice(from, security.indexOf("## What does not hold")).split("\n");
  const rows = [
    ...lines.filter((line) => line.startsWith("- ")),
    ...lines.filter((line) => line.startsWith("| ") && !line.endsWith("| tests |")),
  ];
  return rows.map((line) => ({ text: line.slice(2), tests: namesIn(line) }));
}
