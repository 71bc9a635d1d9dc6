import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Api } from "grammy";
import { describe, expect, test } from "vitest";
import type { Fault } from "../../src/demo/bot-api/types.ts";
import { type OutboxAct, PRIORITY } from "../../src/domain/outbox.ts";
import { openDatabase } from "../../src/store/database.ts";
import { createOutbox } from "../../src/store/outbox.ts";
import { createProgressLane, editIntervalMs } from "../../src/telegram/progress.ts";
import { createScreenCalls } from "../../src/telegram/screen-call.ts";
import { pauseAtStartMs } from "../../src/telegram/sender.ts";
import { WORDS } from "../../src/telegram/wording.ts";
import { testClock } from "../support/store.ts";
import {
  ADA,
  BOB,
  bodyOf,
  createBench,
  editOf,
  endsWithin,
  ignore,
  sendOf,
  TOKEN,
  tooMany,
  until,
} from "./sender.fixture.ts";

type Bench = Awaited<ReturnType<typeof createBench>>;

describe.concurrent("order", () => {
  test("nothing is sent before the start; then a chat's rows go out by priority and age, one at a time", async () => {
    await using bench = await createBench();
    const sender = bench.live();
    const ids = [
      bench.put(sendOf("notice one")),
      bench.put(sendOf("notice two")),
      bench.put(sendOf("the question"), { priority: PRIORITY.approval }),
      bench.put(sendOf("the answer"), { priority: PRIORITY.final }),
    ];
    sender.kick(ADA);
    await bench.client.getMe();
    expect(bench.calls()).toEqual([]);
    sender.start();
    await bench.settled(ids);
    expect(bench.screen()).toEqual(["the answer", "the question", "notice one", "notice two"]);
    const calls = bench.calls();
    for (const [index, call] of calls.slice(1).entries())
      expect(call.at).toBeGreaterThanOrEqual(calls[index]?.answeredAt ?? 0);
  });

  test("H45: a chat in a 429, and one whose call hangs, hold up no other", async () => {
    await using bench = await createBench();
    bench.api.setIntercept(({ method, payload }) => {
      if (method !== "sendMessage" || payload.chat_id !== ADA) return undefined;
      return payload.text === "first" ? tooMany(60) : { kind: "hang" };
    });
    const stuck = bench.put(sendOf("first"));
    const sender = bench.live();
    sender.start();
    const ids = [1, 2, 3].map((number) => bench.put(sendOf(`for Bob ${number}`), { chatId: BOB }));
    sender.kick(BOB);
    await bench.settled(ids);
    expect(bench.screen(BOB)).toEqual(["for Bob 1", "for Bob 2", "for Bob 3"]);
    expect(bench.stateOf(stuck)).toBe("queued");
  });

  test("an edit goes to Telegram only after the message that it changes, whatever its priority", async () => {
    await using bench = await createBench();
    bench.failNext({ kind: "delay", delayMs: 200 });
    const target = bench.put(sendOf("Working"));
    const sender = bench.live();
    sender.start();
    await bench.settled([target], "sending");
    const edit = bench.put(editOf(target, "The answer", true), { priority: PRIORITY.final });
    sender.kick(ADA);
    await bench.settled([target, edit]);
    expect(bench.calls().map(({ method }) => method)).toEqual(["sendMessage", "editMessageText"]);
    expect(bench.screen()).toEqual(["The answer"]);
  });

  test("while its message waits for a retry, an edit waits too", async () => {
    await using bench = await createBench();
    bench.failNext({ kind: "drop_before" });
    const target = bench.put(sendOf("Working"));
    const sender = bench.live();
    sender.start();
    await until(() => bench.log().includes('"outbox.again"'), "the fault", bench.log);
    const edit = bench.put(editOf(target, "The answer"), { priority: PRIORITY.final });
    sender.kick(ADA);
    await bench.settled([target, edit]);
    expect(bench.tried()).toEqual(["Working", "Working", "The answer"]); // nobody knows whether it came the first time
    expect(bench.screen()).toEqual(["The answer"]);
  });
});

describe.concurrent("what Telegram refuses for now", () => {
  test("retry_after is obeyed to the second", async () => {
    await using bench = await createBench();
    bench.failNext(tooMany(1));
    const ids = [bench.put(sendOf("one")), bench.put(sendOf("two"))];
    bench.live().start();
    await bench.settled(ids);
    const [first, second] = bench.calls();
    expect((second?.at ?? 0) - (first?.answeredAt ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect(bench.screen()).toEqual(["one", "two"]);
  });

  test.each([
    ["the row that was refused", false],
    ["an edit of the message that waits", true],
  ])("H65: a restart does not shorten it for %s", async (_, isEdited) => {
    await using bench = await createBench();
    bench.failNext(tooMany(1));
    const target = bench.put(sendOf("Working"));
    const before = bench.live();
    before.start();
    await until(
      () => bench.calls().length === 1 && bench.stateOf(target) === "queued",
      "the refusal",
      bench.log,
    );
    await before.close(100);
    const edits = isEdited ? [bench.put(editOf(target, "The answer"), { priority: PRIORITY.final })] : [];
    bench.live().start();
    await bench.settled([target, ...edits]);
    const [first, second] = bench.calls();
    expect((second?.at ?? 0) - (first?.answeredAt ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect(bench.tried()).toEqual(["Working", isEdited ? "The answer" : "Working"]);
  });

  test("H65: a pause outlives the row that brought it about", async () => {
    await using bench = await createBench();
    bench.failNext(tooMany(1));
    const withdrawn = bench.put(sendOf("Working"));
    const sender = bench.live();
    sender.start();
    await until(
      () => bench.calls().length === 1 && bench.stateOf(withdrawn) === "queued",
      "the refusal",
      bench.log,
    );
    bench.store.outbox.withdraw(withdrawn);
    sender.kick(ADA);
    await bench.client.getMe();
    const answer = bench.put(sendOf("The answer"));
    sender.kick(ADA);
    await bench.settled([answer]);
    const [first, second] = bench.calls();
    expect((second?.at ?? 0) - (first?.answeredAt ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect(bench.screen()).toEqual(["The answer"]);
  });

  test.each<Fault>([
    { kind: "error", code: 500, description: "Internal Server Error" },
    { kind: "html" },
    { kind: "garbage" },
    { kind: "drop_before" },
  ])("after $kind it is sent again, once it arrives", async (fault) => {
    await using bench = await createBench();
    bench.failNext(fault);
    const id = bench.put(sendOf("hello"));
    bench.live().start();
    await bench.settled([id]);
    expect(bench.screen()).toEqual(["hello"]);
    expect(bench.calls().length).toBe(2);
  });

  test("an answer that was cut may have arrived: it is sent again, for a doubled answer beats a lost one", async () => {
    await using bench = await createBench();
    bench.failNext({ kind: "drop_after" });
    const id = bench.put(sendOf("hello"));
    bench.live().start();
    await bench.settled([id]);
    expect(bench.screen()).toEqual(["hello", "hello"]);
  });

  test.each([
    ["message", sendOf("hello")],
    ["document", { kind: "document", fileName: "a.md", content: "a", body: bodyOf("hello"), replyTo: null }],
  ] satisfies [string, OutboxAct][])(
    "a %s is on the screen twice at most, then it has failed",
    async (_, act) => {
      await using bench = await createBench();
      bench.failNext(...Array.from({ length: 9 }, (): Fault => ({ kind: "drop_after" })));
      const id = bench.put(act);
      const sender = bench.live();
      sender.start();
      await bench.settled([id], "failed");
      const edit = bench.put(editOf(id, "and its edit"));
      sender.kick(ADA);
      await bench.settled([edit]);
      expect(bench.screen().length).toBe(2);
      expect(bench.failed).toEqual([id]);
      expect(bench.log()).toContain('"outbox.lost"');
    },
  );

  test.each([
    [
      "anew",
      (bench: Bench) => bench.put(sendOf("The answer"), { priority: PRIORITY.final, finalOf: bench.ended() }),
    ],
    [
      "in place of a placeholder that was lost",
      (bench: Bench) => {
        const target = bench.put({ ...sendOf("Working"), isProgress: true });
        bench.store.outbox.failed(target);
        return bench.put(editOf(target, "The answer", true), {
          priority: PRIORITY.final,
          finalOf: bench.ended(),
        });
      },
    ],
  ] satisfies [string, (bench: Bench) => number][])(
    "an answer sent %s comes for sure, and is on the screen twice at most, however many calls are cut",
    async (_, putAnswer) => {
      await using bench = await createBench();
      bench.failNext(...(["drop_after", "drop_after"] as const).map((kind): Fault => ({ kind })));
      const id = putAnswer(bench);
      bench.live().start();
      await bench.settled([id]);
      expect(bench.screen()).toEqual(["The answer", "…", "The answer"]);
      expect(bench.failed.filter((failed) => failed === id)).toEqual([]);
      expect(bench.log()).toContain('"outbox.unsure"');
    },
    90_000,
  );

  test("what surely was not sent does not count: after it a message still has its second try", async () => {
    await using bench = await createBench();
    bench.failNext({ kind: "drop_after" }, tooMany(1), tooMany(1));
    const id = bench.put(sendOf("hello"));
    bench.live().start();
    await bench.settled([id]);
    expect(bench.screen()).toEqual(["hello", "hello"]);
  });

  test("a placeholder that may have arrived is not sent again; the answer is sent anew, twice at most", async () => {
    await using bench = await createBench();
    bench.failNext(...Array.from({ length: 9 }, (): Fault => ({ kind: "drop_after" })));
    const target = bench.put({ ...sendOf("Working"), isProgress: true });
    const sender = bench.live();
    sender.start();
    await bench.settled([target], "failed");
    const answer = bench.put(editOf(target, "The answer", true), { priority: PRIORITY.final });
    sender.kick(ADA);
    await bench.settled([answer], "failed");
    expect(bench.screen()).toEqual(["Working", "The answer", "The answer"]);
    expect(bench.failed).toEqual([target, answer]);
  });

  test("an edit is made again for as long as it takes", async () => {
    await using bench = await createBench();
    const target = bench.put(sendOf("Working"));
    const sender = bench.live();
    sender.start();
    await bench.settled([target]);
    bench.failNext(...Array.from({ length: 4 }, (): Fault => ({ kind: "drop_before" })));
    const edit = bench.put(editOf(target, "The answer", true));
    sender.kick(ADA);
    await bench.settled([edit]);
    expect(bench.screen()).toEqual(["The answer"]);
    expect(bench.calls().length).toBe(6);
  });

  test("an edit that may have arrived is made again without harm", async () => {
    await using bench = await createBench();
    const target = bench.put(sendOf("Working"));
    const sender = bench.live();
    sender.start();
    await bench.settled([target]);
    bench.failNext({ kind: "drop_after" });
    const edit = bench.put(editOf(target, "The answer", true), { priority: PRIORITY.final });
    sender.kick(ADA);
    await bench.settled([edit]);
    expect(bench.screen()).toEqual(["The answer"]);
    const last = bench.calls().at(-1)?.response;
    expect(last).toMatchObject({
      ok: false,
      description: expect.stringContaining("message is not modified"),
    });
  });

  test("with Telegram out of reach nothing is lost, and all of it arrives, in order, when it is back", async () => {
    await using bench = await createBench();
    await bench.api.close();
    const ids = ["one", "two", "three"].map((text) => bench.put(sendOf(text)));
    bench.live().start();
    await until(() => bench.log().split('"outbox.again"').length > 3, "some tries", bench.log);
    expect(ids.map((id) => bench.stateOf(id))).not.toContain("failed");
    await bench.api.listen(Number(new URL(bench.root).port));
    await bench.settled(ids);
    expect(bench.screen()).toEqual(["one", "two", "three"]);
    expect(bench.log()).toContain("ECONNREFUSED");
  });
});

describe.concurrent("what Telegram refuses for good", () => {
  test("H66: an edit that changes nothing is done", async () => {
    await using bench = await createBench();
    const target = bench.put(sendOf("the same"));
    const sender = bench.live();
    sender.start();
    await bench.settled([target]);
    const edit = bench.put(editOf(target, "the same"));
    sender.kick(ADA);
    await bench.settled([edit]);
    expect(bench.calls().at(-1)?.response).toMatchObject({
      ok: false,
      description: expect.stringContaining("message is not modified"),
    });
    expect(bench.calls().length).toBe(2);
  });

  test("H66: of a message that was deleted, the final answer is sent anew and a mere edit is dropped", async () => {
    await using bench = await createBench();
    const target = bench.put(sendOf("Working"));
    const sender = bench.live();
    sender.start();
    await bench.settled([target]);
    await bench.client.deleteMessage(ADA, bench.store.outbox.get(target)?.messageId ?? 0);
    const ids = [bench.put(editOf(target, "just a note")), bench.put(editOf(target, "The answer", true))];
    sender.kick(ADA);
    await bench.settled(ids);
    expect(bench.screen()).toEqual(["The answer"]);
  });

  test("a final answer whose edit Telegram refuses for whatever reason is sent anew", async () => {
    await using bench = await createBench();
    const target = bench.put(sendOf("Working"));
    const sender = bench.live();
    sender.start();
    await bench.settled([target]);
    bench.failNext({ kind: "error", code: 400, description: "Bad Request: a reason of its own" });
    const answer = bench.put(editOf(target, "The answer", true));
    sender.kick(ADA);
    await bench.settled([answer]);
    expect(bench.screen()).toEqual(["Working", "The answer"]);
  });

  test("H66: what was for a topic that is gone comes to the chat itself, and people are told once", async () => {
    await using bench = await createBench();
    const ids = [
      bench.put(sendOf("hello"), { threadId: 4711 }),
      bench.put(sendOf("you"), { threadId: 4711 }),
    ];
    bench.live().start();
    await bench.settled(ids);
    await until(() => bench.store.outbox.chats().length === 0, "everything sent", bench.log);
    expect(bench.api.messages(ADA).map(({ text, threadId }) => ({ text, threadId }))).toEqual([
      { text: "hello", threadId: null },
      { text: "you", threadId: null },
      { text: WORDS.topicGone, threadId: null },
    ]);
    expect(bench.calls()[0]?.response).toMatchObject({
      ok: false,
      description: expect.stringContaining("thread not found"),
    });
  });

  test("H60: formatting that is refused costs the formatting, not the answer", async () => {
    await using bench = await createBench();
    bench.failNext({ kind: "error", code: 400, description: "Bad Request: ENTITY_BOUNDS_INVALID" });
    const act: OutboxAct = {
      kind: "send",
      body: { text: "hello", entities: [{ type: "bold", offset: 0, length: 5 }], buttons: [] },
      replyTo: null,
      isSilent: false,
    };
    const id = bench.put(act);
    bench.live().start();
    await bench.settled([id]);
    expect(bench.api.messages(ADA).map(({ text, entities }) => ({ text, entities }))).toEqual([
      { text: "hello", entities: [] },
    ]);
  });

  test("H81: a token that is no longer known is told, and the row waits for the next life", async () => {
    await using bench = await createBench();
    bench.api.revoke();
    const id = bench.put(sendOf("hello"));
    bench.live().start();
    await until(() => bench.rejected.length > 0, "the rejection", bench.log);
    expect(bench.rejected).toEqual(["Unauthorized"]);
    expect(bench.stateOf(id)).toBe("queued");
  });
});

describe.concurrent("ends and beginnings", () => {
  test("H41: what an earlier life was sending when it died is sent again, before what was queued behind it", async () => {
    await using bench = await createBench();
    const [begun, queued] = [bench.put(sendOf("half sent")), bench.put(sendOf("behind it"))];
    if (begun === undefined || queued === undefined) throw new Error("two were put");
    bench.store.outbox.begin(begun);
    bench.live().start();
    await bench.settled([begun, queued]);
    expect(bench.screen()).toEqual(["half sent", "behind it"]);
  });

  test("H41: what was twice begun by lives that died, and a placeholder that was begun once, are not sent again", async () => {
    await using bench = await createBench();
    const twice = bench.put(sendOf("begun twice"));
    const placeholder = bench.put({ ...sendOf("Working"), isProgress: true });
    for (const id of [twice, twice, placeholder]) bench.store.outbox.begin(id);
    const next = bench.put(sendOf("behind them"));
    bench.live().start();
    await bench.settled([next]);
    expect(bench.screen()).toEqual(["behind them"]);
    expect(bench.failed).toEqual([twice, placeholder]);
  });

  test.each([
    ["sent", undefined],
    ["queued", tooMany(0)],
  ] satisfies [string, Fault | undefined][])(
    "while the disk is too full to record %s the message is not sent again, and once it is not, all goes on",
    async (state, fault) => {
      await using bench = await createBench();
      if (fault) bench.failNext(fault);
      const ids = [bench.put(sendOf("one")), bench.put(sendOf("two"))];
      const disk = bench.refuse(state);
      bench.live().start();
      await until(() => bench.log().split('"outbox.fault"').length > 2, "two faults", bench.log);
      expect(bench.tried()).toEqual(["one"]);
      disk[Symbol.dispose]();
      await bench.settled(ids);
      expect(bench.screen()).toEqual(["one", "two"]);
    },
  );

  test("what a fault left begun is delivered without a restart, and before an edit of it", async () => {
    await using bench = await createBench();
    const sender = bench.live();
    sender.start();
    const target = bench.put(sendOf("Working"));
    bench.store.outbox.begin(target);
    const edit = bench.put(editOf(target, "The answer"), { priority: PRIORITY.final });
    sender.kick(ADA);
    await bench.settled([target, edit]);
    expect(bench.tried()).toEqual(["Working", "The answer"]);
  });

  test("the end waits for what is being sent and sends what waits", async () => {
    await using bench = await createBench();
    const ids = [1, 2, 3, 4, 5].map((number) => bench.put(sendOf(`message ${number}`)));
    bench.api.setIntercept(({ method }) =>
      method === "sendMessage" ? { kind: "delay", delayMs: 40 } : undefined,
    );
    const sender = bench.live();
    sender.start();
    await sender.close(5_000);
    expect(ids.map((id) => bench.stateOf(id))).toEqual(ids.map(() => "sent"));
    const late = bench.put(sendOf("too late"));
    sender.kick(ADA);
    await bench.client.getMe();
    expect(bench.stateOf(late)).toBe("queued");
  });

  test("the end sends no progress any more", async () => {
    await using bench = await createBench();
    const target = bench.put(sendOf("Working"));
    const sender = bench.live();
    sender.start();
    await bench.settled([target]);
    sender.watch(ADA, { target, body: () => bodyOf("half an answer"), settled: ignore });
    bench.failNext({ kind: "delay", delayMs: 1_200 }); // when it is sent, the progress is due
    const last = bench.put(sendOf("The last word"));
    sender.kick(ADA);
    await sender.close(5_000);
    expect(bench.stateOf(last)).toBe("sent");
    expect(bench.screen()).toEqual(["Working", "The last word"]);
  });

  test("the end does not outlast its grace when Telegram hangs, and a life that ended touches the store no more", async () => {
    await using bench = await createBench();
    bench.failNext({ kind: "hang" });
    const id = bench.put(sendOf("hello"));
    const sender = bench.live();
    sender.start();
    await bench.api.waitFor(() => bench.calls().length > 0, { what: "the call that hangs" });
    expect(await endsWithin(600, sender.close(200))).toBe(true);
    const next = bench.live();
    next.start();
    await bench.settled([id]);
    const settled = bench.store.outbox.get(id);
    bench.api.cutConnections(); // only now the call of the first life ends
    for (let trip = 0; trip < 5; trip += 1) await bench.client.getMe().catch(() => null);
    expect(bench.store.outbox.get(id)).toEqual(settled);
    expect(bench.screen()).toEqual(["hello"]);
  });
});

describe.concurrent("a clock that is set", () => {
  test("back by a day mutes neither what waits nor progress", async () => {
    await using bench = await createBench();
    const target = bench.put(sendOf("Working"));
    const sender = bench.live();
    sender.start();
    await bench.settled([target]);
    sender.watch(ADA, { target, body: () => bodyOf("half an answer"), settled: ignore });
    bench.failNext(tooMany(1));
    const id = bench.put(sendOf("The note"));
    sender.kick(ADA);
    await until(() => bench.log().includes('"outbox.flood"'), "the refusal", bench.log);
    bench.setClock(-86_400_000);
    await bench.settled([id]);
    await until(() => bench.screen()[0] === "half an answer", "the progress", bench.log);
  });

  test("forward does not shorten a pause", async () => {
    await using bench = await createBench();
    bench.failNext(tooMany(1));
    const id = bench.put(sendOf("hello"));
    bench.live().start();
    await until(() => bench.log().includes('"outbox.flood"'), "the refusal", bench.log);
    bench.setClock(86_400_000);
    await bench.settled([id]);
    const [first, second] = bench.calls();
    expect((second?.at ?? 0) - (first?.answeredAt ?? 0)).toBeGreaterThanOrEqual(1_000);
  });

  test("back between two lives: a stored pause is obeyed for six hours at most", () => {
    const hours = (count: number) => count * 3_600_000;
    expect(pauseAtStartMs(hours(4), 0)).toBe(hours(4)); // H65: "Retry after 13938" is a real one
    expect(pauseAtStartMs(hours(24 * 365), 0)).toBe(hours(6));
    expect(pauseAtStartMs(0, hours(1))).toBe(0);
  });
});

test("the outbox is read through the index of its open rows, however many were ever sent", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-sender-"));
  const db = openDatabase(join(folder, "test.db"));
  const statements: string[] = [];
  const prepare = db.prepare.bind(db);
  db.prepare = (sql: string) => {
    statements.push(sql);
    return prepare(sql);
  };
  createOutbox(db, (_, act) => act(), Date.now);
  const reads = statements.filter((sql) => sql.startsWith("SELECT"));
  const plans = reads.map((sql) =>
    prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...(sql.includes("?") ? [1] : []))
      .map(({ detail }) => detail)
      .join("; "),
  );
  db.close();
  rmSync(folder, { recursive: true });
  expect(plans.toSorted()).toEqual([
    "SCAN outbox USING INDEX outbox_open", // the chats: it holds open rows alone
    "SEARCH chat_moves USING INTEGER PRIMARY KEY (rowid=?)",
    "SEARCH outbox USING INDEX outbox_edits (target=?)",
    "SEARCH outbox USING INDEX outbox_edits (target=?)",
    "SEARCH outbox USING INDEX outbox_open (chat_id=?)",
    "SEARCH outbox USING INDEX outbox_open (chat_id=?); CORRELATED SCALAR SUBQUERY 1; SEARCH shown USING INTEGER PRIMARY KEY (rowid=?)",
    "SEARCH outbox USING INTEGER PRIMARY KEY (rowid=?)",
    "SEARCH outbox USING INTEGER PRIMARY KEY (rowid=?)",
  ]);
});

describe.concurrent("progress", () => {
  test("progress that did not arrive is told apart from what did, and from what is refused for good", async () => {
    await using bench = await createBench();
    const target = bench.put(sendOf("Working"));
    const sender = bench.live();
    sender.start();
    await bench.settled([target]);
    const refusal: Fault = { kind: "error", code: 400, description: "Bad Request: message can't be edited" };
    const left = [{ kind: "drop_before" } as const, undefined, refusal];
    bench.api.setIntercept(({ method }) => (method === "editMessageText" ? left.shift() : undefined));
    const shots = ["is lost", "Working", "is refused"];
    const settled: string[] = [];
    sender.watch(ADA, {
      target,
      body: () => bodyOf(shots.shift() ?? "one more"),
      settled: ({ text }) => settled.push(text),
    });
    await until(() => settled.length === 2, "two that need no repetition", bench.log);
    expect(settled).toEqual(["Working", "is refused"]); // the first of them because it changes nothing
    expect(bench.screen()).toEqual(["Working"]);
  });

  test("edits of one message come at rising intervals, and only the latest state counts", () => {
    const now = testClock(0);
    const lane = createProgressLane(now);
    let state = 0;
    lane.watch({ target: 1, body: () => bodyOf(`state ${state}`), settled: ignore });
    const taken: [number, string][] = [];
    for (; now() < 30_000; now.turn(50)) {
      state += 1;
      const edit = lane.take(now());
      if (edit) taken.push([now(), edit.body.text]);
    }
    const times = taken.map(([at]) => at);
    const gaps = times.map((at, index) => at - (times[index - 1] ?? 0));
    expect(gaps.slice(0, 5)).toEqual([1_000, 1_500, 2_500, 4_000, 5_000]);
    expect(gaps.slice(5).every((gap) => gap === 5_000)).toBe(true);
    expect(taken[0]?.[1]).toBe("state 21");
    expect([0, 1, 2, 3, 4, 99].map(editIntervalMs)).toEqual([1_000, 1_500, 2_500, 4_000, 5_000, 5_000]);
  });

  test("of several messages in one chat each has its turn, however little the chat takes", () => {
    const now = testClock(0);
    const lane = createProgressLane(now);
    let state = 0;
    for (let target = 1; target <= 8; target += 1)
      lane.watch({ target, body: () => bodyOf(`state ${state}`), settled: ignore });
    const taken: number[] = [];
    for (; now() < 30_000; now.turn(1_000)) {
      state += 1;
      taken.push(lane.take(now())?.source.target ?? 0);
    }
    expect(new Set(taken.slice(1, 9)).size).toBe(8);
    expect(new Set(taken.slice(-8)).size).toBe(8);
  });

  test("H64, H65: on the screen the progress is coalesced, and after the end of a turn no edit of it comes", async () => {
    await using bench = await createBench();
    const target = bench.put(sendOf("Working"));
    const sender = bench.live();
    sender.start();
    await bench.settled([target]);
    let state = 0;
    const typing = setInterval(() => {
      state += 1;
    }, 5);
    using _ = { [Symbol.dispose]: () => clearInterval(typing) };
    const watchedAt = Date.now();
    const settled: string[] = [];
    sender.watch(ADA, {
      target,
      body: () => bodyOf(`state ${state}`),
      settled: ({ text }) => settled.push(text),
    });
    await until(() => bench.calls().length === 3, "two edits", bench.log);
    const [, first, second] = bench.calls();
    expect((first?.at ?? 0) - watchedAt).toBeGreaterThanOrEqual(990);
    expect((second?.at ?? 0) - watchedAt).toBeGreaterThanOrEqual(2_490);
    sender.unwatch(ADA, target);
    const final = bench.put(editOf(target, "The answer", true), { priority: PRIORITY.final });
    sender.kick(ADA);
    await bench.settled([final]);
    await sender.close(100);
    expect(bench.calls().length).toBe(4);
    expect(settled).toEqual(bench.tried().slice(1, 3));
    expect(bench.screen()).toEqual(["The answer"]);
  });

  test("H65: a pause that progress has brought upon the chat is obeyed, and then the answer goes before progress", async () => {
    await using bench = await createBench();
    const target = bench.put(sendOf("Working"));
    const other = bench.put(sendOf("Another turn"));
    const sender = bench.live();
    sender.start();
    await bench.settled([target, other]);
    bench.failNext(tooMany(1));
    sender.watch(ADA, { target: other, body: () => bodyOf(`at ${performance.now()}`), settled: ignore });
    await until(() => bench.calls().length === 3, "the progress that is refused", bench.log);
    const final = bench.put(editOf(target, "The answer", true), { priority: PRIORITY.final });
    sender.kick(ADA);
    await bench.settled([final]);
    const [refused, next] = bench.calls().slice(2);
    expect((next?.at ?? 0) - (refused?.answeredAt ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect(next?.payload.text).toBe("The answer");
  });
});

test("H23: how a call ended never holds the token", async () => {
  await using bench = await createBench();
  const calls = createScreenCalls(() => new Api(TOKEN, { apiRoot: bench.root, timeoutSeconds: 1 }));
  const faults: readonly Fault[] = [
    { kind: "drop_before" },
    { kind: "html" },
    { kind: "garbage" },
    { kind: "truncated" },
    { kind: "hang" },
  ];
  bench.failNext(...faults);
  const place = { chatId: ADA, threadId: null };
  const act = { kind: "send", body: bodyOf("hello"), replyTo: null, isSilent: false } as const;
  const ends = [];
  for (const _ of faults) ends.push(await calls.send(place, act));
  await bench.api.close();
  ends.push(await calls.send(place, act));
  // No answer, or half of one: nobody knows. An error page, or no server at all: it had no effect.
  expect(ends.map(({ kind }) => kind)).toEqual([
    "ambiguous",
    "unsent",
    "unsent",
    "ambiguous",
    "ambiguous",
    "unsent",
  ]);
  expect(JSON.stringify(ends)).not.toContain(TOKEN.split(":")[1]);
});

test("H23: whatever goes wrong, the token is not in the log, though its redactor does not know it", async () => {
  await using bench = await createBench();
  bench.failNext({ kind: "drop_before" }, { kind: "html" }, { kind: "drop_after" });
  const [given, sent] = [bench.put(sendOf("hello")), bench.put(sendOf("hello again"))];
  const sender = bench.live();
  sender.start();
  await bench.settled([given], "failed");
  await bench.settled([sent]);
  await bench.api.close();
  sender.react(ADA, 1, "👀");
  sender.answerPress("1", "text");
  const lost = bench.put(sendOf("into the void"));
  sender.kick(ADA);
  const times = (event: string) => bench.log().split(`"${event}"`).length - 1;
  await until(() => times("telegram.once") === 2 && times("outbox.again") >= 4, "all the faults", bench.log);
  expect(bench.stateOf(lost)).toBe("queued");
  expect(bench.log()).not.toContain(TOKEN.split(":")[1]);
  expect(bench.log()).not.toMatch(/bot110201543:/);
});
