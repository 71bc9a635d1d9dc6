import fc from "fast-check";
import { expect, test } from "vitest";
import type { ClaudeTurnEnd } from "../../src/domain/claude-event.ts";
import { costOfTurn } from "../../src/turns/settle.ts";

const SESSION = {
  id: "s",
  conversationId: 1,
  userId: 7,
  project: "p",
  isResumable: true,
  totalCostMicroUsd: 400,
};
const done = (totalCostMicroUsd: number | null): ClaudeTurnEnd => ({
  outcome: { kind: "completed", text: "" },
  model: "m",
  totalCostMicroUsd,
  isResumable: true,
});

test("H10: a completed turn costs the rise of the CLI's cumulative total", () => {
  expect(costOfTurn(done(1_000), SESSION, 50)).toEqual({ costMicroUsd: 600, source: "cli" });
});

test("H10: a turn without a result costs what the proxy metered", () => {
  expect(costOfTurn(done(null), SESSION, 50)).toEqual({ costMicroUsd: 50, source: "meter" });
});

test("H10: a stopped turn never costs less than what was metered", () => {
  const stopped = { ...done(410), outcome: { kind: "stopped" } } as const;
  expect(costOfTurn(stopped, SESSION, 90)).toEqual({ costMicroUsd: 90, source: "meter" });
  expect(costOfTurn(stopped, SESSION, 5)).toEqual({ costMicroUsd: 10, source: "cli" });
});

test("a total that went down, as of a session begun anew, does not turn into a gift", () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(10_000), (total, metered) => {
      const { costMicroUsd } = costOfTurn(done(total), SESSION, metered);
      expect(costMicroUsd).toBeGreaterThanOrEqual(0);
      if (total < SESSION.totalCostMicroUsd) expect(costMicroUsd).toBe(metered);
    }),
  );
});
