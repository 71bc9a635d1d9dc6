import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kindOf, ROUTE_KINDS, reasonFor } from "./cells.ts";
import { COLUMNS } from "./layers.ts";
import { type ColumnRun, runColumns } from "./run.ts";
import { holesIn, tableOf } from "./table.ts";

/** All of them, but for a run that looks at some alone: their names, with commas between. */
const wanted = process.env.ATTACK_COLUMNS?.split(",");
const columns = COLUMNS.filter(({ name }) => wanted?.includes(name) ?? true);
const LIMIT_MS = 3_600_000; // a backstop: an eighth of it on a quiet machine

describe.runIf(process.platform === "linux")("a model that attacks, on the real CLI", () => {
  let runs: readonly ColumnRun[] = [];

  beforeAll(async () => {
    runs = await runColumns(columns);
  }, LIMIT_MS);
  afterAll(() => process.stdout.write(`\n${tableOf(runs)}\n`));

  test.each(columns.filter(({ mustHoldAll }) => mustHoldAll))(
    "H02 H03 H05 H06 H21 H22 H31 H32: with $name of the layers no attack gets through",
    ({ name }) => {
      expect(holesIn(runs.filter(({ column }) => column.name === name))).toEqual([]);
    },
  );

  test("every attack works where nothing is in its way: its positive control", () => {
    expect(runs[0]?.outcomes.length).toBeGreaterThan(400);
    expect(holesIn(runs.slice(0, 1))).toEqual([]);
  });

  test("each layer alone holds what it claims, and so do those that are left when one is taken away", () => {
    expect(holesIn(runs.filter(({ column }) => !column.mustHoldAll))).toEqual([]);
  });

  test("every cell of asset and route has an attack, or says why it has none", () => {
    const attacks = runs[0]?.outcomes.map(({ attack }) => attack) ?? [];
    const empty = [...new Set(attacks.map(({ asset }) => asset))].flatMap((asset) =>
      ROUTE_KINDS.filter((kind) => {
        const isTried = attacks.some((attack) => attack.asset === asset && kindOf(attack) === kind);
        return !isTried && reasonFor(asset, kind) === null;
      }).map((kind) => `${asset} by ${kind}`),
    );
    expect(empty).toEqual([]);
  });
});
