import { expect, test } from "vitest";
import { createLogger } from "../../src/log/logger.ts";
import { costOfTurn, logDisagreement } from "../../src/turns/settle.ts";

test("H10: a turn costs what the proxy metered, whatever the CLI made of it", () => {
  expect(costOfTurn(600, 600)).toEqual({ costMicroUsd: 600, source: "meter" });
  expect(costOfTurn(null, 50)).toEqual({ costMicroUsd: 50, source: "meter" });
  expect(costOfTurn(10, 90)).toEqual({ costMicroUsd: 90, source: "meter" });
  expect(costOfTurn(95, 90)).toEqual({ costMicroUsd: 90, source: "meter" });
});

test("H10: a turn of which nothing was metered costs what the CLI says, else nothing", () => {
  expect(costOfTurn(10, 0)).toEqual({ costMicroUsd: 10, source: "cli" });
  expect(costOfTurn(null, 0)).toEqual({ costMicroUsd: 0, source: "meter" });
});

test("that the CLI's sum and the meter's differ by more than rounding is logged, whichever is larger", () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ level: "info", format: "json", secretValues: [], destination });
  const compare = (cliMicroUsd: number | null, meteredMicroUsd: number) =>
    logDisagreement(log, { workId: 7, cliMicroUsd, meteredMicroUsd });
  compare(10_000, 10_900);
  compare(null, 50_000);
  expect(lines).toEqual([]);
  compare(10_000, 11_500);
  compare(50_000, 10_000);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { event: "cost.disagreement", workId: 7, cliMicroUsd: 10_000, meteredMicroUsd: 11_500 },
    { event: "cost.disagreement", workId: 7, cliMicroUsd: 50_000, meteredMicroUsd: 10_000 },
  ]);
});
