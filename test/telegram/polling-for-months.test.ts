import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Update } from "grammy/types";
import { describe, expect, test } from "vitest";
import type { CallRecord } from "../../src/demo/bot-api/types.ts";
import { createLogger } from "../../src/log/logger.ts";
import { pause as realPause } from "../../src/telegram/backoff.ts";
import { createPoller, type PollerDeps } from "../../src/telegram/poller.ts";
import { createBench, isConflict, notedPauses, until } from "./poller-bench.ts";

type Bench = Awaited<ReturnType<typeof createBench>>;

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** The machine's clocks, which a test can turn further. */
function turnedClocks() {
  const turned = { wall: 0, steady: 0 };
  return {
    now: () => Date.now() + turned.wall,
    tick: () => performance.now() + turned.steady,
    turn: (wallMs: number, steadyMs = wallMs) => {
      turned.wall += wallMs;
      turned.steady += steadyMs;
    },
  };
}

const timeouts = (polls: readonly CallRecord[]): readonly unknown[] =>
  polls.map(({ payload }) => payload.timeout);

describe.concurrent("H47: after a sleep", () => {
  test.each([
    ["both clocks went on", 8 * HOUR, 8 * HOUR],
    ["only the wall clock went on", 8 * HOUR, 0],
    ["the process was stopped for 20 s", 20 * SECOND, 20 * SECOND],
  ])(
    "in which %s, the poll that hangs is asked anew at once, and no failure",
    async (_, wallMs, steadyMs) => {
      const clocks = turnedClocks();
      const { pause, pauses } = notedPauses();
      await using bench = await createBench({ clocks, pause });
      bench.failPolls({ kind: "hang" });
      const life = bench.live();
      const answer = life.next();
      await until(() => bench.polls().length === 1);
      const { updateId } = bench.ada.send("while it slept");
      clocks.turn(wallMs, steadyMs);
      bench.tick();
      expect(await answer).toEqual([updateId]);
      expect(pauses).toEqual([]);
      expect(bench.log()).not.toMatch(/telegram\.(unreachable|refused|back|outage)/);
      expect(bench.told()).toEqual([]);
    },
  );

  test("the first poll asks for no waiting, so that a dead connection shows, and the next one does again", async () => {
    const clocks = turnedClocks();
    await using bench = await createBench({ clocks });
    const life = bench.live();
    void life.next();
    await bench.isPolled();
    clocks.turn(HOUR);
    bench.tick();
    await until(() => bench.polls().length >= 3);
    expect(timeouts(bench.polls())).toEqual([20, 0, 20]);
  });

  test("what fails before the wake was noticed is no failure either", async () => {
    const clocks = turnedClocks();
    await using bench = await createBench({ clocks });
    bench.failPolls({ kind: "hang" });
    const answer = bench.live().next();
    await until(() => bench.polls().length === 1);
    const { updateId } = bench.ada.send("while it slept");
    clocks.turn(HOUR);
    bench.api.cutConnections();
    expect(await answer).toEqual([updateId]);
    expect(bench.log()).not.toContain("telegram.unreachable");
  });

  test("a pause of its own ends, and pauses begin anew at their shortest", async () => {
    const clocks = turnedClocks();
    const pauses: number[] = [];
    const pause: PollerDeps["pause"] = (ms, signal) => {
      pauses.push(ms);
      return realPause(pauses.length < 8 ? 0 : HOUR, signal);
    };
    await using bench = await createBench({ clocks, pause });
    await bench.api.close();
    const life = bench.live();
    void life.next();
    await until(() => pauses.length === 8);
    clocks.turn(HOUR);
    bench.tick();
    await until(() => pauses.length === 9);
    expect(pauses[7]).toBeGreaterThan(3_000);
    expect(pauses[8]).toBeLessThanOrEqual(200);
  });

  test("a pause that Telegram asked for is kept: the clock may only have been set", async () => {
    const clocks = turnedClocks();
    await using bench = await createBench({ clocks });
    bench.failPolls({ kind: "error", code: 429, description: "Too Many Requests", retryAfterSeconds: 2 });
    const life = bench.live();
    const answer = life.next();
    await until(() => bench.log().includes("Too Many Requests"));
    clocks.turn(HOUR, 0);
    bench.tick();
    const { updateId } = bench.ada.send("hello");
    expect(await answer).toEqual([updateId]);
    const [refused, next] = bench.polls();
    expect((next?.at ?? 0) - (refused?.answeredAt ?? 0)).toBeGreaterThanOrEqual(1_990);
    expect(bench.lines("telegram.refused").length).toBe(1);
  });
});

test("clocks that jump by hours, forward and back, harm nothing: each message comes once, nobody is told anything", async () => {
  const clocks = turnedClocks();
  await using bench = await createBench({ clocks });
  const life = bench.live();
  for (const hours of [3, -3, -48, 100, -52, 0.01, -0.01]) {
    const answer = life.next();
    await bench.isPolled();
    clocks.turn(hours * HOUR, 0);
    bench.tick();
    const { updateId } = bench.ada.send(`after ${hours} h`);
    expect(await answer).toEqual([updateId]);
    bench.store.inbox.finish(updateId);
  }
  expect(bench.log()).not.toMatch(/telegram\.(unreachable|refused|back|outage)/);
  expect(bench.told()).toEqual([]);
});

describe("Telegram down for an hour", () => {
  /** A bench whose pauses cost no time: the clocks are turned instead, tick by tick. After an hour of them comes `end`. */
  async function quickBench(end: (bench: Bench, port: number) => unknown) {
    const clocks = turnedClocks();
    const pauses: number[] = [];
    let left = HOUR;
    const pause: PollerDeps["pause"] = async (ms) => {
      pauses.push(ms);
      for (let rest = ms; rest > 0; rest -= 5_000) {
        clocks.turn(Math.min(rest, 5_000));
        bench.tick();
      }
      const isOver = left > 0 && left <= ms;
      left -= ms;
      if (isOver) await end(bench, port);
      await setImmediate();
    };
    const bench = await createBench({ clocks, pause, pollSeconds: 1, calmMs: 0 });
    const port = Number(new URL(bench.root).port);
    return Object.assign(bench, { pauses });
  }

  test("it is back with the first call after a pause under 5 s, nothing is lost, and the log stays short", async () => {
    await using bench = await quickBench(({ api }, port) => api.listen(port));
    const { pauses } = bench;
    const life = bench.live();
    const before = bench.ada.send("before");
    expect(await life.next()).toEqual([before.updateId]);
    await bench.api.close();
    const answer = life.next();
    const sent = [bench.ada.send("one"), bench.ada.send("two")];
    expect(await answer).toEqual(sent.map(({ updateId }) => updateId));

    expect(pauses.length).toBeGreaterThan(HOUR / 5_000);
    expect(pauses.length).toBeLessThan(HOUR / 3_500 + 10);
    for (const ms of pauses) expect(ms).toBeLessThanOrEqual(4_500);
    expect(bench.lines("telegram.unreachable").length).toBeLessThanOrEqual(15);
    expect(
      bench
        .lines("telegram.unreachable")
        .slice(0, 5)
        .map(({ failures }) => failures),
    ).toEqual([1, 2, 3, 4, 8]);
    expect(bench.lines("telegram.back")).toMatchObject([{ call: "getUpdates", failures: pauses.length }]);
    expect(bench.log().split("\n").length).toBeLessThan(30);
    await until(() => bench.told().length > 0);
    expect(bench.told()).toEqual([
      expect.stringMatching(/^From .* to .* Telegram was out of my reach\. Nothing/),
    ]);
  });

  test("H49: from the start, with no network, it is the same", async () => {
    await using bench = await quickBench(({ api }, port) => api.listen(port));
    const { pauses } = bench;
    await bench.api.close();
    const { updateId } = bench.ada.send("is anybody there?");
    expect(await bench.live().next()).toEqual([updateId]);
    for (const ms of pauses) expect(ms).toBeLessThanOrEqual(4_500);
    expect(bench.lines("telegram.back")).toMatchObject([{ call: "getMe", failures: pauses.length }]);
    await until(() => bench.told().length > 0);
    expect(bench.told()).toEqual([expect.stringMatching(/^From .* to .* Telegram was out of my reach\./)]);
  });

  test("an hour of 429 is waited out as it is asked for, and tells nobody anything", async () => {
    await using bench = await quickBench(({ api }) => api.setIntercept(undefined));
    const { updateId } = bench.ada.send("hello");
    bench.api.setIntercept(({ method }) =>
      method === "getUpdates"
        ? { kind: "error", code: 429, description: "Too Many Requests", retryAfterSeconds: 30 }
        : undefined,
    );
    expect(await bench.live().next()).toEqual([updateId]);
    expect(bench.pauses).toEqual(Array.from({ length: 120 }, () => 30_000));
    expect(bench.lines("telegram.refused").length).toBeLessThanOrEqual(12);
    expect(bench.log()).not.toContain("telegram.outage");
    expect(bench.store.outbox.chats()).toEqual([]);
    expect(bench.told()).toEqual([]);
  });

  test("a retry_after of nothing is no leave to ask without a pause", async () => {
    await using bench = await quickBench(() => undefined);
    const { updateId } = bench.ada.send("hello");
    const left = [0, 0, -1].map((retryAfterSeconds) => ({
      kind: "error" as const,
      code: 429,
      description: "Too Many Requests",
      retryAfterSeconds,
    }));
    bench.failPolls(...left);
    expect(await bench.live().next()).toEqual([updateId]);
    expect(bench.pauses.length).toBe(3);
    for (const ms of bench.pauses) expect(ms).toBeGreaterThanOrEqual(160);
  });

  test("H81: a token that was revoked meanwhile ends it all the same", async () => {
    await using bench = await quickBench(({ api }, port) => {
      api.revoke();
      return api.listen(port);
    });
    const life = bench.live();
    const answer = life.next();
    await bench.isPolled();
    await bench.api.close();
    await expect(answer).rejects.toMatchObject({ code: "token_rejected" });
  });
});

describe.concurrent("owners are told", () => {
  test("H48: of a second poller once it goes on, and once that it is gone; then it answers within 6 s", async () => {
    const { pause, pauses } = notedPauses();
    await using bench = await createBench({ pollSeconds: 1, calmMs: 1_000, pause });
    const answers = collect(bench.live());
    while (bench.told().length === 0) {
      bench.api.rivalPoll();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(bench.told()).toEqual([expect.stringMatching(/^Another program has been taking/)]);
    expect(bench.polls().filter(isConflict).length).toBeLessThanOrEqual(4);
    const { updateId } = bench.ada.send("is it gone?");
    await until(() => answers.includes(updateId), 10_000);
    expectShort(pauses);
    await until(() => bench.told().length > 1, 15_000);
    bench.ada.send("and now?");
    await until(() => answers.length === 2, 10_000);
    expect(bench.told().slice(1)).toEqual([
      expect.stringMatching(/^Messages come again\. From .* another program/),
    ]);
  });

  test("of a network that was down, in one message when it is back, and not a word before", async () => {
    const { pause, pauses } = notedPauses();
    await using bench = await createBench({ pollSeconds: 1, mattersMs: 1_000, calmMs: 1_000, pause });
    const { answers, port } = await withOneAnswer(bench);
    await bench.api.close();
    await until(() => bench.lines("telegram.outage").length > 0, 15_000);
    const { updateId } = bench.ada.send("meanwhile");
    expect(bench.store.outbox.chats()).toEqual([]);
    await bench.api.listen(port);
    await until(() => answers.includes(updateId), 10_000);
    expectShort(pauses);
    await until(() => bench.told().length > 0, 10_000);
    expect(bench.told()).toEqual([expect.stringMatching(/^From .* Telegram was out of my reach\./)]);
  });

  test("of a black hole, in one message; and it is back soon although every call hung", async () => {
    const { pause, pauses } = notedPauses();
    await using bench = await createBench({ pollSeconds: 0, mattersMs: 1_000, calmMs: 1_000, pause });
    const { answers } = await withOneAnswer(bench);
    bench.api.setIntercept(() => ({ kind: "hang" }));
    await until(() => bench.lines("telegram.outage").length > 0, 25_000);
    const { updateId } = bench.ada.send("meanwhile");
    bench.api.setIntercept(undefined);
    await until(() => answers.includes(updateId), 15_000);
    expect(bench.log()).toContain("no answer within 5000 ms");
    expectShort(pauses);
    await until(() => bench.told().length > 0, 15_000);
    expect(bench.told()).toEqual([expect.stringMatching(/^From .* Telegram was out of my reach\./)]);
  });

  test("of polls that fail while all else works, at once; and over a restart once that it is over", async () => {
    await using bench = await createBench({ pollSeconds: 1, mattersMs: 500, calmMs: 500 });
    bench.api.setIntercept(({ method }) => (method === "getUpdates" ? { kind: "drop_before" } : undefined));
    const first = bench.live();
    void first.next();
    await until(() => bench.told().length > 0, 15_000);
    await until(() => bench.store.outbox.chats().length === 0); // its sending has been recorded
    await first.close();
    const before = bench.polls().length;
    const second = bench.live();
    const answers = collect(second);
    await until(() => bench.polls().length > before + 3, 15_000);
    expect(bench.told()).toEqual([expect.stringMatching(/^I have got no messages from Telegram since/)]);
    bench.api.setIntercept(undefined);
    const { updateId } = bench.ada.send("hello again");
    await until(() => bench.told().length > 1, 15_000);
    expect(answers).toEqual([updateId]);
    expect(bench.told().slice(1)).toEqual([expect.stringMatching(/^Messages come again\. From/)]);
  });
});

test("a hundred thousand polls, answered, refused and in vain, leave nothing behind", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage: () => void = runInNewContext("gc");
  await using bench = await createBench();
  let count = 0;
  const poller = createPoller({
    api: {
      getUpdates: async () => {
        count += 1;
        if (count % 100 === 0) await setImmediate();
        if (count % 3 === 0) return { kind: "unsent", cause: "ECONNREFUSED" };
        if (count % 3 === 1)
          return { kind: "refused", code: 409, description: "Conflict", retryAfterMs: null };
        return { kind: "ok", value: { updates: [], serverTime: null } };
      },
      getMe: async () => ({ kind: "ok", value: await bench.client.getMe() }),
      deleteWebhook: async () => ({ kind: "ok", value: true }),
    },
    inbox: bench.store.inbox,
    handle: async () => undefined,
    makeLast: async () => undefined,
    onReady: () => undefined,
    rim: (update) => ({ update, body: JSON.stringify(update) }),
    bury: () => undefined,
    outage: { failed: () => undefined, answered: () => undefined, interrupted: () => undefined },
    noticeSleep: () => undefined,
    pause: async () => undefined,
    log: createLogger({ level: "fatal", format: "json", secretValues: [] }),
    pollSeconds: 25,
  });
  const life = new AbortController();
  const updates: Promise<readonly Update[]> = poller.supply(
    100,
    life.signal as Parameters<typeof poller.supply>[1],
  );
  const heapAfter = async (polls: number): Promise<number> => {
    await until(() => count >= polls, 20_000);
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = await heapAfter(20_000);
  const after = await heapAfter(120_000);
  life.abort();
  expect(await updates).toEqual([]);
  expect(after - before).toBeLessThan(4_000_000); // 40 bytes a poll; one listener that is left is more
});

/** There were pauses, and none that keeps anybody waiting for long. */
function expectShort(pauses: readonly number[]): void {
  expect(pauses).not.toEqual([]);
  expect(Math.min(...pauses)).toBeGreaterThan(0);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(4_500);
}

/** Takes batch after batch; gives the ids, growing. */
function collect(life: { next: () => Promise<readonly number[]> }): readonly number[] {
  const ids: number[] = [];
  const take = async (): Promise<void> => {
    for (let batch = await life.next(); batch.length > 0; batch = await life.next()) ids.push(...batch);
  };
  void take();
  return ids;
}

async function withOneAnswer(bench: Bench) {
  const answers = collect(bench.live());
  const { updateId } = bench.ada.send("hello");
  await until(() => answers.includes(updateId));
  return { answers, port: Number(new URL(bench.root).port) };
}
