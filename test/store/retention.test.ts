import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ButtonAction } from "../../src/domain/button.ts";
import { PRIORITY } from "../../src/domain/outbox.ts";
import { MIGRATIONS } from "../../src/store/migrations.ts";
import { openStore } from "../../src/store/store.ts";
import { testClock } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

const DAY = 86_400_000;
const TIMES = { contentMs: 30 * DAY, auditMs: 365 * DAY };
const PERSON = 7;

/** Tables that hold no more rows than there are people, chats, keys or names; each says so in its file. */
const BOUNDED = [
  "conversations",
  "chats",
  "chat_moves",
  "buckets",
  "facts",
  "host_rules",
  "costs_before",
  "audit_anchor",
  "baselines",
  "exposed_files",
  "grants",
  "credentials",
  "upload_folders",
];
/** Have a retention of their own: `ops/forget.ts`; `ops/clear-quarantine.ts` and `ops/clear-uploads.ts`, which remove files first. */
const CHAIN = ["audit", "quarantine"];

/** A store on a file, with a clock, and with what it takes to fill it and to look at it from outside. */
function createWorld() {
  const path = join(tempDir(), "a.db");
  const clock = testClock();
  const store = openStore(path, clock);
  onTestFinished(() => store[Symbol.dispose]());
  const conversation = store.conversations.at({ chatId: PERSON, threadId: null });
  let made = 0;

  const query = (sql: string): unknown[] => {
    const db = new Database(path, { readonly: true });
    const rows = db.prepare(sql).pluck().all();
    db.close();
    return rows;
  };

  /** Forgets, and says how large each slice was. */
  const forget = (times = TIMES): number[] => [...store.retention.slices(times)];

  const work = (text = "a prompt"): number => {
    made += 1;
    const dedupeKey = `k${made}`;
    const draft = { dedupeKey, uuid: dedupeKey, conversationId: conversation.id, userId: PERSON };
    return store.work.submit({ ...draft, project: "p", text, messageId: made })?.id ?? 0;
  };

  const ended = (text?: string, state: "done" | "interrupted" | "failed" = "done"): number => {
    const id = work(text);
    store.work.end(id, state);
    return id;
  };

  const offer = (action: ButtonAction, group = "g"): string =>
    store.buttons.offer({ group, action, conversationId: conversation.id, userId: PERSON, expiresAt: null });

  const press = (nonce: string) =>
    store.buttons.press({ nonce, conversation, userId: PERSON, isOwner: false });

  const say = (text: string, finalOf: number | null = null): number => {
    const body = { text, entities: [], buttons: [] };
    const act = { kind: "send", body, replyTo: null, isSilent: false } as const;
    return store.outbox.put({ conversation, act, priority: PRIORITY.notice, finalOf });
  };

  const ask = (workId: number, input: Readonly<Record<string, unknown>> = { command: "ls" }) =>
    store.approvals.ask({ workId, toolUseId: "t", toolName: "Bash", input });

  const charge = (workId: number, costMicroUsd: number): void => {
    store.ledger.meter(workId, { ...USAGE, requestId: `r${workId}`, costMicroUsd });
    store.ledger.settle({ workId, userId: PERSON, costMicroUsd, source: "cli" });
  };

  return { path, clock, store, conversation, query, forget, work, ended, offer, press, say, ask, charge };
}

const USAGE = {
  model: "m",
  inputTokens: 1,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  cacheReadTokens: 0,
  outputTokens: 1,
  isFinal: true,
  isCut: false,
} as const;

test("H20: no table grows for ever: what was done two years ago has left no row but in those that are bounded", () => {
  const world = createWorld();
  const { store, clock, query, forget } = world;
  const key = { conversationId: world.conversation.id, userId: PERSON, project: "p" };
  store.transaction(() => {
    store.inbox.insert([
      { updateId: 1, body: "{}" },
      { updateId: 2, body: "{}" },
    ]);
    store.inbox.finish(1);
    store.inbox.bury(2);
    const id = world.ended();
    world.charge(id, 5);
    store.approvals.decide(world.ask(id).id, "allowed", { userId: PERSON, choice: "once" });
    world.press(world.offer({ kind: "dismiss" }));
    world.offer({ kind: "stop", workId: id });
    store.outbox.sent(world.say("an answer", id), 11);
    store.sessions.begin(key, "s");
    store.sessions.end(key);
    store.buckets.save("work:7", "{}");
    store.facts.set("a", "b");
    store.hostRules.set({ project: "p", host: "example.com", port: 443, verdict: "allow" }, PERSON);
    store.exposedFiles.show("/p", ".env", PERSON);
    store.grants.add(PERSON, 1, PERSON);
    store.credentials.begin("TELEGRAM_BOT_TOKEN", "f");
    store.baselines.open("/p", []);
    store.quarantine.begin("/p", id, [{ kind: "settings", path: ".vscode", ino: null }]);
    store.attachments.add(id, [{ fileId: "f", name: "a.txt", bytes: 1 }]);
    store.uploadFolders.of(PERSON, "/p", "0".repeat(32));
    store.chats.rest(7, clock() + 1);
    store.chats.move(-5, -1005);
    const invite = store.invites.make({
      digest: "d",
      role: "member",
      madeBy: null,
      expiresAt: clock() + DAY,
    });
    store.invites.make({ digest: "never used", role: "member", madeBy: null, expiresAt: clock() + DAY });
    store.invites.use(invite.id, 9);
    store.logins.begin({ userId: 9, role: "member", inviteId: invite.id, isSecondFactor: false });
    store.logins.end(9);
    store.loginFailures.save(8, { failures: 1, lockouts: 0, lastAt: clock(), lockedUntil: 0 });
    store.audit.append({
      at: clock(),
      risk: "low",
      userId: PERSON,
      conversation: null,
      event: { type: "command.run", name: "help" },
    });
  });
  const tables = query("SELECT name FROM sqlite_schema WHERE type = 'table'") as string[];
  const filled = (): string[] => tables.filter((table) => query(`SELECT count(*) FROM ${table}`)[0] !== 0);
  // A table that this test does not know has no retention yet: give it one, or a reason why it is bounded.
  expect([...filled(), "costs_before"].toSorted()).toEqual(tables.toSorted());

  clock.turn(730 * DAY);
  for (const { id } of store.attachments.due(clock() - 30 * DAY, 10)) store.attachments.remove(id);
  forget();
  expect(filled().toSorted()).toEqual([...BOUNDED, ...CHAIN].toSorted());
  expect(store.ledger.spentSince(PERSON, 0)).toBe(5);
  expect(forget()).toEqual([]);
});

test("what was said is kept to its day and no longer, what was done to its own", () => {
  const world = createWorld();
  const { store, clock, query, forget } = world;
  const id = world.ended("a secret plan");
  const { id: approval } = world.ask(id, { command: "cat plan" });
  store.approvals.setAnswers(approval, { "Which plan?": ["the secret one"] });
  store.approvals.decide(approval, "allowed", { userId: PERSON, choice: "once" });
  const button = world.offer({ kind: "edited", workId: id, text: "another plan" });
  store.outbox.sent(world.say("the answer"), 11);
  store.outbox.withdraw(world.say("never shown"));
  store.outbox.failed(world.say("refused"));
  const texts = () =>
    query(`SELECT text FROM work UNION ALL SELECT input || answers FROM approvals UNION ALL
           SELECT action FROM buttons UNION ALL SELECT act ->> '$.body.text' FROM outbox`);

  clock.turn(30 * DAY);
  expect(forget()).toEqual([]);
  expect(texts().filter((text) => text !== "")).toHaveLength(6);
  clock.turn(1);
  forget();
  expect(texts().filter((text) => text !== "")).toEqual(["{}{}"]);
  expect(query("SELECT id FROM outbox")).toEqual([]);
  expect(store.approvals.get(approval)).toMatchObject({ state: "allowed", input: {}, answers: {} });
  expect(world.press(button)).toEqual({ kind: "refused", reason: "expired" });

  clock.turn(335 * DAY - 1);
  expect(forget()).toEqual([]);
  expect(store.work.get(id)?.state).toBe("done");
  clock.turn(1);
  forget();
  expect(store.work.get(id)).toBeNull();
  expect(store.approvals.get(approval)).toBeNull();
  expect(world.press(button)).toEqual({ kind: "refused", reason: "unknown" });
});

test("an update that was handled is known for three days, one that was set aside is kept as long as content", () => {
  const { store, clock, query, forget } = createWorld();
  store.inbox.insert([1, 2, 3].map((updateId) => ({ updateId, body: '{"text":"secret"}' })));
  store.inbox.finish(1);
  store.inbox.bury(2);
  const left = () => query("SELECT update_id FROM inbox ORDER BY update_id");
  clock.turn(3 * DAY);
  forget();
  expect([...store.inbox.insert([{ updateId: 1, body: "{}" }])]).toEqual([]);
  clock.turn(1);
  forget();
  expect(left()).toEqual([2, 3]);
  clock.turn(27 * DAY);
  forget();
  expect(left()).toEqual([3]);
  clock.turn(1000 * DAY);
  forget();
  expect(left()).toEqual([3]); // not handled yet
});

describe("nothing is forgotten that somebody may still answer", () => {
  test("the prompt and the buttons of an interrupted work whose queue waits for the answer stay until it was given", () => {
    const { store, clock, conversation, forget, ended, offer, press } = createWorld();
    const id = ended("go on with it", "interrupted");
    store.conversations.hold(conversation.id, id);
    const other = store.conversations.at({ chatId: 8, threadId: null });
    const unoffered = ended("held without a button", "interrupted");
    store.conversations.hold(other.id, unoffered);
    const choices = ["continue", "drop"] as const;
    const [goOn = "", drop = ""] = choices.map((choice) => offer({ kind: "recover", workId: id, choice }));
    clock.turn(3000 * DAY);
    forget();
    expect(store.work.get(id)?.text).toBe("go on with it");
    expect(store.work.get(unoffered)?.text).toBe("held without a button");
    expect(press(goOn)).toEqual({
      kind: "accepted",
      action: { kind: "recover", workId: id, choice: "continue" },
    });
    for (const held of [conversation.id, other.id]) store.conversations.hold(held, null);
    forget();
    expect([id, unoffered].map(store.work.get)).toEqual([null, null]);
    expect(press(drop)).toMatchObject({ kind: "refused" });
  });

  test("what waits, and what a person is asked, keep their buttons and their words however long that takes", () => {
    const { store, clock, query, forget, work, ask, offer, press } = createWorld();
    const queued = work("later");
    const { id: asked } = ask(queued, { command: "make" });
    const drop = offer({ kind: "queue", workId: queued, choice: "drop" });
    const all = offer({ kind: "offered_all", workIds: [queued], choice: "run" }, "all");
    const allow = offer({ kind: "approve", approvalId: asked, decision: "allow" });
    clock.turn(3000 * DAY);
    forget();
    expect(press(all).kind).toBe("accepted");
    expect(store.work.get(queued)?.text).toBe("later");
    expect(store.approvals.get(asked)?.input).toEqual({ command: "make" });
    expect([press(drop).kind, press(allow).kind]).toEqual(["accepted", "refused"]); // of one group
    expect(query("SELECT count(*) FROM buttons WHERE action <> ''")).toEqual([3]);
  });

  test("the prompt of a failed turn stays while [Run it again] can be pressed, also when it was offered later", () => {
    const { store, clock, forget, ended, offer, press } = createWorld();
    const id = ended("try this", "failed");
    clock.turn(20 * DAY);
    const again = offer({ kind: "recover", workId: id, choice: "again" });
    clock.turn(20 * DAY);
    forget();
    expect(store.work.get(id)?.text).toBe("try this");
    clock.turn(11 * DAY);
    forget();
    expect(press(again)).toEqual({ kind: "refused", reason: "expired" });
    expect(store.work.get(id)?.text).toBe("");
  });

  test.each(["delivering", "failed"] as const)(
    "a %s work whose answer still waits to be sent is kept with it",
    (state) => {
      const { store, clock, query, forget, work, say } = createWorld();
      const id = work();
      store.work.end(id, state);
      const part = say("the answer", id);
      clock.turn(3000 * DAY);
      forget();
      expect(store.outbox.next(PERSON)?.id).toBe(part);
      expect(store.work.get(id)?.state).toBe(state);
      store.outbox.sent(part, 5);
      store.work.finishIfDelivered(id);
      clock.turn(3000 * DAY);
      forget();
      expect(query("SELECT count(*) FROM work")).toEqual([0]);
    },
  );
});

test("H24: an old button that was forgotten is told to be used or expired, only to those whom it belongs to, and is no forgery", () => {
  const { store, clock, conversation, forget, offer, press } = createWorld();
  const [used, unused] = [offer({ kind: "dismiss" }, "a"), offer({ kind: "dismiss" }, "b")];
  press(used);
  clock.turn(31 * DAY);
  forget();
  expect(press(used)).toEqual({ kind: "refused", reason: "used" });
  expect(press(unused)).toEqual({ kind: "refused", reason: "expired" });
  const stranger = { nonce: unused, conversation, userId: 8, isOwner: false };
  expect(store.buttons.press(stranger)).toEqual({ kind: "refused", reason: "not_yours" });
  expect(store.buttons.peek(unused)).toBeNull();
});

describe("H10: money that retention has removed", () => {
  test("still counts in a budget for all time, a person each, and in no shorter one", () => {
    const { store, clock, query, forget, ended, charge } = createWorld();
    charge(ended(), 100);
    charge(ended(), 20);
    clock.turn(200 * DAY);
    charge(ended(), 3);
    clock.turn(200 * DAY);
    const spent = () => [0, clock() - 300 * DAY].map((since) => store.ledger.spentSince(PERSON, since));
    expect(spent()).toEqual([123, 3]);
    forget();
    expect(query("SELECT count(*) FROM costs")).toEqual([1]);
    expect(spent()).toEqual([123, 3]);
    clock.turn(200 * DAY);
    forget();
    expect(query("SELECT count(*) FROM costs")).toEqual([0]);
    expect(query("SELECT count(*) FROM api_usage")).toEqual([0]);
    expect(spent()).toEqual([123, 0]);
    expect(store.ledger.spentSince(8, 0)).toBe(0);
  });

  test("is kept for the longest month, however short the retention", () => {
    const { store, clock, forget, ended, charge } = createWorld();
    charge(ended(), 100);
    clock.turn(5 * DAY);
    charge(ended(), 20);
    const month = clock();
    clock.turn(31 * DAY);
    forget({ contentMs: DAY, auditMs: DAY });
    expect(store.ledger.spentSince(PERSON, month)).toBe(20);
    clock.turn(2 * DAY);
    forget({ contentMs: DAY, auditMs: DAY });
    expect(store.ledger.spentSince(PERSON, month)).toBe(0);
    expect(store.ledger.spentSince(PERSON, 0)).toBe(120);
  });

  test("of a turn that is not settled is never removed", () => {
    const { store, clock, forget, work } = createWorld();
    const id = work();
    store.ledger.meter(id, { ...USAGE, requestId: "r", costMicroUsd: 9 });
    clock.turn(3000 * DAY);
    forget();
    expect(store.ledger.metered(id)).toBe(9);
  });
});

test("a slice is small, in rows and in bytes, and the next ones go on where it ended", () => {
  const { store, clock, query, forget, say } = createWorld();
  store.transaction(() => {
    for (let row = 0; row < 250; row += 1) store.outbox.sent(say("short"), row);
    for (let row = 0; row < 5; row += 1) store.outbox.sent(say("x".repeat(40_000)), row);
  });
  clock.turn(31 * DAY);
  const [first] = store.retention.slices(TIMES);
  expect(first).toBe(100);
  expect(query("SELECT count(*) FROM outbox")).toEqual([155]);
  expect(forget()).toEqual([100, 51, 1, 1, 1, 1]);
});

describe("what was deleted is gone from the disk", () => {
  const SECRET = "the launch code is 0000-SWORDFISH";
  const raw = (path: string): string =>
    [path, `${path}-wal`].map((file) => readFileSync(file, "latin1")).join("");

  test("H20 H35: from the database file and from its write-ahead log", () => {
    const { path, clock, store, forget, ended, say, ask } = createWorld();
    for (let filler = 0; filler < 50; filler += 1) ended(`filler ${filler}`);
    const id = ended(SECRET);
    store.approvals.decide(ask(id, { command: SECRET }).id, "allowed", {
      userId: PERSON,
      choice: "once",
    });
    store.outbox.sent(say(SECRET.repeat(500), id), 11);
    store.inbox.insert([{ updateId: 1, body: JSON.stringify({ text: SECRET }) }]);
    store.inbox.finish(1);
    expect(store.upkeep.emptyLog()).toBe(true);
    expect(raw(path)).toContain(SECRET); // all but the update, which was forgotten at once
    clock.turn(31 * DAY);
    forget();
    expect(raw(path)).toContain(SECRET); // the database file changes when the log is emptied
    expect(store.upkeep.emptyLog()).toBe(true);
    expect(raw(path)).not.toContain("SWORDFISH");
  });

  test("a log that somebody reads is not emptied, and not waited for", () => {
    const { path, store, ended } = createWorld();
    const reader = new Database(path, { readonly: true });
    onTestFinished(() => void reader.close());
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM work").get();
    ended();
    const began = performance.now();
    expect(store.upkeep.emptyLog()).toBe(false);
    expect(performance.now() - began).toBeLessThan(2_500); // a write would wait for five seconds
    reader.exec("COMMIT");
    expect(store.upkeep.emptyLog()).toBe(true);
  });

  test("free pages go back to the disk, a few at a time; a database of before has none to give", () => {
    const { clock, store, query, forget, say } = createWorld();
    store.transaction(() => {
      for (let row = 0; row < 100; row += 1) store.outbox.sent(say("x".repeat(20_000)), row);
    });
    const pages = () => Number(query("PRAGMA page_count")[0]);
    const before = pages();
    clock.turn(31 * DAY);
    forget();
    const free = Number(query("PRAGMA freelist_count")[0]);
    expect(free).toBeGreaterThan(300);
    expect(store.upkeep.shrink(100)).toBe(free - 100);
    while (store.upkeep.shrink(100) > 0);
    expect(pages()).toBeLessThan(before - 300);
    expect(query("PRAGMA integrity_check")).toEqual(["ok"]);

    const old = join(tempDir(), "old.db");
    const raw = new Database(old);
    raw.exec("CREATE TABLE of_before (x); DROP TABLE of_before");
    raw.close();
    using older = openStore(old, clock);
    expect(older.upkeep.shrink(100)).toBe(0);
  });
});

test("a database of before there was retention keeps what it holds, and forgets it in its time", () => {
  const path = join(tempDir(), "a.db");
  const clock = testClock(Date.now());
  const before = MIGRATIONS.findIndex((sql) => sql.includes("audit_anchor"));
  const old = new Database(path);
  for (const sql of MIGRATIONS.slice(0, before)) old.exec(sql);
  old.pragma(`user_version = ${before}`);
  old.exec(`
    INSERT INTO outbox (chat_id, thread_id, act, priority, state, created_at) VALUES (7, 0, '{}', 0, 'sent', ${clock() - 40 * DAY});
    INSERT INTO outbox (chat_id, thread_id, act, priority, state, created_at) VALUES (7, 0, '{}', 0, 'queued', ${clock() - 40 * DAY});
    INSERT INTO conversations (id, chat_id, thread_id) VALUES (1, 7, 0);
    INSERT INTO buttons (nonce, group_key, action, conversation_id, user_id) VALUES ('n', 'g', '{"kind":"dismiss"}', 1, 7);
  `);
  old.close();
  using store = openStore(path, clock);
  expect([...store.retention.slices(TIMES)]).toEqual([1]);
  expect(store.outbox.next(7)?.id).toBe(2);
  const press = { nonce: "n", conversation: { chatId: 7, threadId: null }, userId: 7, isOwner: false };
  clock.turn(31 * DAY); // nobody knows when that button was offered: its time begins now
  expect(store.buttons.peek("n")).toEqual({ kind: "dismiss" });
  expect([...store.retention.slices(TIMES)]).toEqual([1]);
  expect(store.buttons.press(press)).toEqual({ kind: "refused", reason: "expired" });
});
