import type { GateName } from "../domain/audit-event.ts";
import type { Request } from "../domain/request.ts";
import type { Verdict } from "../domain/verdict.ts";

/** Judges a request, at once and without waiting. A gate that throws has not admitted. */
export type Gate = (request: Request) => Verdict;

/** A verdict that stops a request. */
export type Refusal = Exclude<Verdict, { kind: "admit" }>;

/** The chain: every door runs these gates, in this order. */
export const GATE_ORDER = ["authenticate", "checkLock", "limitRate", "limitCost", "validateInput"] as const;

interface GuardDeps {
  readonly gates: Readonly<Record<GateName, Gate>>;
  /** Told of every refusal, once, before the verdict is given back; what it gives puts the refusal on record. */
  readonly onRefused: (request: Request, gate: GateName, refusal: Refusal) => () => void;
}

/** The one guard of all doors. */
export interface Guard {
  /**
   * Runs one gate, for a chain that is written one gate a line. Throws when the gates before it have not all
   * admitted this very request object: a gate that was left out or moved is a fault, not an open door. A refusal is put on
   * record by what `later` is given: in the transaction that ends the arrival, so that a crash records it neither twice nor never.
   */
  readonly pass: (gate: GateName, request: Request, later: (record: () => void) => void) => Verdict;
  /** Runs all gates in order and stops at the first refusal, which is put on record at once. */
  readonly admit: (request: Request) => Verdict;
  /** True for a request object that came out of the last gate. */
  readonly isAdmitted: (request: Request) => boolean;
}

/** Makes the guard. It remembers how far a request has come by the object itself, so a copy starts anew. */
export function createGuard({ gates, onRefused }: GuardDeps): Guard {
  const passed = new WeakMap<Request, number>();

  const pass: Guard["pass"] = (gate, request, later) => {
    const at = GATE_ORDER.indexOf(gate);
    const before = passed.get(request) ?? 0;
    if (before !== at)
      throw new Error(`Gate ${gate} must be number ${before + 1} of the chain, is ${at + 1}`);
    const verdict = gates[gate](request);
    if (verdict.kind !== "admit") {
      later(onRefused(request, gate, verdict));
      return verdict;
    }
    passed.set(verdict.request, at + 1);
    return verdict;
  };

  return {
    pass,
    admit: (request) => {
      let verdict: Verdict = { kind: "admit", request };
      for (const gate of GATE_ORDER) {
        if (verdict.kind !== "admit") return verdict;
        verdict = pass(gate, verdict.request, (record) => record());
      }
      return verdict;
    },
    isAdmitted: (request) => passed.get(request) === GATE_ORDER.length,
  };
}
