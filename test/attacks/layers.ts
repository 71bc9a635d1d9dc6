/**
 * What stands between a tool call and the host. `launch` is how the CLI is started: its flags and its environment. `hook` is
 * the product's own policy in its hook, in mode jail, which allows what it can judge by itself; `ask` is a person who says no.
 * To the `jail` belong its watch for secrets and the quarantine of what was made in it.
 */
export const LAYERS = ["launch", "rules", "hook", "ask", "jail"] as const;
export type Layer = (typeof LAYERS)[number];
export type LayerSet = ReadonlySet<Layer>;

/** A column of the table: a run of all attacks with these layers on. */
export interface Column {
  readonly name: string;
  readonly on: LayerSet;
  /** Nothing may get through, whatever the layers claim. */
  readonly mustHoldAll: boolean;
  /** By hand, so that layers can be left out, or as the daemon runs it. */
  readonly host: "bare" | "product";
}

/** Nothing on: here every attack has to work. */
const CONTROL: Column = { name: "control", on: new Set(), mustHoldAll: false, host: "bare" };

/** The whole table. What lacks one layer, but not the jail, holds everything: no layer is trusted alone. */
export const COLUMNS: readonly Column[] = [
  CONTROL,
  ...LAYERS.map((layer) => ({
    name: layer,
    on: new Set([layer]),
    mustHoldAll: false,
    host: "bare" as const,
  })),
  ...LAYERS.map((layer) => ({
    name: `-${layer}`,
    on: new Set(LAYERS.filter((other) => other !== layer)),
    mustHoldAll: layer !== "jail",
    host: "bare" as const,
  })),
  { name: "all", on: new Set(LAYERS), mustHoldAll: true, host: "bare" },
  { name: "product", on: new Set(["launch", "rules", "hook", "jail"]), mustHoldAll: true, host: "product" },
];
