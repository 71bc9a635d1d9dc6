import * as fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { createUpdateQueue } from "../../src/demo/bot-api/update-queue.ts";
import { type Reply, type Served, serve, updatesOf } from "./bot-api.fixture.ts";

const TERMINATED =
  "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";

/** Ids that a poll handed out. */
function idsOf(reply: Reply): number[] {
  return updatesOf(reply).map(({ update_id: id }) => id);
}

async function openPoll({ api, call }: Served, payload: object = {}): Promise<{ reply: Promise<Reply> }> {
  const before = api.log.length;
  const reply = call("getUpdates", { timeout: 30, ...payload });
  await api.waitFor(() => api.log.length > before && api.isPolled(), { what: "the poll to wait" });
  return { reply };
}

test("an update is handed out until a poll with a higher offset comes", async () => {
  const { api, alice, call } = await serve({ firstUpdateId: 100 });
  alice.send("one");
  alice.send("two");
  expect(idsOf(await call("getUpdates"))).toEqual([100, 101]);
  expect(idsOf(await call("getUpdates", { offset: 100 }))).toEqual([100, 101]);
  expect(idsOf(await call("getUpdates", { offset: 101 }))).toEqual([101]);
  expect(api.pendingUpdates()).toEqual([101]);
  await call("getUpdates", { offset: 102, timeout: 0 });
  expect(api.pendingUpdates()).toEqual([]);
});

test("an update looks as Telegram sends it", async () => {
  const { alice, call, clock } = await serve();
  const sent = alice.send("/start now");
  const { result } = await call("getUpdates");
  expect(result).toEqual([
    {
      update_id: sent.updateId,
      message: {
        message_id: sent.messageId,
        date: Math.floor(clock.ms / 1000),
        chat: { id: 7, type: "private", first_name: "Alice", username: "alice" },
        from: { id: 7, is_bot: false, first_name: "Alice", username: "alice", language_code: "en" },
        text: "/start now",
        entities: [{ type: "bot_command", offset: 0, length: 6 }],
      },
    },
  ]);
});

test("a waiting poll is woken at once and gets what came in one go", async () => {
  const served = await serve();
  const { reply } = await openPoll(served);
  const since = performance.now();
  const ids = [served.alice.send("a"), served.alice.send("b")].map(({ updateId }) => updateId);
  expect(idsOf(await reply)).toEqual(ids);
  expect(performance.now() - since).toBeLessThan(20_000); // its own end comes after 30 s
  expect(served.api.log.at(-1)).toMatchObject({ method: "getUpdates", updateIds: ids });
});

test("a poll without updates is answered, empty, when its time is over", async () => {
  const { call } = await serve();
  const since = performance.now();
  expect((await call("getUpdates", { timeout: 1 })).result).toEqual([]);
  expect(performance.now() - since).toBeGreaterThan(950);
});

test("a poll that repeats an offset at once waits 3 s", async () => {
  const { call } = await serve();
  expect((await call("getUpdates", { offset: 5 })).result).toEqual([]);
  const since = performance.now();
  expect((await call("getUpdates", { offset: 5 })).result).toEqual([]);
  expect(performance.now() - since).toBeGreaterThan(2950);
});

test("a poll that repeats an offset within half a second gets one update", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const { alice, call } = await serve();
  alice.send("a");
  alice.send("b");
  expect(idsOf(await call("getUpdates"))).toHaveLength(2);
  vi.advanceTimersByTime(499);
  expect(idsOf(await call("getUpdates"))).toHaveLength(1);
  vi.advanceTimersByTime(500);
  expect(idsOf(await call("getUpdates"))).toHaveLength(2);
});

test("a new poll ends the one before it with 409 at once, and a third waits 3 s before it does so again", async () => {
  const served = await serve();
  const first = await openPoll(served, { offset: 1 });
  const second = await openPoll(served, { offset: 2 });
  expect(await first.reply).toMatchObject({ status: 409, error_code: 409, description: TERMINATED });
  const since = performance.now();
  const third = await openPoll(served, { offset: 3 });
  expect(await second.reply).toMatchObject({ status: 409, description: TERMINATED });
  expect(performance.now() - since).toBeGreaterThan(2950);
  served.alice.send("for the third");
  expect((await third.reply).result).toHaveLength(1);
});

test("a rival's poll ends the bot's by 409, and the bot's next one gets the updates all the same", async () => {
  const served = await serve();
  const { reply } = await openPoll(served);
  served.api.rivalPoll();
  expect((await reply).status).toBe(409);
  const sent = served.alice.send("hello");
  expect(idsOf(await served.call("getUpdates", { timeout: 30 }))).toEqual([sent.updateId]);
});

test("what a poll gets whose client has gone stays unconfirmed and comes again", async () => {
  const served = await serve();
  const { reply } = await openPoll(served);
  const gone = expect(reply).rejects.toThrow();
  served.api.cutConnections();
  await gone;
  const { updateId } = served.alice.send("into the void");
  await served.api.waitFor(() => !served.api.isPolled(), { what: "the dead poll to be answered" });
  expect(served.api.pendingUpdates()).toEqual([updateId]);
  expect(idsOf(await served.call("getUpdates", { offset: updateId - 1 }))).toEqual([updateId]);
});

test("no more than 100 updates come at once, and no more than the limit", async () => {
  const { alice, call } = await serve();
  for (let i = 0; i < 120; i += 1) alice.send(`${i}`);
  expect(idsOf(await call("getUpdates", { limit: 1000 }))).toHaveLength(100);
  expect(idsOf(await call("getUpdates", { offset: 1, limit: 3 }))).toHaveLength(3);
});

test("an answer stays under 4 MB, but one update always fits", async () => {
  const { alice, call } = await serve();
  alice.send("x".repeat(5_000_000));
  for (let i = 0; i < 5; i += 1) alice.send("y".repeat(1_000_000));
  const [huge] = idsOf(await call("getUpdates"));
  expect(idsOf(await call("getUpdates", { offset: (huge ?? 0) + 1 }))).toHaveLength(4);
});

test("an offset far beyond the newest update is ignored, one just beyond it confirms", async () => {
  const { api, alice, call } = await serve({ firstUpdateId: 100 });
  alice.send("a");
  expect(idsOf(await call("getUpdates", { offset: 112 }))).toEqual([100]);
  await call("getUpdates", { offset: 111, timeout: 0 });
  expect(api.pendingUpdates()).toEqual([]);
});

test("a negative offset keeps that many of the newest and forgets the rest", async () => {
  const { api, alice, call } = await serve({ firstUpdateId: 100 });
  for (const text of ["a", "b", "c"]) alice.send(text);
  expect(idsOf(await call("getUpdates", { offset: -2 }))).toEqual([101, 102]);
  expect(api.pendingUpdates()).toEqual([101, 102]);
});

test("updates older than a day are gone", async () => {
  const { alice, clock, call } = await serve();
  alice.send("old");
  clock.ms += 86_400_001;
  const fresh = alice.send("new");
  expect(idsOf(await call("getUpdates"))).toEqual([fresh.updateId]);
});

test("ids may start again at a lower number, and are handed out all the same", async () => {
  const { api, alice, call } = await serve({ firstUpdateId: 900_000 });
  alice.send("a");
  await call("getUpdates", { offset: 900_001, timeout: 0 });
  api.restartUpdateIds(17);
  alice.send("b");
  expect(idsOf(await call("getUpdates", { offset: 900_001 }))).toEqual([17]);
});

test("allowed_updates holds for what comes after it, until another list comes", async () => {
  const { alice, call } = await serve();
  await call("getUpdates", { allowed_updates: ["callback_query"], offset: 1 });
  const lost = alice.send("unheard");
  const pressed = alice.pressRaw("x");
  expect(idsOf(await call("getUpdates"))).toEqual([pressed.updateId]);
  expect((await call("getWebhookInfo")).result).toMatchObject({ allowed_updates: ["callback_query"] });
  await call("getUpdates", { allowed_updates: [], offset: 2 });
  const heard = alice.send("heard");
  const ids = idsOf(await call("getUpdates"));
  expect(ids).toContain(heard.updateId);
  expect(ids).not.toContain(lost.updateId);
});

test("by default reactions and chat members are not sent, and injected updates of any type are", async () => {
  const { api, call } = await serve();
  const updateId = api.inject({ entirely_new_thing: { a: 1 } });
  const reaction = api.inject({ message_reaction: {} });
  expect((await call("getUpdates")).result).toEqual([
    { update_id: updateId, entirely_new_thing: { a: 1 } },
    { update_id: reaction, message_reaction: {} },
  ]);
});

test("with a webhook set polls are refused, and an open one ends", async () => {
  const served = await serve();
  const { reply } = await openPoll(served);
  expect((await served.call("setWebhook", { url: "http://a.example" })).status).toBe(400);
  expect((await served.call("setWebhook", { url: "https://a.example/hook" })).result).toBe(true);
  expect(await reply).toMatchObject({
    status: 409,
    description: "Conflict: terminated by setWebhook request",
  });
  expect(await served.call("getUpdates")).toMatchObject({
    status: 409,
    description:
      "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
  });
  const { updateId } = served.alice.send("kept");
  expect((await served.call("getWebhookInfo")).result).toMatchObject({
    url: "https://a.example/hook",
    pending_update_count: 1,
  });
  await served.call("deleteWebhook", { drop_pending_updates: false });
  expect(idsOf(await served.call("getUpdates"))).toEqual([updateId]);
  await served.call("deleteWebhook", { drop_pending_updates: true });
  expect(served.api.pendingUpdates()).toEqual([]);
});

test("whatever a bot polls for in ascending offsets, it gets every update once and in order", () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ take: fc.integer({ min: 1, max: 7 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = createUpdateQueue({ now: () => 0, firstUpdateId: 1 });
      const seen: number[] = [];
      let pushed = 0;
      const take = (limit: number): void => {
        seen.push(...queue.take((seen.at(-1) ?? 0) + 1, limit).updateIds);
      };
      for (const action of steps) {
        if ("take" in action) take(action.take);
        else for (let i = 0; i < action.push; i += 1) pushed = queue.push({ message: {} }, true);
      }
      while (queue.hasFrom((seen.at(-1) ?? 0) + 1)) take(100);
      expect(seen).toEqual(Array.from({ length: pushed }, (_, index) => index + 1));
    }),
  );
});
