import { describe, expect, test } from "vitest";
import type { Fault } from "../../src/demo/bot-api/types.ts";
import { PRIORITY } from "../../src/domain/outbox.ts";
import { ADA, BOB, bodyOf, createBench, editOf, ignore, sendOf, until } from "./sender.fixture.ts";

const refusal = (code: number, description: string): Fault => ({ kind: "error", code, description });

/** Lets the calls that are under way come to their end. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 100));

describe.concurrent("a chat that the bot is kept out of", () => {
  test("H66: how a work ended is kept, all else is given up at once, and nothing more is tried, over a restart too", async () => {
    await using bench = await createBench();
    const work = bench.ended();
    const final = { priority: PRIORITY.final, finalOf: work };
    bench.ada.setBlocked(true);
    const kept = [bench.put(sendOf("part 1"), final), bench.put(sendOf("part 2"), final)];
    const question = bench.put(sendOf("a question"), { priority: PRIORITY.approval });
    const notice = bench.put(sendOf("a notice"));
    const before = bench.live();
    before.start();
    await until(() => bench.stateOf(notice) === "dropped", "the notice", bench.log);
    expect(bench.stateOf(question)).toBe("failed");
    expect(bench.failed).toEqual([question, notice]);
    expect(kept.map(bench.stateOf)).toEqual(["queued", "queued"]);

    const late = bench.put(sendOf("a late question"), { priority: PRIORITY.approval });
    before.kick(ADA);
    expect(bench.stateOf(late)).toBe("failed"); // the turn that asks goes on with a denial
    kept.push(bench.put(sendOf("part 3"), final));
    before.kick(ADA);
    before.watch(ADA, { target: kept[0] ?? 0, body: () => bodyOf("progress"), settled: ignore });
    await before.close(100);
    const after = bench.live();
    after.start();
    after.clearKeys(ADA, 1);
    const other = bench.put(sendOf("for Bob"), { chatId: BOB });
    after.kick(BOB);
    await bench.settled([other]);
    expect(bench.calls().filter(({ payload }) => payload.chat_id === ADA)).toHaveLength(1);
    expect(bench.store.work.get(work)?.state).toBe("delivering");
    expect([bench.times("outbox.parked"), bench.times("outbox.failed")]).toEqual([1, 0]);

    bench.ada.setBlocked(false);
    bench.store.chats.serve(ADA);
    after.kick(ADA);
    await bench.settled(kept);
    expect(bench.screen()).toEqual(["part 1", "part 2", "part 3"]);
    expect(bench.store.work.get(work)?.state).toBe("done");
  });

  test("a message that stands on the screen is brought up to date when the person is back", async () => {
    await using bench = await createBench();
    const target = bench.put({ ...sendOf("Working"), isProgress: true });
    const sender = bench.live();
    sender.start();
    await bench.settled([target]);
    bench.ada.setBlocked(true);
    const notice = bench.put(sendOf("a notice"));
    const end = bench.put(editOf(target, "Cut off", false));
    sender.kick(ADA);
    await until(() => bench.stateOf(notice) === "dropped", "the notice", bench.log);
    expect(bench.stateOf(end)).toBe("queued");
    bench.ada.setBlocked(false);
    bench.store.chats.serve(ADA);
    sender.kick(ADA);
    await bench.settled([end]);
    expect(bench.screen()).toEqual(["Cut off"]);
  });

  test("the answer of a turn whose placeholder was given up comes as a message of its own", async () => {
    await using bench = await createBench();
    bench.ada.setBlocked(true);
    const target = bench.put({ ...sendOf("Working"), isProgress: true });
    const sender = bench.live();
    sender.start();
    await until(() => bench.stateOf(target) === "dropped", "the placeholder", bench.log);
    const final = { priority: PRIORITY.final, finalOf: bench.ended() };
    const answer = bench.put(editOf(target, "The answer", true), final);
    sender.kick(ADA);
    bench.ada.setBlocked(false);
    bench.store.chats.serve(ADA);
    sender.kick(ADA);
    await bench.settled([answer]);
    expect(bench.screen()).toEqual(["The answer"]);
  });

  test.each([
    refusal(403, "Forbidden: bot was blocked by the user"),
    refusal(403, "Forbidden: user is deactivated"),
    refusal(403, "Forbidden: bot was kicked from the group chat"),
    refusal(403, "Forbidden: bot is not a member of the supergroup chat"),
    refusal(403, "Forbidden: the group chat was deleted"),
    refusal(403, "Forbidden: bot can't initiate conversation with a user"),
    refusal(400, "Bad Request: chat not found"),
  ])("H66: $description: the answer is kept", async (fault) => {
    await using bench = await createBench();
    bench.failNext(fault);
    const id = bench.put(sendOf("The answer"), { priority: PRIORITY.final, finalOf: bench.ended() });
    const sender = bench.live();
    sender.start();
    await until(() => bench.times("outbox.parked") === 1, "the refusal", bench.log);
    await settle();
    expect(bench.stateOf(id)).toBe("queued");
    expect(bench.calls()).toHaveLength(1);
  });

  test("a refusal that is about the message ends it, visibly where it was an answer, and the next one is tried", async () => {
    await using bench = await createBench();
    bench.failNext(refusal(400, "Bad Request: message is too long"), refusal(403, "Forbidden: not this one"));
    const work = bench.ended();
    const id = bench.put(sendOf("The answer"), { priority: PRIORITY.final, finalOf: work });
    const odd = bench.put(sendOf("an odd notice"));
    const next = bench.put(sendOf("a notice"));
    bench.live().start();
    await bench.settled([next]);
    expect([id, odd].map(bench.stateOf)).toEqual(["failed", "failed"]);
    expect(bench.times("outbox.parked")).toBe(0);
    expect(bench.store.work.get(work)?.state).toBe("done");
    await until(() => bench.screen().length === 2, "the person is told", bench.log);
    expect(bench.screen()).toEqual(["a notice", expect.stringContaining("would not show a part")]);
  });

  test("an answer that is refused in words that nobody knows is kept for the chat, and comes when somebody comes from there", async () => {
    await using bench = await createBench();
    bench.failNext(refusal(403, "Forbidden: some new wording"));
    const id = bench.put(sendOf("The answer"), { priority: PRIORITY.final, finalOf: bench.ended() });
    const sender = bench.live();
    sender.start();
    await until(() => bench.times("outbox.parked") === 1, "it is kept", bench.log);
    expect(bench.stateOf(id)).toBe("queued");
    bench.store.chats.serve(ADA);
    sender.kick(ADA);
    await bench.settled([id]);
    expect(bench.screen()).toEqual(["The answer"]);
  });

  test.each([404, 409, 418])(
    "an answer or an edit of one that is refused with %d is tried until it is taken",
    async (code) => {
      await using bench = await createBench();
      const target = bench.put(sendOf("Working"));
      const sender = bench.live();
      sender.start();
      await bench.settled([target]);
      bench.failNext(refusal(code, "odd"), refusal(code, "odd"));
      const edit = bench.put(editOf(target, "The answer", true), {
        priority: PRIORITY.final,
        finalOf: bench.ended(),
      });
      sender.kick(ADA);
      await bench.settled([edit]);
      expect(bench.screen()).toEqual(["The answer"]);
    },
  );

  test.each(["progress", "keys"])("H66: %s that find the chat shut are enough, too", async (what) => {
    await using bench = await createBench();
    const target = bench.put(sendOf("Working"));
    const sender = bench.live();
    sender.start();
    await bench.settled([target]);
    bench.ada.setBlocked(true);
    if (what === "keys") sender.clearKeys(ADA, 1);
    else sender.watch(ADA, { target, body: () => bodyOf(`at ${performance.now()}`), settled: ignore });
    await until(() => bench.times("outbox.parked") === 1, "the refusal", bench.log);
    const calls = bench.api.log.length;
    const id = bench.put(sendOf("The answer"), { priority: PRIORITY.final, finalOf: bench.ended() });
    sender.kick(ADA);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(bench.api.log.length).toBe(calls);
    expect(bench.stateOf(id)).toBe("queued");
  });
});
