import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Risk } from "../../src/domain/audit-event.ts";
import { openStore } from "../../src/store/store.ts";
import { testClock } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

const RISKS: readonly Risk[] = ["low", "medium", "high", "critical"];
const event = { type: "command.run", name: "help" } as const;

test("page by page everything that is meant is found once, newest first", () => {
  using store = openStore(join(tempDir(), "a.db"), testClock());
  const rows = fc.array(
    fc.record({ risk: fc.constantFrom(...RISKS), userId: fc.constantFrom(7, 8, null), at: fc.nat(1_000) }),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(
      rows,
      fc.subarray([...RISKS]),
      fc.constantFrom(7, null),
      fc.nat(1_000),
      fc.integer({ min: 1, max: 9 }),
      (made, risks, userId, sinceMs, limit) => {
        const head = store.audit.head();
        const before = head.id;
        if (before > 0) store.audit.giveUp(head);
        store.transaction(() => {
          for (const row of made) store.audit.append({ ...row, conversation: null, event });
        });
        const found: number[] = [];
        for (let next: number | null = null, isFirst = true; isFirst || next !== null; isFirst = false) {
          const page = store.audit.newest({
            risks,
            userId,
            sinceMs,
            limit,
            ...(next === null ? {} : { beforeId: next }),
          });
          expect(page.rows.length).toBeLessThanOrEqual(limit);
          found.push(...page.rows.map(({ id }) => id));
          next = page.nextBefore;
        }
        const meant = made.flatMap((row, index) =>
          risks.includes(row.risk) && row.at >= sinceMs && (userId === null || row.userId === userId)
            ? [before + index + 1]
            : [],
        );
        expect(found).toEqual(meant.toReversed());
      },
    ),
    { numRuns: 60 },
  );
});

test("a page looks at ten thousand rows at most, and says where to go on", () => {
  const clock = testClock();
  using store = openStore(join(tempDir(), "a.db"), clock);
  store.lightly(() => {
    for (let n = 0; n < 25_000; n += 1) {
      const risk = n === 0 ? "high" : "low";
      store.audit.append({ at: clock(), risk, userId: 7, conversation: null, event });
    }
  });
  const query = { risks: ["high"], userId: null, sinceMs: 0, limit: 12 };
  expect(store.audit.newest(query)).toEqual({ rows: [], nextBefore: 15_001 });
  expect(store.audit.newest({ ...query, beforeId: 15_001 })).toEqual({ rows: [], nextBefore: 5_001 });
  expect(store.audit.newest({ ...query, beforeId: 5_001 })).toMatchObject({
    rows: [{ id: 1 }],
    nextBefore: null,
  });
  const old = { ...query, sinceMs: clock() + 2 * 86_400_000 };
  expect(store.audit.newest(old)).toEqual({ rows: [], nextBefore: null });
});
