import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { STATED_LIMITS } from "../../src/demo/bot-api/flood.ts";
import type { CallRecord, Fault } from "../../src/demo/bot-api/types.ts";
import { PRIORITY } from "../../src/domain/outbox.ts";
import {
  ADA,
  BOB,
  bodyOf,
  createBench,
  editOf,
  endsWithin,
  ignore,
  sendOf,
  tooMany,
  until,
} from "./sender.fixture.ts";

const GROUP = -1001;
const SHOWS = [
  "sendMessage",
  "sendDocument",
  "editMessageText",
  "editMessageCaption",
  "editMessageReplyMarkup",
];

type Bench = Awaited<ReturnType<typeof createBench>>;

/** What is sent for no other end than to be counted. */
const SPENT = "spent";

/** Everything else that changes what a chat shows, in the order of its arrival. */
const shows = (bench: Bench, chatId = ADA): readonly CallRecord[] =>
  bench.api.log.filter(
    ({ method, payload }) => SHOWS.includes(method) && payload.chat_id === chatId && payload.text !== SPENT,
  );

/**
 * A life in which the chat, with two messages of an earlier one, has had one call more than it takes at once: what comes next has its
 * share 2 s after `since`, a time of the machine's clock, and so on, a second each. Counted from the begin of the calls, no matter
 * how long they take.
 */
async function spend(bench: Bench) {
  const before = bench.live();
  before.start();
  const ids = ["one", "two"].map((text) => bench.put(sendOf(text)));
  before.kick(ADA);
  await bench.settled(ids);
  await before.close(0);
  const sender = bench.live();
  sender.start();
  const since = Date.now();
  for (let count = 0; count < 4; count += 1) void sender.show(ADA, SPENT);
  return { sender, ids, since };
}

/** A row that owes no wait is begun before anything else can happen; a busy machine does not change that. */
async function isBegunAtOnce(bench: Bench, id: number): Promise<boolean> {
  await Promise.resolve();
  return bench.stateOf(id) === "sending";
}

describe.concurrent("one budget", () => {
  test("a quiet chat gets a placeholder and its answer at once; a burst is followed by one call a second", async () => {
    await using bench = await createBench();
    const sender = bench.live();
    sender.start();
    const target = bench.put(sendOf("Working"));
    sender.kick(ADA);
    expect(await isBegunAtOnce(bench, target)).toBe(true);
    await bench.settled([target]);
    const answer = bench.put(editOf(target, "The answer", true), { priority: PRIORITY.final });
    sender.kick(ADA);
    expect(await isBegunAtOnce(bench, answer)).toBe(true);
    await bench.settled([answer]);
    const rest = ["a", "b", "c"].map((text) => bench.put(sendOf(text)));
    sender.kick(ADA);
    await bench.settled(rest);
    const [first, , , fourth, fifth] = shows(bench).map(({ at }) => at);
    expect((fourth ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect((fifth ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(2_000);
  });

  test("while a chat waits for its share, what is more urgent overtakes, and another chat does not wait", async () => {
    await using bench = await createBench();
    const {
      sender,
      ids: [one = 0],
    } = await spend(bench);
    const edit = bench.put(editOf(one, "an edit"));
    const ids = [edit, bench.put(sendOf("a notice"))];
    sender.clearKeys(ADA, bench.store.outbox.get(ids[1] ?? 0)?.messageId ?? 1);
    sender.kick(ADA);
    ids.push(bench.put(sendOf("a question"), { priority: PRIORITY.approval }));
    sender.kick(ADA);
    ids.push(bench.put(sendOf("an answer"), { priority: PRIORITY.final }));
    sender.kick(ADA);
    const other = bench.put(sendOf("for Bob"), { chatId: BOB });
    sender.kick(BOB);
    expect(await isBegunAtOnce(bench, other)).toBe(true);
    expect(ids.map(bench.stateOf)).toEqual(ids.map(() => "queued"));
    await bench.settled([...ids, other]);
    expect(bench.tried().filter((text) => text.startsWith("a"))).toEqual([
      "an answer",
      "a question",
      "a notice",
      "an edit",
    ]);
  });

  test("H65: keys that are used up and progress take what is left: after all rows, and never the last token", async () => {
    await using bench = await createBench();
    const { sender, ids, since } = await spend(bench);
    const [first = 0, second = 0] = ids;
    let isShown = false;
    const settled = () => {
      isShown = true;
    };
    sender.clearKeys(ADA, bench.store.outbox.get(first)?.messageId ?? 0);
    sender.watch(ADA, { target: second, body: () => bodyOf("progress"), settled });
    const notice = bench.put(sendOf("a notice"));
    sender.kick(ADA);
    await until(() => isShown, "the progress", bench.log);
    sender.unwatch(ADA, second);
    const calls = shows(bench).slice(2);
    expect(bench.stateOf(notice)).toBe("sent");
    expect(calls.map(({ method }) => method)).toEqual([
      "sendMessage",
      "editMessageReplyMarkup",
      "editMessageText",
    ]);
    // Two seconds pay for the notice: for the keys to leave one token, two more must have come first.
    expect((calls[1]?.at ?? 0) - since).toBeGreaterThanOrEqual(4_000);
    const final = bench.put(sendOf("The answer"), { priority: PRIORITY.final });
    sender.kick(ADA);
    expect(await isBegunAtOnce(bench, final)).toBe(true);
    await bench.settled([final]);
  });

  test("keys are not taken off a message that an edit has given new ones since", async () => {
    await using bench = await createBench();
    const {
      sender,
      ids: [first = 0],
    } = await spend(bench);
    sender.clearKeys(ADA, bench.store.outbox.get(first)?.messageId ?? 0);
    const edit = bench.put(editOf(first, "with new keys"));
    sender.kick(ADA);
    await bench.settled([edit]);
    const after = bench.put(sendOf("after"));
    sender.kick(ADA);
    await bench.settled([after]);
    await sleep(2_500);
    expect(shows(bench).filter(({ method }) => method === "editMessageReplyMarkup")).toEqual([]);
  });

  test("of many chats at once no more than 25 are called in a second, answers first", async () => {
    await using bench = await createBench();
    const chats = Array.from({ length: 60 }, (_, at) => 100 + at);
    for (const id of chats)
      bench.api
        .user({ id, firstName: `P${id}` })
        .chat()
        .open();
    const ids = chats.map((chatId) =>
      chatId < 150
        ? bench.put(sendOf("a notice"), { chatId })
        : bench.put(sendOf("an answer"), { chatId, priority: PRIORITY.final }),
    );
    // Told by their begin: on a machine that stalls, one second's calls arrive together with the next one's.
    const begun: number[] = [];
    const at: number[] = [];
    const { begin } = bench.store.outbox;
    const noted = (id: number) => {
      begun.push(id);
      at.push(performance.now());
      begin(id);
    };
    Object.assign(bench.store.outbox, { begin: noted });
    bench.live().start();
    await bench.settled(ids);
    expect(new Set(begun.slice(0, 10))).toEqual(new Set(ids.slice(50)));
    const closest = at.slice(25).map((last, index) => last - (at[index] ?? 0));
    expect(closest).toHaveLength(35);
    expect(Math.min(...closest)).toBeGreaterThanOrEqual(1_000);
  });

  test("H65: under the stated limits no call of several chats and a group is ever refused, nothing is late, order holds", async () => {
    await using bench = await createBench();
    bench.api.setFlood(STATED_LIMITS);
    bench.api.addChat({ id: GROUP, type: "supergroup", title: "The group" });
    const chats = [201, 202, 203, 204, GROUP];
    for (const id of chats.slice(0, 4))
      bench.api
        .user({ id, firstName: `P${id}` })
        .chat()
        .open();
    const sender = bench.live();
    sender.start();
    const late: number[] = [];

    /** A turn of a busy conversation, from its placeholder to its end. */
    async function turn(chatId: number, count: number): Promise<void> {
      const kick = () => sender.kick(chatId);
      const keyed = { ...bodyOf(`${count} working`), buttons: [[{ text: "Stop", data: "nonce" }]] };
      const target = bench.put({ ...sendOf(""), body: keyed, isProgress: true }, { chatId });
      kick();
      await bench.settled([target]);
      let state = 0;
      const body = () => {
        state += 1;
        return bodyOf(`${count} progress ${state}`);
      };
      sender.watch(chatId, { target, body, settled: ignore });
      const question = bench.put(sendOf(`${count} question`), { chatId, priority: PRIORITY.approval });
      kick();
      await bench.settled([question]);
      bench.put(editOf(question, `${count} allowed`), { chatId, priority: PRIORITY.approval });
      const notice = bench.put(sendOf(`${count} notice`), { chatId });
      sender.clearKeys(chatId, bench.store.outbox.get(target)?.messageId ?? 0);
      await sleep(4_500);
      await bench.settled([notice]);
      sender.unwatch(chatId, target);
      const since = performance.now();
      const final = bench.put(editOf(target, `${count} answer`, true), { chatId, priority: PRIORITY.final });
      kick();
      await bench.settled([final]);
      late.push(performance.now() - since);
    }
    await Promise.all(
      chats.map(async (chatId) => {
        for (const count of [1, 2]) await turn(chatId, count);
      }),
    );
    const calls = chats.flatMap((chatId) => shows(bench, chatId));
    const refusals = calls.flatMap(({ response }) => (response?.ok === false ? [response.description] : []));
    expect(refusals).toEqual([]);
    expect(bench.times("outbox.flood")).toBe(0);
    expect(late).toHaveLength(10);
    expect(Math.max(...late)).toBeLessThan(3_000);
    for (const chatId of chats) {
      const kinds = shows(bench, chatId).map(({ method, payload }) => `${method} ${String(payload.text)}`);
      expect(kinds.filter((kind) => kind.includes("ReplyMarkup")).length).toBeGreaterThanOrEqual(1);
      expect(kinds.filter((kind) => kind.includes("progress")).length).toBeGreaterThanOrEqual(1);
      expect(bench.screen(chatId)).toEqual(
        [1, 2].flatMap((count) => [`${count} answer`, `${count} allowed`, `${count} notice`]),
      );
    }
  });
});

describe.concurrent("an edit never shows what is old", () => {
  test("H64: an edit that an earlier life had begun when it died goes before the answer, not after it", async () => {
    await using bench = await createBench();
    const target = bench.put(sendOf("Working"));
    const before = bench.live();
    before.start();
    await bench.settled([target]);
    await before.close(100);
    const begun = bench.put(editOf(target, "Waits"));
    bench.store.outbox.begin(begun);
    const final = bench.put(editOf(target, "The answer", true), { priority: PRIORITY.final });
    bench.live().start();
    await bench.settled([begun, final]);
    expect(bench.tried()).toEqual(["Working", "Waits", "The answer"]);
    expect(bench.screen()).toEqual(["The answer"]);
  });

  test("edits that wait for their share are one call, with the latest text", async () => {
    await using bench = await createBench();
    const {
      sender,
      ids: [target = 0],
    } = await spend(bench);
    const ids = ["a", "b", "c"].map((text) => {
      const id = bench.put(editOf(target, text));
      sender.kick(ADA);
      return id;
    });
    expect(new Set(ids).size).toBe(1);
    await bench.settled(ids);
    expect(bench.tried().filter((text) => text !== SPENT)).toEqual(["one", "two", "c"]);
  });
});

describe.concurrent("pauses", () => {
  test("H65: a pause that is longer than any timer, and than any that is believed, is obeyed, over a restart too", async () => {
    await using bench = await createBench();
    const warnings: string[] = [];
    const note = ({ name }: Error): number => warnings.push(name);
    process.on("warning", note);
    using _ = { [Symbol.dispose]: () => process.off("warning", note) };
    bench.failNext(tooMany(3_000_000)); // 34 days: over 2^31 ms
    const id = bench.put(sendOf("hello"));
    const sender = bench.live();
    sender.start();
    await until(() => bench.times("outbox.flood") === 1, "the refusal", bench.log);
    sender.kick(ADA);
    await sender.close(300);
    const next = bench.live();
    next.start();
    next.kick(ADA);
    await sleep(300);
    expect(bench.calls()).toHaveLength(1);
    expect(warnings).not.toContain("TimeoutOverflowWarning"); // else it wakes every millisecond
    expect(bench.stateOf(id)).toBe("queued");
    // Kept as what is believed, else a clock that was set would mute the chat at every start.
    const [pause] = bench.store.chats.resting();
    expect((pause?.restUntil ?? 0) - bench.now()).toBeLessThanOrEqual(6 * 3_600_000);
    expect((pause?.restUntil ?? 0) - bench.now()).toBeGreaterThan(5 * 3_600_000);
  });

  test("H65: a pause that progress has brought upon a chat holds for its answer, over a restart too", async () => {
    await using bench = await createBench();
    const target = bench.put(sendOf("Working"));
    const sender = bench.live();
    sender.start();
    await bench.settled([target]);
    bench.failNext(tooMany(2));
    sender.watch(ADA, { target, body: () => bodyOf("progress"), settled: ignore });
    await until(() => bench.times("outbox.flood") === 1, "the refusal", bench.log);
    await sender.close(100);
    const answer = bench.put(editOf(target, "The answer", true), { priority: PRIORITY.final });
    bench.live().start();
    await bench.settled([answer]);
    const [refused, next] = shows(bench).slice(1);
    expect((next?.at ?? 0) - (refused?.answeredAt ?? 0)).toBeGreaterThanOrEqual(1_990);
    expect(bench.tried()).toEqual(["Working", "progress", "The answer"]);
  });

  test("progress that hangs holds up an answer for its own deadline of 5 s, not for an answer's 30 s", async () => {
    await using bench = await createBench();
    const target = bench.put(sendOf("Working"));
    const sender = bench.live();
    sender.start();
    await bench.settled([target]);
    bench.failNext({ kind: "hang" });
    sender.watch(ADA, { target, body: () => bodyOf("progress"), settled: ignore });
    await until(() => bench.tried().includes("progress"), "the progress", bench.log);
    sender.unwatch(ADA, target);
    const answer = bench.put(editOf(target, "The answer", true), { priority: PRIORITY.final });
    sender.kick(ADA);
    await bench.settled([answer]); // within 10 s
    expect(bench.screen()).toEqual(["The answer"]);
  });
});

describe.concurrent("the end of a life", () => {
  test("an answer does not wait for its share, all else does", async () => {
    await using bench = await createBench();
    const { sender, since } = await spend(bench);
    const notice = bench.put(sendOf("a notice"));
    const answers = ["part 1", "part 2", "part 3"].map((text) =>
      bench.put(sendOf(text), { priority: PRIORITY.final }),
    );
    await sender.close(since + 3_900 - Date.now()); // the third share is back at 4,000
    expect(answers.map(bench.stateOf)).toEqual(["sent", "sent", "sent"]);
    expect(bench.stateOf(notice)).toBe("queued");
  });

  test("what has its share within the grace is sent, and the end waits no longer than for that", async () => {
    await using bench = await createBench();
    const { sender, since } = await spend(bench);
    const [four = 0, , six = 0] = ["four", "five", "six"].map((text) => bench.put(sendOf(text)));
    const graceMs = since + 3_900 - Date.now(); // four has its share at 2,000, six at 4,000
    expect(await endsWithin(graceMs + 100, sender.close(graceMs))).toBe(true);
    expect([four, six].map(bench.stateOf)).toEqual(["sent", "queued"]);
  });

  test("H65: no answer is sent into a pause", async () => {
    await using bench = await createBench();
    bench.failNext(tooMany(60));
    const id = bench.put(sendOf("The answer"), { priority: PRIORITY.final });
    const sender = bench.live();
    sender.start();
    await until(() => bench.times("outbox.flood") === 1, "the refusal", bench.log);
    expect(await endsWithin(1_000, sender.close(2_000))).toBe(true); // nothing to wait for
    expect(bench.calls()).toHaveLength(1);
    expect(bench.stateOf(id)).toBe("queued");
  });
});

test("H66: refused as a topic's, then for its formatting, an answer still comes, each call with its own share", async () => {
  await using bench = await createBench();
  const entities: Fault = { kind: "error", code: 400, description: "Bad Request: can't parse entities" };
  let calls = 0;
  bench.api.setIntercept(({ method }) => {
    if (method === "sendMessage") calls += 1;
    return method === "sendMessage" && calls === 2 ? entities : undefined;
  });
  const body = { ...bodyOf("hello"), entities: [{ type: "bold", offset: 0, length: 5 } as const] };
  const id = bench.put({ ...sendOf("hello"), body }, { threadId: 4711, priority: PRIORITY.final });
  bench.live().start();
  await bench.settled([id]);
  const [shown] = bench.api.messages(ADA);
  expect(shown).toMatchObject({ text: "hello", entities: [], threadId: null });
  expect(bench.times("outbox.reformed")).toBe(2);
});
