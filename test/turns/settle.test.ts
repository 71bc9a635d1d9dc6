import { expect, test } from "vitest";
import { costOfTurn } from "../../src/turns/settle.ts";

test("H10: a turn costs what the CLI says that it cost", () => {
  expect(costOfTurn(600, 600)).toEqual({ costMicroUsd: 600, source: "cli" });
});

test("H10: a turn without a result costs what the proxy metered", () => {
  expect(costOfTurn(null, 50)).toEqual({ costMicroUsd: 50, source: "meter" });
});

test("H10: requests that the CLI does not count, such as cut ones, are charged all the same", () => {
  expect(costOfTurn(10, 90)).toEqual({ costMicroUsd: 90, source: "meter" });
  expect(costOfTurn(10, 5)).toEqual({ costMicroUsd: 10, source: "cli" });
});
