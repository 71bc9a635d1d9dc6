import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { WireRequest } from "../../src/domain/usage.ts";
import { createLimitCost } from "../../src/security/limit-cost.ts";
import { testStore } from "../support/store.ts";
import { turnsBench } from "../support/turns.ts";

const LIMIT = 1_000;
const PERSON = 7;
const WIRE: WireRequest = {
  model: "m",
  hasTools: true,
  maxOutputTokens: 1,
  textBytes: 1,
  isStreamed: true,
};

/** One thing that happens on the wire of one of two turns: a request of that cost begins, or the oldest one ends. */
const acts = fc.array(
  fc.record({
    turn: fc.constantFrom(0, 1),
    cost: fc.integer({ min: 1, max: 90 }),
    above: fc.nat(200),
    ends: fc.boolean(),
  }),
  { minLength: 80, maxLength: 120, size: "max" },
);

test("two turns at once overspend a budget by no more than the requests that were under way", async () => {
  await fc.assert(
    fc.asyncProperty(acts, fc.integer({ min: LIMIT / 4, max: LIMIT }), async (all, perRequest) => {
      const store = testStore();
      const cost = createLimitCost({
        limitMicroUsd: () => LIMIT,
        spentSince: store.ledger.spentSince,
        grantedSince: store.grants.since,
        reserved: store.work.reserved,
        window: "total",
        now: Date.now,
        timeZone: () => "UTC",
        isEquivalent: false,
      });
      const bench = turnsBench({ store, reserve: (userId) => cost.reserve(userId, perRequest) });
      bench.submit("a", 1);
      bench.submit("b", 2);
      const turns = [await bench.asked()];
      if (perRequest < LIMIT) turns.push(await bench.asked());
      const wires = turns.map(({ payer, end }) => ({ payer, end, flying: [] as number[], largest: 0 }));
      let made = 0;
      const land = ({ payer, flying }: (typeof wires)[number]): void => {
        const costMicroUsd = flying.shift();
        if (costMicroUsd === undefined) return;
        made += 1;
        payer.onUsage({
          requestId: `r${made}`,
          model: "m",
          inputTokens: 1,
          cacheWrite5mTokens: 0,
          cacheWrite1hTokens: 0,
          cacheReadTokens: 0,
          outputTokens: 0,
          costMicroUsd,
          isFinal: true,
          isCut: false,
        });
      };
      for (const act of all) {
        const wire = wires[act.turn];
        if (!wire) continue;
        // As the proxy tells it: what it and those beside it may cost at most; nothing when it is alone.
        const pending =
          wire.flying.length === 0 ? 0 : wire.flying.reduce((sum, one) => sum + one + act.above, act.cost);
        if (act.ends) land(wire);
        else if (wire.payer.mayStart(WIRE, pending).kind === "ok") {
          wire.flying.push(act.cost);
          wire.largest = Math.max(wire.largest, act.cost);
        }
      }
      for (const wire of wires) while (wire.flying.length > 0) land(wire);
      for (const { end } of wires) end();
      await bench.until(() => bench.reports.length >= wires.length);
      const spent = store.ledger.spentSince(PERSON, 0);
      expect(spent).toBeLessThanOrEqual(LIMIT + wires.reduce((sum, { largest }) => sum + largest, 0));
    }),
    { numRuns: 10, endOnFailure: true },
  );
});
