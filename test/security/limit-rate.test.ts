import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Request } from "../../src/domain/request.ts";
import { createLimitRate } from "../../src/security/limit-rate.ts";
import { handClock, request, requestOf } from "./requests.ts";

const rate = { capacity: 3, refillTokens: 6, windowMs: 60_000 };

/** In these tests a button's nonce says how many tokens it takes. */
const tokensOf = ({ kind, body }: Request): number => {
  if (body.kind === "button") return Number(body.nonce);
  return kind === "control" ? 0 : 1;
};

/** A press that starts so many works. */
const press = (works: number): Request =>
  request({ kind: "control", body: { kind: "button", nonce: String(works), callbackId: "c" } });

/** A limiter on a clock that is turned by hand, and the table it is saved to. */
function limiterWith(table = new Map<string, string>(), clock = handClock()) {
  const limit = createLimitRate({
    rate,
    load: (key) => table.get(key) ?? null,
    tokensOf,
    now: clock.now,
    steadyNow: clock.now,
  });
  const save = () => {
    const unsaved = limit.unsaved();
    for (const { key, state } of unsaved) table.set(key, state);
    limit.markSaved(unsaved);
    return unsaved.map(({ key }) => key);
  };
  const admits = (asked: Request) => limit.gate(asked).kind === "admit";
  const admitted = (count: number, make: () => Request) => {
    let total = 0;
    for (let n = 0; n < count; n += 1) if (admits(make())) total += 1;
    return total;
  };
  return { limit, table, clock, save, admits, admitted };
}

test("H09: a burst of n admits n requests: one token a request, however often the gate judges it", () => {
  const { limit } = limiterWith();
  for (let n = 0; n < 3; n += 1) {
    const asked = request();
    for (let again = 0; again < 5; again += 1)
      expect(limit.gate(asked)).toEqual({ kind: "admit", request: asked });
  }
  expect(limit.gate(request())).toEqual({ kind: "wait", retryAfterMs: 10_000, isFirstInWindow: true });
});

test("control is never held back, and takes nothing", () => {
  const { admitted } = limiterWith();
  expect(admitted(100, () => request({ kind: "control" }))).toBe(100);
  expect(admitted(10, () => request())).toBe(3);
  expect(admitted(10, () => request({ kind: "control" }))).toBe(10);
});

test("looking has a bucket of its own, three times as large and as fast", () => {
  const { admitted, clock } = limiterWith();
  expect(admitted(20, () => request({ kind: "look" }))).toBe(9);
  expect(admitted(20, () => request())).toBe(3);
  clock.ms += 10_000;
  expect(admitted(20, () => request({ kind: "look" }))).toBe(3);
  expect(admitted(20, () => request())).toBe(1);
});

test("one person's requests do not use up another's, but all together have five times one's", () => {
  const { admitted, limit, clock } = limiterWith();
  for (let userId = 1; userId <= 5; userId += 1) expect(admitted(9, () => requestOf(userId))).toBe(3);
  expect(limit.gate(requestOf(6))).toEqual({ kind: "wait", retryAfterMs: 2_000, isFirstInWindow: true });
  clock.ms += 2_000;
  expect(admitted(9, () => requestOf(6))).toBe(1);
});

test("looking of all together has five times one's, apart from their work", () => {
  const { admitted } = limiterWith();
  for (let userId = 1; userId <= 5; userId += 1)
    expect(admitted(20, () => ({ ...requestOf(userId), kind: "look" }))).toBe(9);
  expect(admitted(20, () => ({ ...requestOf(6), kind: "look" }))).toBe(0);
  expect(admitted(20, () => requestOf(6))).toBe(3);
});

test("who is refused because of all the others keeps the tokens of his own", () => {
  const { admitted, clock } = limiterWith();
  for (let userId = 1; userId <= 5; userId += 1) admitted(3, () => requestOf(userId));
  expect(admitted(50, () => requestOf(6))).toBe(0);
  clock.ms += 6_000;
  expect(admitted(9, () => requestOf(6))).toBe(3);
});

test("a refusal is told once in a window of the rate, each person for himself", () => {
  const { limit, admitted, clock } = limiterWith();
  admitted(3, () => request());
  admitted(3, () => requestOf(8));
  const refuse = (userId: number) => limit.gate(requestOf(userId));
  expect(refuse(7)).toEqual({ kind: "wait", retryAfterMs: 10_000, isFirstInWindow: true });
  clock.ms += 4_000;
  expect(refuse(7)).toEqual({ kind: "wait", retryAfterMs: 6_000, isFirstInWindow: false });
  expect(refuse(8)).toMatchObject({ isFirstInWindow: true });
  clock.ms += 6_000;
  expect(limit.gate(request()).kind).toBe("admit");
  expect(refuse(7)).toEqual({ kind: "wait", retryAfterMs: 10_000, isFirstInWindow: false });
  clock.ms += 49_999;
  admitted(9, () => request());
  expect(refuse(7)).toMatchObject({ isFirstInWindow: false });
  clock.ms += 1;
  expect(refuse(7)).toMatchObject({ isFirstInWindow: true });
});

test("a clock set back does not silence refusals for the length of the jump", () => {
  const { limit, admitted, clock } = limiterWith();
  admitted(3, () => request());
  expect(limit.gate(request())).toMatchObject({ isFirstInWindow: true });
  clock.ms -= 3_600_000;
  expect(limit.gate(request())).toEqual({ kind: "wait", retryAfterMs: 10_000, isFirstInWindow: true });
  expect(limit.gate(request())).toMatchObject({ isFirstInWindow: false });
  clock.ms += 10_000;
  expect(limit.gate(request()).kind).toBe("admit");
});

test("buckets and the told refusal survive a restart", () => {
  const { table, clock, save, admitted, limit } = limiterWith();
  admitted(3, () => request());
  expect(limit.gate(request())).toMatchObject({ isFirstInWindow: true });
  expect(save().toSorted()).toEqual(["work:*", "work:7"]);
  const later = limiterWith(table, clock);
  expect(later.limit.gate(request())).toEqual({ kind: "wait", retryAfterMs: 10_000, isFirstInWindow: false });
  clock.ms += 10_000;
  expect(later.admitted(5, () => request())).toBe(1);
});

test("what did not change is not saved again, and what failed to be saved still is to be", () => {
  const { limit, save, admits } = limiterWith();
  admits(request());
  expect(limit.unsaved()).toHaveLength(2);
  expect(limit.unsaved()).toHaveLength(2);
  save();
  expect(limit.unsaved()).toEqual([]);
  expect(admits(request({ kind: "control" }))).toBe(true);
  expect(limit.unsaved()).toEqual([]);
});

test("what changed between the handing over and the commit is still to be saved", () => {
  const { limit, admits } = limiterWith();
  admits(request());
  const handedOver = limit.unsaved();
  admits(request());
  limit.markSaved(handedOver);
  expect(limit.unsaved().map(({ key }) => key)).toEqual(["work:7", "work:*"]);
});

test("a failed transaction gives the tokens back, once", () => {
  const { limit, admitted, save, table, clock } = limiterWith();
  const failed = request();
  limit.gate(failed);
  save();
  limit.refund(failed);
  limit.refund(failed);
  expect(save()).toEqual(["work:7", "work:*"]);
  expect(limiterWith(table, clock).admitted(9, () => request())).toBe(3);
  expect(admitted(9, () => request())).toBe(3);
});

test("a refund gives one token back for one request, even when it is asked for twice", () => {
  const { limit, admitted } = limiterWith();
  admitted(2, () => request());
  const failed = request();
  limit.gate(failed);
  limit.refund(failed);
  limit.refund(failed);
  expect(admitted(9, () => request())).toBe(1);
});

test("a bucket that a refund filled is not forgotten before it is saved", () => {
  const { limit, save, table, clock } = limiterWith();
  const failed = request();
  limit.gate(failed);
  save();
  limit.refund(failed);
  limit.markSaved([]);
  expect(save()).toEqual(["work:7", "work:*"]);
  expect(limiterWith(table, clock).admitted(9, () => request())).toBe(3);
});

test("memory is bounded: of a thousand later requests on, an old one is no longer refunded", () => {
  const { limit, admitted } = limiterWith();
  const old = request();
  limit.gate(old);
  admitted(1_000, () => request());
  limit.refund(old);
  expect(admitted(9, () => request())).toBe(0);
});

test("a told refusal alone is something to save", () => {
  const { limit, admitted, save } = limiterWith();
  admitted(3, () => request());
  save();
  limit.gate(request());
  expect(save()).toEqual(["work:7"]);
  limit.gate(request());
  expect(save()).toEqual([]);
});

test("a refund for a request that was refused, was control or was never seen gives nothing", () => {
  const { limit, admitted } = limiterWith();
  admitted(3, () => request());
  const refused = request();
  limit.gate(refused);
  const control = request({ kind: "control" });
  limit.gate(control);
  for (const one of [refused, control, request()]) limit.refund(one);
  expect(admitted(9, () => request())).toBe(0);
});

test("a refusal whose transaction failed is told by the next one", () => {
  const { limit, admitted } = limiterWith();
  admitted(3, () => request());
  const untold = request();
  expect(limit.gate(untold)).toMatchObject({ isFirstInWindow: true });
  limit.refund(untold);
  expect(limit.gate(request())).toMatchObject({ isFirstInWindow: true });
  expect(limit.gate(request())).toMatchObject({ isFirstInWindow: false });
});

test("a refused request that is judged again is still the first, and the others still silent", () => {
  const { limit, admitted } = limiterWith();
  admitted(3, () => request());
  const first = request();
  expect(limit.gate(first)).toMatchObject({ isFirstInWindow: true });
  expect(limit.gate(request())).toMatchObject({ isFirstInWindow: false });
  expect(limit.gate(first)).toMatchObject({ isFirstInWindow: true });
  limit.refund(first);
  expect(limit.gate(request())).toMatchObject({ isFirstInWindow: true });
});

test("a stored bucket that cannot be read counts as empty, and mends itself", () => {
  for (const state of [
    "",
    "no json",
    "{}",
    '{"level":1e400}',
    '{"level":-5,"updatedAtMs":0,"windowMs":60000,"told":null}',
  ]) {
    const { limit, clock, admitted } = limiterWith(new Map([["work:7", state]]));
    expect(limit.gate(request()), state).toMatchObject({ kind: "wait", retryAfterMs: 10_000 });
    clock.ms += 60_000;
    expect(admitted(9, () => request())).toBe(3);
  }
});

test("a bucket stored under another window keeps its share of tokens", () => {
  const clock = handClock();
  const state = JSON.stringify({ level: 2 * 1_000, updatedAtMs: clock.ms, windowMs: 1_000, told: null });
  expect(limiterWith(new Map([["work:7", state]]), clock).admitted(9, () => request())).toBe(2);
});

test("memory is bounded: buckets that are full again are forgotten, and come back as they were", () => {
  const loads: string[] = [];
  const clock = handClock();
  const table = new Map<string, string>();
  const limit = createLimitRate({
    rate,
    load: (key) => {
      loads.push(key);
      return table.get(key) ?? null;
    },
    tokensOf,
    now: clock.now,
    steadyNow: clock.now,
  });
  const save = () => {
    const unsaved = limit.unsaved();
    for (const { key, state } of unsaved) table.set(key, state);
    limit.markSaved(unsaved);
  };
  limit.gate(requestOf(1));
  save();
  limit.gate(requestOf(1));
  save();
  expect(loads.filter((key) => key === "work:1")).toHaveLength(1);
  clock.ms += 60_000;
  limit.gate(requestOf(2));
  save();
  for (let n = 0; n < 3; n += 1) expect(limit.gate(requestOf(1)).kind).toBe("admit");
  expect(limit.gate(requestOf(1)).kind).toBe("wait");
  expect(loads.filter((key) => key === "work:1")).toHaveLength(2);
});

test("a request without a person is refused, though another gate should have done it", () => {
  const { limit } = limiterWith();
  expect(limit.gate(request({ principal: null }))).toMatchObject({ kind: "deny", reason: "no_person" });
});

test("over any time, saves, restarts and failures included, nobody gets more than burst and rate allow", () => {
  const acts = fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ do: fc.constant("ask" as const), userId: fc.integer({ min: 1, max: 7 }) }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.nat(8_000) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("restart" as const, "fail" as const) }) },
    ),
    { maxLength: 150 },
  );
  fc.assert(
    fc.property(acts, (all) => {
      const clock = handClock();
      const start = clock.ms;
      let world = limiterWith(new Map(), clock);
      const counts = new Map<number, number>();
      for (const act of all) {
        if (act.do === "pass") clock.ms += act.ms;
        if (act.do === "restart") world = limiterWith(world.table, clock);
        if (act.do === "fail") {
          const failed = requestOf(1);
          world.limit.gate(failed);
          world.limit.refund(failed);
        }
        if (act.do === "ask" && world.admits(requestOf(act.userId))) {
          counts.set(act.userId, (counts.get(act.userId) ?? 0) + 1);
          world.save();
        }
      }
      const refilled = ((clock.ms - start) * rate.refillTokens) / rate.windowMs;
      let total = 0;
      for (const count of counts.values()) {
        expect(count).toBeLessThanOrEqual(rate.capacity + refilled);
        total += count;
      }
      expect(total).toBeLessThanOrEqual(5 * (rate.capacity + refilled));
    }),
    { numRuns: 200 },
  );
});

test("H40: prompts that lay at Telegram's while the bot was away are never thrown away: beyond the burst they are kept, for no token", () => {
  const { limit, clock } = limiterWith();
  const late = (ageMs: number, text = "go") =>
    request({ body: { kind: "prompt", text }, sentAt: clock.ms - ageMs });
  for (let n = 0; n < 3; n += 1)
    expect(limit.gate(late(60_000))).toMatchObject({ request: { kind: "work" } });
  for (let n = 0; n < 50; n += 1)
    expect(limit.gate(late(60_000))).toMatchObject({
      kind: "admit",
      request: { kind: "look", isStale: true },
    });
  expect(limit.gate(late(2_000))).toMatchObject({ kind: "wait" });
  const lateEdit = () =>
    limit.gate(request({ kind: "look", body: { kind: "edit", text: "go" }, sentAt: clock.ms - 60_000 })).kind;
  expect(Array.from({ length: 10 }, lateEdit)).toEqual([...Array.from({ length: 9 }, () => "admit"), "wait"]);
  clock.ms += 10_000;
  expect(limit.gate(late(0))).toMatchObject({ kind: "admit", request: { kind: "work" } });
});

test("never more than burst + rate x time is admitted in any window, clock jumps included", () => {
  const moves = fc.array(
    fc.record({ elapsedMs: fc.nat(20_000), jumpMs: fc.integer({ min: -3_600_000, max: 3_600_000 }) }),
    { minLength: 1, maxLength: 60 },
  );
  fc.assert(
    fc.property(moves, (all) => {
      const time = { wall: 1_800_000_000_000, steady: 1_800_000_000_000 };
      const limit = createLimitRate({
        rate,
        load: () => null,
        tokensOf,
        now: () => time.wall,
        steadyNow: () => time.steady,
      });
      // For every window that begins at some request: what it may still admit, in parts of a token.
      let open: number[] = [];
      for (const { elapsedMs, jumpMs } of all) {
        time.steady += elapsedMs;
        time.wall += elapsedMs + jumpMs;
        open = open.map((left) => left + elapsedMs * rate.refillTokens);
        open.push(rate.capacity * rate.windowMs);
        for (let tries = 0; tries < 4; tries += 1) {
          if (limit.gate(request()).kind !== "admit") break;
          open = open.map((left) => left - rate.windowMs);
        }
        expect(Math.min(...open)).toBeGreaterThanOrEqual(0);
      }
    }),
    { numRuns: 300 },
  );
});

test("a press takes a token for each work that it starts, and none where it starts none", () => {
  const { limit, admits, admitted, clock } = limiterWith();
  expect(admitted(50, () => press(0))).toBe(50);
  expect(admits(press(1))).toBe(true);
  expect(admitted(9, () => request())).toBe(2);
  expect(limit.gate(press(1))).toMatchObject({ kind: "wait", retryAfterMs: 10_000 });
  clock.ms += 20_000;
  expect(limit.gate(press(3))).toMatchObject({ kind: "wait", retryAfterMs: 10_000 });
  expect(admits(press(2))).toBe(true);
  clock.ms += 30_000;
  expect(admits(press(100))).toBe(true); // more than the burst takes the burst
  expect(admits(request())).toBe(false);
});

test("what a press took is given back when it could not be carried out", () => {
  const { limit, admits, admitted } = limiterWith();
  const pressed = press(3);
  expect(admits(pressed)).toBe(true);
  limit.refund(pressed);
  expect(admitted(9, () => request())).toBe(3);
});

test("a refused press leaves the telling of the window to what is written", () => {
  const { limit, admitted, save } = limiterWith();
  admitted(3, () => request());
  save();
  for (let time = 0; time < 2; time += 1)
    expect(limit.gate(press(1))).toEqual({ kind: "wait", retryAfterMs: 10_000, isFirstInWindow: false });
  expect(save()).toEqual([]);
  expect(limit.gate(request())).toMatchObject({ isFirstInWindow: true });
});
