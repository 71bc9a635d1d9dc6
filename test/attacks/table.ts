import { isClaimed } from "./claims.ts";
import type { Layer } from "./layers.ts";
import type { ColumnRun } from "./run.ts";

/** What a cell of the table shows. */
const SIGNS = {
  through: "T",
  "not its job": "-",
  held: "#",
  "held too": "+",
  HOLE: "!",
} as const;
type Sign = keyof typeof SIGNS;

const LEGEND = [
  "control: T the attack works where nothing is on. Layers alone, all but one, all:",
  "# held, as claimed   + held, though not claimed   - through, not its job   ! a hole",
].join("\n");

/** What an outcome means: `HOLE` is one that must not be. `required` are the layers of which one has to hold it; null: any. */
function signOf(run: ColumnRun, index: number): Sign {
  const outcome = run.outcomes[index];
  if (!outcome) return "HOLE";
  const { attack, isThrough } = outcome;
  const { column } = run;
  if (column.on.size === 0) return isThrough ? "through" : "HOLE";
  const isOurs = column.mustHoldAll || [...column.on].some((layer: Layer) => isClaimed(layer, attack));
  if (isOurs) return isThrough ? "HOLE" : "held";
  return isThrough ? "not its job" : "held too";
}

/** All that went through and should not have, or that proves nothing since the control failed. */
export function holesIn(runs: readonly ColumnRun[]): readonly string[] {
  return runs.flatMap((run) =>
    run.outcomes.flatMap(({ attack, told }, index) =>
      signOf(run, index) === "HOLE"
        ? [`${run.column.name}: ${attack.asset} by ${attack.route} (${told.trim().slice(0, 200)})`]
        : [],
    ),
  );
}

/** The table: asset x route x layers. Routes of one asset that fared alike share a line. */
export function tableOf(runs: readonly ColumnRun[]): string {
  const lines = new Map<string, string[]>();
  for (const [index, { attack }] of (runs[0]?.outcomes ?? []).entries()) {
    const signs = runs.map((run) => SIGNS[signOf(run, index)].padEnd(run.column.name.length)).join(" ");
    const key = `${attack.asset.padEnd(36)} ${signs}`;
    lines.set(key, [...(lines.get(key) ?? []), attack.route]);
  }
  const head = `${"asset".padEnd(36)} ${runs.map(({ column }) => column.name).join(" ")} routes`;
  const body = [...lines].map(([key, routes]) => `${key} ${routes.join(", ")}`);
  return [head, ...body, LEGEND].join("\n");
}
