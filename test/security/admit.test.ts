import { expect, test } from "vitest";
import type { GateName } from "../../src/domain/audit-event.ts";
import type { Request } from "../../src/domain/request.ts";
import type { Verdict } from "../../src/domain/verdict.ts";
import { createGuard, GATE_ORDER, type Gate } from "../../src/security/admit.ts";
import { request } from "./requests.ts";

const refusal: Verdict = { kind: "deny", reason: "empty", detail: null };

const later = (record: () => void): void => record();

/** A guard whose gates write down that they were asked, and refuse where it is said. */
function guardWith(refusing: Partial<Record<GateName, Verdict>> = {}) {
  const asked: string[] = [];
  const refused: unknown[] = [];
  const gateNamed =
    (name: GateName): Gate =>
    (request) => {
      asked.push(name);
      return (
        refusing[name] ?? {
          kind: "admit",
          request: { ...request, dedupeKey: `${request.dedupeKey}.${name}` },
        }
      );
    };
  const guard = createGuard({
    gates: {
      authenticate: gateNamed("authenticate"),
      checkLock: gateNamed("checkLock"),
      limitRate: gateNamed("limitRate"),
      limitCost: gateNamed("limitCost"),
      validateInput: gateNamed("validateInput"),
    },
    onRefused: (request, gate, verdict) => () => void refused.push([request.dedupeKey, gate, verdict]),
  });
  return { guard, asked, refused };
}

test("a request passes all gates in their order, each given what the one before left", () => {
  const { guard, asked, refused } = guardWith();
  const verdict = guard.admit(request({ dedupeKey: "k" }));
  expect(asked).toEqual(["authenticate", "checkLock", "limitRate", "limitCost", "validateInput"]);
  expect(verdict).toMatchObject({
    kind: "admit",
    request: { dedupeKey: "k.authenticate.checkLock.limitRate.limitCost.validateInput" },
  });
  expect(refused).toEqual([]);
});

test.each(GATE_ORDER)("a request refused by %s never reaches the next gate, and is reported once", (gate) => {
  const { guard, asked, refused } = guardWith({ [gate]: refusal });
  expect(guard.admit(request({ dedupeKey: "k" }))).toBe(refusal);
  expect(asked).toEqual(GATE_ORDER.slice(0, GATE_ORDER.indexOf(gate) + 1));
  expect(refused).toHaveLength(1);
  expect(refused[0]).toMatchObject([expect.stringMatching(/^k/), gate, refusal]);
});

test("one gate at a time gives the same as all at once", () => {
  const { guard, asked } = guardWith();
  let current: Request = request({ dedupeKey: "k" });
  for (const gate of GATE_ORDER) {
    expect(guard.isAdmitted(current)).toBe(false);
    const verdict = guard.pass(gate, current, later);
    if (verdict.kind !== "admit") throw new Error("must be admitted");
    current = verdict.request;
  }
  expect(asked).toEqual([...GATE_ORDER]);
  expect(guard.isAdmitted(current)).toBe(true);
});

test("a gate that stands before its turn throws and is not asked", () => {
  const { guard, asked } = guardWith();
  expect(() => guard.pass("limitRate", request(), later)).toThrow(
    "Gate limitRate must be number 1 of the chain, is 3",
  );
  expect(() => guard.pass("validateInput", request(), later)).toThrow("chain");
  expect(asked).toEqual([]);
});

test("a refused request cannot be carried on to the next gate", () => {
  const { guard, asked } = guardWith({ authenticate: refusal });
  const asking = request();
  expect(guard.pass("authenticate", asking, later)).toBe(refusal);
  expect(() => guard.pass("limitRate", asking, later)).toThrow("chain");
  expect(asked).toEqual(["authenticate"]);
});

test("the same gate cannot be passed twice, and a copy of an admitted request is not admitted", () => {
  const { guard } = guardWith();
  const verdict = guard.pass("authenticate", request(), later);
  if (verdict.kind !== "admit") throw new Error("must be admitted");
  expect(() => guard.pass("authenticate", verdict.request, later)).toThrow("chain");
  const whole = guard.admit(request());
  if (whole.kind !== "admit") throw new Error("must be admitted");
  expect(guard.isAdmitted(whole.request)).toBe(true);
  expect(guard.isAdmitted({ ...whole.request })).toBe(false);
});

test("a gate that throws admits nothing, and no later gate is asked", () => {
  const { guard, asked } = guardWith();
  const broken = createGuard({
    gates: {
      authenticate: () => {
        throw new Error("no database");
      },
      checkLock: (request) => guard.pass("authenticate", request, later),
      limitRate: (request) => guard.pass("authenticate", request, later),
      limitCost: (request) => guard.pass("authenticate", request, later),
      validateInput: (request) => guard.pass("authenticate", request, later),
    },
    onRefused: () => () => {},
  });
  expect(() => broken.admit(request())).toThrow("no database");
  expect(asked).toEqual([]);
});

test("H07: a pressed button goes through the same gates as a message", () => {
  const { guard, asked } = guardWith();
  guard.admit(request({ kind: "control", body: { kind: "button", nonce: "n", callbackId: "c" } }));
  expect(asked).toEqual([...GATE_ORDER]);
});
