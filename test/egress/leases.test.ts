import { expect, test } from "vitest";
import type { Payer } from "../../src/domain/usage.ts";
import { createLeases } from "../../src/egress/leases.ts";
import { heapMb } from "../support/heap.ts";

test("H53: a lease that was given back is gone, with its payer and its token", () => {
  const leases = createLeases();
  const payerOf = (n: number): Payer & { readonly what: string } => ({
    what: `${n} ${"x".repeat(20_000)}`,
    mayStart: () => ({ kind: "ok" }),
    onUsage: () => undefined,
  });
  const useOne = (n: number): string => {
    const lease = leases.open();
    lease.setPayer(payerOf(n));
    leases.find([lease.token])?.enter()?.();
    lease.release();
    return lease.token;
  };
  const kept = leases.open();
  expect(leases.find([useOne(0)])).toBeNull();
  const before = heapMb();
  for (let n = 1; n < 1_000; n += 1) useOne(n);
  expect(heapMb() - before).toBeLessThan(5); // their payers had 20
  expect(leases.find([kept.token])).not.toBeNull();
});
