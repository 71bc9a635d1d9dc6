import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CallRecord, Fault } from "../../src/demo/bot-api/types.ts";
import { backoffMs } from "../../src/telegram/backoff.ts";
import { ALLOWED_UPDATES, createGetUpdates } from "../../src/telegram/get-updates.ts";
import { createBench, isConflict, notedPauses, TOKEN, until } from "./poller-bench.ts";

/** Milliseconds between the end of a call that failed and the beginning of the next poll. */
function gapAfter(polls: readonly CallRecord[], isFailed: (poll: CallRecord) => boolean): number {
  const index = polls.findIndex(isFailed);
  const [failed, next] = [polls[index], polls[index + 1]];
  if (index === -1 || failed === undefined || next === undefined)
    throw new Error("no such poll, or none after it");
  return next.at - (failed.answeredAt ?? failed.at);
}

describe("committed before confirmed", () => {
  test("when the poll arrives that confirms an update, its row is on disk", async () => {
    await using bench = await createBench();
    const seen: unknown[] = [];
    const lastPoints: unknown[] = [];
    bench.api.setIntercept(({ method, payload }) => {
      const offset = Number(payload.offset);
      if (method === "getUpdates" && offset > 0) {
        seen.push(bench.onDisk(offset - 1));
        lastPoints.push(bench.reached.at(-1));
      }
      return undefined;
    });
    const life = bench.live();
    const first = bench.ada.send("hello");
    expect(await life.next()).toEqual([first.updateId]);
    const second = bench.ada.send("again");
    expect(await life.next()).toEqual([second.updateId]);
    void life.next();
    await bench.api.waitFor(() => bench.api.pendingUpdates().length === 0, { what: "the confirmation" });
    expect(seen.length).toBeGreaterThanOrEqual(2);
    for (const row of seen) expect(row).toMatchObject({ state: "new", attempts: 0 });
    // And not only in the system's memory: it was stored without waiting for the disk, which was made up for.
    expect(new Set(lastPoints)).toEqual(new Set(["store.flushed:after"]));
    expect(JSON.parse(bench.onDisk(first.updateId)?.body ?? "")).toMatchObject({
      message: { text: "hello" },
    });
  });

  test("an update is not confirmed before it is asked for the next ones", async () => {
    await using bench = await createBench();
    const { updateId } = bench.ada.send("hello");
    const life = bench.live();
    await life.next();
    expect(bench.api.pendingUpdates()).toEqual([updateId]);
    expect(bench.offsets()).toEqual([undefined]);
  });

  test("what is delivered once more, to this life or the next, is confirmed and not handed out again", async () => {
    await using bench = await createBench();
    const first = bench.ada.send("one");
    const before = bench.live();
    expect(await before.next()).toEqual([first.updateId]);
    bench.store.inbox.finish(first.updateId);
    before.end();

    const after = bench.live();
    const answer = after.next();
    await bench.api.waitFor(() => bench.api.pendingUpdates().length === 0, { what: "the confirmation" });
    const second = bench.ada.send("two");
    expect(await answer).toEqual([second.updateId]);
    expect(bench.onDisk(first.updateId)).toMatchObject({ state: "done", body: "" });
  });

  test("what cannot be written, as on a full disk, is neither confirmed nor lost, and comes once it can", async () => {
    await using bench = await createBench();
    const admin = new Database(bench.path);
    admin.exec(
      "CREATE TRIGGER broken BEFORE INSERT ON inbox BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
    );
    const { updateId } = bench.ada.send("hello");
    const life = bench.live();
    const answer = life.next();
    await until(() => bench.log().split("inbox.unwritable").length > 3);
    expect(bench.api.pendingUpdates()).toEqual([updateId]);
    admin.exec("DROP TRIGGER broken");
    admin.close();
    expect(await answer).toEqual([updateId]);
    expect(bench.onDisk(updateId)).toMatchObject({ state: "new" });
  });

  test("update ids that begin anew, lower than before, are new updates", async () => {
    await using bench = await createBench();
    const life = bench.live();
    const high = bench.ada.send("before the quiet week");
    expect(await life.next()).toEqual([high.updateId]);
    const next = life.next();
    await bench.isPolled();
    bench.api.restartUpdateIds(1_000);
    const low = bench.ada.send("after it");
    expect(low.updateId).toBe(1_000);
    expect(await next).toEqual([1_000]);
  });
});

test("each answer tells Telegram's time, by Telegram's clock", async () => {
  const clock = { at: Date.UTC(2026, 10, 23, 12) };
  await using bench = await createBench({ serverNow: () => clock.at });
  const life = bench.live();
  bench.ada.send("one");
  await life.next();
  clock.at += 7 * 86_400_000;
  const second = life.next();
  await bench.isPolled();
  bench.ada.send("two");
  await second;
  expect(life.serverTimes).toEqual([Date.UTC(2026, 10, 23, 12), Date.UTC(2026, 10, 30, 12)]);
});

test("an answer whose time is missing or no time is taken without one", async () => {
  const dates = [null, "soon", "Mon, 23 Nov 2026 12:00:00 GMT"];
  const left = [...dates];
  const server = createServer((_, out) => {
    const date = left.shift();
    out.sendDate = false;
    if (date) out.setHeader("date", date);
    out.end('{"ok":true,"result":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const getUpdates = createGetUpdates(`http://127.0.0.1:${port}`, TOKEN);
  const poll = { offset: undefined, limit: 1, timeoutSeconds: 0 };
  const ends = [];
  for (const _ of dates) ends.push(await getUpdates(poll, AbortSignal.timeout(5_000)));
  server.close();
  server.closeAllConnections();
  expect(ends).toEqual(
    [null, null, Date.UTC(2026, 10, 23, 12)].map((serverTime) => ({
      kind: "ok",
      value: { updates: [], serverTime },
    })),
  );
});

test("a stranger's update is counted, confirmed and nowhere on disk", async () => {
  await using bench = await createBench();
  const life = bench.live();
  const theirs = [bench.stranger.send("let me in"), bench.stranger.send("please")];
  const own = bench.ada.send("hello");
  expect(await life.next()).toEqual([own.updateId]);
  void life.next();
  await bench.api.waitFor(() => bench.api.pendingUpdates().length === 0, { what: "the confirmation" });
  expect(life.strangers).toEqual(theirs.map(({ updateId }) => updateId));
  for (const { updateId } of theirs) expect(bench.onDisk(updateId)).toBeUndefined();
  bench.stranger.send("only me");
  await bench.api.waitFor(() => bench.api.pendingUpdates().length === 0, { what: "its confirmation" });
  expect(life.strangers.length).toBe(3);
});

test("H41: what an earlier life left unfinished is handled before the first poll, one at a time and oldest first; where three lives ended, it is set aside", async () => {
  await using bench = await createBench();
  const ids = [bench.ada.send("one").updateId, bench.ada.send("two").updateId];
  const first = bench.live();
  expect(await first.next()).toEqual(ids);
  first.end();
  const pollsBefore = bench.polls().length;
  for (const attempts of [1, 2, 3]) {
    const life = bench.live({ isStuck: true });
    void life.next();
    await until(() => life.handled.length > 0);
    expect(life.handled).toEqual(ids.slice(0, 1));
    expect(bench.onDisk(ids[0] ?? 0)).toMatchObject({ state: "new", attempts });
    expect(bench.onDisk(ids[1] ?? 0)).toMatchObject({ state: "new", attempts: 0 });
    life.end();
  }
  expect(bench.polls().length).toBe(pollsBefore);
  expect(bench.buried).toEqual([]);

  const last = bench.live();
  const answer = last.next();
  await until(() => last.handled.length > 0);
  expect(bench.buried).toEqual(ids.slice(0, 1));
  expect(last.handled).toEqual(ids.slice(1));
  expect(bench.onDisk(ids[0] ?? 0)).toMatchObject({ state: "dead" });
  const fresh = bench.ada.send("three");
  expect(await answer).toEqual([fresh.updateId]);
});

test("each poll asks for exactly the update types that the daemon handles, and the webhook is deleted without dropping", async () => {
  await using bench = await createBench();
  bench.ada.send("hello");
  await bench.live().next();
  expect(bench.polls()[0]?.payload).toEqual({
    limit: 100,
    timeout: 20,
    allowed_updates: [...ALLOWED_UPDATES],
  });
  const deleted = bench.api.log.filter(({ method }) => method === "deleteWebhook");
  expect(deleted.map(({ payload }) => payload)).toEqual([{ drop_pending_updates: false }]);
});

describe.concurrent("faults of the far side", () => {
  test("H48: a second poller makes it wait 3 to 5 s, and then it goes on", async () => {
    const { pause, pauses } = notedPauses();
    await using bench = await createBench({ pause });
    const answer = bench.live().next();
    await bench.isPolled();
    bench.api.rivalPoll();
    await bench.api.waitFor(() => bench.polls().length > 1, { what: "the next poll" });
    const { updateId } = bench.ada.send("still there?");
    expect(await answer).toEqual([updateId]);
    expect(gapAfter(bench.polls(), isConflict)).toBeGreaterThanOrEqual(2_900);
    expect(pauses[0]).toBe(3_000);
    expect(bench.log()).toContain("terminated by other getUpdates request");
  });

  test("a webhook that somebody sets is deleted, and what waited behind it is not lost", async () => {
    await using bench = await createBench();
    const answer = bench.live().next();
    await bench.isPolled();
    await bench.client.setWebhook("https://example.com/hook");
    const { updateId } = bench.ada.send("meanwhile");
    expect(await answer).toEqual([updateId]);
    const calls = bench.api.log.filter(({ method }) => method === "deleteWebhook");
    expect(calls.at(-1)?.payload).toEqual({ drop_pending_updates: false });
    expect((await bench.client.getWebhookInfo()).url).toBe("");
  });

  test("H47: a poll that hangs is given up at its own deadline, and the next one brings what waited", async () => {
    const { pause, pauses } = notedPauses();
    await using bench = await createBench({ pollSeconds: 0, pause });
    bench.failPolls({ kind: "hang" });
    const before = performance.now();
    const { updateId } = bench.ada.send("hello");
    expect(await bench.live().next()).toEqual([updateId]);
    expect(performance.now() - before).toBeGreaterThanOrEqual(4_900);
    expect(bench.log()).toContain("no answer within 5000 ms");
    expectShortest(pauses[0]);
  });

  test("H81: a token that Telegram does not know ends it with token_rejected, at the start and in the middle", async () => {
    await using bench = await createBench();
    const open = bench.live().next();
    const rejection = expect(open).rejects.toMatchObject({ code: "token_rejected" });
    await bench.isPolled();
    bench.api.revoke();
    await rejection;
    await expect(bench.live().next()).rejects.toThrow(/TELEGRAM_BOT_TOKEN \(401 Unauthorized\)/);
  });

  test("429 is waited out to the millisecond that Telegram names", async () => {
    const { pause, pauses } = notedPauses();
    await using bench = await createBench({ pause });
    bench.failPolls({
      kind: "error",
      code: 429,
      description: "Too Many Requests: retry after 2",
      retryAfterSeconds: 2,
    });
    const { updateId } = bench.ada.send("hello");
    expect(await bench.live().next()).toEqual([updateId]);
    expect(gapAfter(bench.polls(), ({ fault }) => fault !== null)).toBeGreaterThanOrEqual(1_990);
    expect(pauses[0]).toBe(2_000);
  });

  test.each<Fault>([
    { kind: "html" },
    { kind: "garbage" },
    { kind: "truncated" },
    { kind: "drop_before" },
    { kind: "drop_after" },
    { kind: "error", code: 500, description: "Internal Server Error" },
    { kind: "error", code: 400, description: "Bad Request: something new" },
  ])("after $kind $code it polls again, and nothing is lost or doubled", async (fault) => {
    const { pause, pauses } = notedPauses();
    await using bench = await createBench({ pause });
    bench.failPolls(fault);
    const { updateId } = bench.ada.send("hello");
    const life = bench.live();
    expect(await life.next()).toEqual([updateId]);
    expect(gapAfter(bench.polls(), (poll) => poll.fault !== null)).toBeGreaterThanOrEqual(150);
    expectShortest(pauses[0]);
    const second = bench.ada.send("again");
    expect(await life.next()).toEqual([second.updateId]);
    expect(bench.log()).toContain('"event":"telegram.back"');
    expect(bench.log()).not.toContain(TOKEN.split(":")[1]);
  });

  test("answers with an update that has no id, or are no list, are not taken", async () => {
    const bodies = [
      '{"ok":true,"result":[{"message":{}}]}',
      '{"ok":true,"result":[{"update_id":"7"}]}',
      '{"ok":true,"result":[{"update_id":7.5}]}',
      '{"ok":true,"result":{}}',
      '{"ok":false}',
      "null",
      "[]",
    ];
    const left = [...bodies];
    const server = createServer((_, out) => void out.end(left.shift()));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const getUpdates = createGetUpdates(`http://127.0.0.1:${port}`, TOKEN);
    const poll = { offset: undefined, limit: 1, timeoutSeconds: 0 };
    const ends = [];
    for (const _ of bodies) ends.push(await getUpdates(poll, AbortSignal.timeout(5_000)));
    server.close();
    server.closeAllConnections();
    expect(ends).toEqual(bodies.map(() => ({ kind: "ambiguous", cause: "no Bot API answer (HTTP 200)" })));
  });

  test("the end comes at once with the network down, in the middle of a pause", async () => {
    await using bench = await createBench();
    await bench.api.close();
    const life = bench.live();
    const answer = life.next();
    await until(() => bench.log().split('"telegram.unreachable"').length > 4); // the next try is 1.3 s away
    await expectEnd(life, answer);
  });

  test("the end comes at once in the middle of a long retry_after", async () => {
    await using bench = await createBench();
    bench.failPolls({
      kind: "error",
      code: 429,
      description: "Too Many Requests: retry after 600",
      retryAfterSeconds: 600,
    });
    const life = bench.live();
    const answer = life.next();
    await until(() => bench.log().includes("Too Many Requests"));
    await expectEnd(life, answer);
  });

  test.each(["getMe", "deleteWebhook", "getUpdates"])(
    "the end comes at once with a %s that hangs",
    async (name) => {
      await using bench = await createBench();
      bench.api.setIntercept(({ method }) => (method === name ? { kind: "hang" } : undefined));
      const life = bench.live();
      const answer = life.next();
      await bench.api.waitFor(() => bench.api.log.some(({ method }) => method === name), {
        what: "the call",
      });
      await expectEnd(life, answer);
    },
  );
});

/** The pause after a first failure. */
function expectShortest(pauseMs: number | undefined): void {
  expect(pauseMs).toBeGreaterThanOrEqual(160);
  expect(pauseMs).toBeLessThanOrEqual(200);
}

/** Ends the life and expects what it waits for to end with nothing, at once: before anything else can happen. */
async function expectEnd(life: { end: () => void }, answer: Promise<readonly number[]>): Promise<void> {
  let ids: readonly number[] | null = null;
  const taken = answer.then((got) => {
    ids = got;
  });
  life.end();
  await new Promise((resolve) => setImmediate(resolve));
  expect(ids).toEqual([]);
  await taken;
}

test("the backoff rises, never above 4.5 s, never to nothing, whatever the jitter", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (failures, jitter) => {
        const wait = backoffMs(failures, () => jitter);
        expect(wait).toBeGreaterThanOrEqual(160);
        expect(wait).toBeLessThanOrEqual(4_500);
        expect(backoffMs(failures + 1, () => jitter)).toBeGreaterThanOrEqual(wait);
      },
    ),
  );
  expect([1, 2, 3, 4, 5, 6, 7].map((failures) => backoffMs(failures, () => 0))).toEqual([
    200, 400, 800, 1_600, 3_200, 4_500, 4_500,
  ]);
});
