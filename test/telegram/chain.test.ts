import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { Update, UserFromGetMe } from "grammy/types";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { createBotApi } from "../../src/demo/bot-api/bot-api.ts";
import type { AuditEvent } from "../../src/domain/audit-event.ts";
import type { Now } from "../../src/domain/clock.ts";
import type { Reach } from "../../src/domain/fault-point.ts";
import type { Verdict } from "../../src/domain/verdict.ts";
import { createLogger, type Logger } from "../../src/log/logger.ts";
import { createSecretFinder, redactShapes } from "../../src/log/redact.ts";
import { createGuard, GATE_ORDER, type Gate, type Guard, type Refusal } from "../../src/security/admit.ts";
import { faultOfProjectName } from "../../src/security/path-text.ts";
import { createSecurity } from "../../src/security/security.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { createBot } from "../../src/telegram/bot.ts";
import { openTelegram } from "../../src/telegram/door.ts";
import { createReplies } from "../../src/telegram/replies.ts";
import type { Sender } from "../../src/telegram/sender.ts";
import { whenText } from "../../src/telegram/wording-time.ts";
import { createProjects } from "../../src/workspace/projects.ts";
import { outgoingOf } from "../support/outgoing.ts";
import { testClock } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";
import { STALE_AFTER_MS, turnsBench } from "../support/turns.ts";

const TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
/** The owner, and one more whom he admits. */
const [OWNER, GUEST] = [7, 8];
const ME: UserFromGetMe = {
  id: 1,
  is_bot: true,
  first_name: "Sallyport",
  username: "sallyport_bot",
  can_join_groups: false,
  can_read_all_group_messages: false,
  can_manage_bots: false,
  supports_inline_queries: false,
  can_connect_to_business: false,
  has_main_web_app: false,
  has_topics_enabled: false,
  allows_users_to_create_topics: false,
} as UserFromGetMe;

const silent = createLogger({ level: "silent", format: "json", secretValues: [] });

function configOf({ burst = 10, apiRoot = "http://127.0.0.1:1" } = {}): Config {
  return {
    telegram: { apiRoot },
    access: { allowedUsers: [OWNER, GUEST], ownerUsers: [OWNER] },
    claude: { auth: "api-key" },
    staleAfterMs: STALE_AFTER_MS,
    retention: { contentMs: 30 * 86_400_000, auditMs: 365 * 86_400_000 },
    limits: {
      requestsPerWindow: 60,
      windowMs: 60_000,
      burst,
      costPerUserMicroUsd: 10_000_000,
      isCostLimitExplicit: false,
      costWindow: "day",
      costPerRequestMicroUsd: 5_000_000,
      maxPromptChars: 100,
    },
  } as unknown as Config;
}

interface ChainOptions {
  readonly path?: string;
  readonly now?: Now;
  readonly burst?: number;
  readonly names?: readonly string[];
  readonly guardOf?: (security: { readonly guard: Guard }, notes: string[]) => Guard;
  readonly reach?: Reach;
  /** Who is a stranger by the time that it is written what an update leads to. */
  readonly isStranger?: (userId: number | null) => boolean;
}

/** The chain on a real database, with real gates unless others are given. Between it and Telegram stands nothing. */
function createChain({
  path = join(tempDir(), "test.db"),
  now = testClock(),
  burst = 10,
  names = ["app"],
  guardOf,
  reach = () => undefined,
  isStranger,
}: ChainOptions = {}) {
  const store = openStore(path, now, { reach });
  const notes: string[] = [];
  const events: AuditEvent[] = [];
  const toasts: (string | null)[] = [];
  const security = createSecurity({
    config: configOf({ burst }),
    tokenSecret: null,
    store,
    log: silent,
    now,
    steadyNow: now,
    redactText: redactShapes,
  });
  const bench = turnsBench({ store });
  onTestFinished(async () => {
    await bench.turns.close();
    store[Symbol.dispose]();
  });
  const approved = tempDir();
  for (const name of names) mkdirSync(join(approved, name));
  const sender: Sender = {
    kick: (chatId) => void notes.push(`kick ${chatId}`),
    start: () => undefined,
    watch: () => undefined,
    unwatch: () => undefined,
    show: async () => true,
    react: (_, __, emoji) => void notes.push(`react ${emoji}`),
    clearKeys: () => void notes.push("clearKeys"),
    answerPress: (_, text) => void toasts.push(text),
    close: async () => undefined,
  };
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  const bot = createBot({
    token: TOKEN,
    apiRoot: "http://127.0.0.1:1",
    store,
    turns: {
      ...bench.turns,
      submit: (draft) => {
        notes.push("submit");
        return bench.turns.submit(draft);
      },
    },
    projects: createProjects({
      approvedDirectory: approved,
      isOffered: () => true,
      isNameable: (name) => faultOfProjectName(name) === null,
      log: silent,
    }),
    replies: createReplies({
      store,
      outgoing: outgoingOf(),
      kick: () => undefined,
      answerPress: sender.answerPress,
    }),
    sender,
    log: silent,
    now,
    mode: "ask",
    findViolation: async (_, name) =>
      /[;|]/.test(name) ? "injection" : name.includes("..") ? "path_traversal" : null,
    accessOf: async () => [],
    findFile: async () => ({ kind: "gone" }),
    ageOf: () => 0,
    staleAfterMs: STALE_AFTER_MS,
    signal: ending.signal,
    bury: ({ update_id: id }) => {
      notes.push(`bury ${id}`);
      store.inbox.bury(id);
    },
    allowedHosts: [],
    owners: security.people.owners,
    people: security.people,
    access: security.access,
    isStranger: isStranger ?? security.isStranger,
    knocked: () => undefined,
    tellAgainMs: 60_000,
    seen: store.logins.seen,
    lock: security.lock,
    guard: guardOf?.(security, notes) ?? security.guard,
    record: (event, who) => {
      events.push(event);
      security.audit.record(event, who);
    },
    admitted: (request) => {
      notes.push("admitted");
      security.audit.admitted(request);
    },
    saveLimits: security.saveLimits,
    refund: security.refund,
    spending: security.spending,
  });
  bot.botInfo = ME;
  const disk = new Database(path);
  onTestFinished(() => void disk.close());

  /** Brings an update in as the poller does, and waits until the chain has run. */
  async function handle(update: Update): Promise<void> {
    store.inbox.insert([{ updateId: update.update_id, body: JSON.stringify(update) }]);
    await bot.handleUpdate(update).catch(bot.errorHandler);
  }

  return {
    store,
    notes,
    events,
    toasts,
    turns: bench,
    handle,
    disk,
    /** What the bot has written for the screen, oldest first. */
    texts: () => outbox(disk).map(({ act }) => act.body.text),
    /** The keys of the newest message that has some, as label and data. */
    keys: () => {
      const rows = outbox(disk).findLast(({ act }) => act.body.buttons.length > 0);
      return (rows?.act.body.buttons ?? []).flat();
    },
    works: () => count(disk, "work"),
    approved,
    stateOf: (updateId: number) =>
      disk.prepare<[number], { state: string }>("SELECT state FROM inbox WHERE update_id = ?").get(updateId)
        ?.state,
  };
}

interface Shown {
  readonly act: {
    readonly body: {
      readonly text: string;
      readonly buttons: readonly (readonly { text: string; data: string }[])[];
    };
  };
}

function outbox(disk: Database.Database): readonly Shown[] {
  const rows = disk.prepare<[], { act: string }>("SELECT act FROM outbox ORDER BY id").all();
  return rows.map(({ act }) => ({ act: JSON.parse(act) as Shown["act"] }));
}

function count(disk: Database.Database, table: string): number {
  return disk.prepare<[], { n: number }>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? 0;
}

let lastId = 0;
const nextId = (): number => (lastId += 1);
const user = (id: number) => ({ id, is_bot: false, first_name: `P${id}` });
const chat = (id: number) => ({ id, type: "private", first_name: `P${id}` });
function say(text: string, { from = OWNER, id = nextId() } = {}): Update {
  const length = text.split(/\s/)[0]?.length ?? 0;
  const entities = text.startsWith("/") ? { entities: [{ type: "bot_command", offset: 0, length }] } : {};
  const message = { message_id: id, date: 1, chat: chat(from), from: user(from), text, ...entities };
  return { update_id: id, message } as unknown as Update;
}
function edited(messageId: number, text: string): Update {
  const message = {
    message_id: messageId,
    date: 1,
    edit_date: 2,
    chat: chat(OWNER),
    from: user(OWNER),
    text,
  };
  return { update_id: nextId(), edited_message: message } as unknown as Update;
}
function press(data: string, { from = OWNER, chatId }: { from?: number; chatId?: number } = {}): Update {
  const message = { message_id: 1, date: 1, chat: chat(chatId ?? from), from: { ...ME } };
  return {
    update_id: nextId(),
    callback_query: { id: "1", from: user(from), chat_instance: "1", message, data },
  } as unknown as Update;
}

test("who is taken out between the gates and the writing leaves nothing behind, and his update is done", async () => {
  const gone = new Set<number | null>();
  const chain = createChain({ isStranger: (userId) => gone.has(userId) });
  await chain.handle(say("before", { from: GUEST }));
  expect(chain.works()).toBe(1);
  const shown = chain.texts().length;
  gone.add(GUEST);
  const late = say("after", { from: GUEST });
  await chain.handle(late);
  await chain.handle(say("/status", { from: GUEST }));
  expect(chain.works()).toBe(1);
  expect(chain.texts()).toHaveLength(shown);
  expect(chain.stateOf(late.update_id)).toBe("done");
  await chain.handle(say("of another", { from: OWNER }));
  expect(chain.works()).toBe(2);
});

describe("the order of the gates", () => {
  /** A guard whose gates note that they were asked; the one that `refuse` names refuses. */
  const noting =
    (refuse: { readonly gate?: string; readonly with?: Refusal } = {}) =>
    (_: object, notes: string[]): Guard => {
      const gates = Object.fromEntries(
        GATE_ORDER.map((name) => [
          name,
          (request): Verdict => {
            notes.push(name);
            return refuse.gate === name && refuse.with ? refuse.with : { kind: "admit", request };
          },
        ]),
      ) as Record<(typeof GATE_ORDER)[number], Gate>;
      return createGuard({
        gates,
        onRefused: (_request, gate) => () => void notes.push(`refused by ${gate}`),
      });
    };

  test("what is admitted has passed every gate, in their order, before anything is written", async () => {
    const chain = createChain({ guardOf: noting() });
    const update = say("hello");
    await chain.handle(update);
    expect(chain.notes).toEqual([...GATE_ORDER, "admitted", "submit", "react 👀"]);
    expect(chain.works()).toBe(1);
    expect(chain.stateOf(update.update_id)).toBe("done");
  });

  const REFUSALS: readonly (readonly [(typeof GATE_ORDER)[number], Refusal, string | null])[] = [
    ["authenticate", { kind: "deny", reason: "not_whitelisted", detail: null }, null],
    ["authenticate", { kind: "deny", reason: "no_person", detail: null }, null],
    ["authenticate", { kind: "deny", reason: "not_private", detail: null }, null],
    [
      "checkLock",
      { kind: "locked", since: Date.UTC(2026, 10, 23, 12) },
      `Locked by an owner ${whenText(Date.UTC(2026, 10, 23, 12))}: \`sallyport unlock\` at the machine opens it. Nothing was run.`,
    ],
    [
      "limitRate",
      { kind: "wait", retryAfterMs: 3_001, isFirstInWindow: true },
      "That was a lot at once. Wait 4 s; what you sent was not run. More that comes too soon gets no answer for a while.",
    ],
    ["limitRate", { kind: "wait", retryAfterMs: 3_001, isFirstInWindow: false }, null],
    [
      "limitCost",
      {
        kind: "spent",
        spentMicroUsd: 10_200_000,
        limitMicroUsd: 10_000_000,
        returnsAt: null,
        isEquivalent: false,
      },
      "The budget is spent: $10.20 of $10.00, nothing is left. It does not return by itself; an owner may grant more (/grant).",
    ],
    ["validateInput", { kind: "deny", reason: "empty", detail: null }, "There was no text in that message."],
    [
      "validateInput",
      { kind: "deny", reason: "too_long", detail: "101 of at most 100" },
      "That message is too long (101 of at most 100). Nothing was run.",
    ],
  ];

  test.each(REFUSALS)(
    "what %s refuses (%j) reaches nothing after it; told: %j",
    async (gate, refusal, text) => {
      const chain = createChain({ guardOf: noting({ gate, with: refusal }) });
      for (const update of [say("hello"), say("/status"), say("/repo app"), press("x")]) {
        chain.notes.length = 0;
        const before = chain.texts().length;
        await chain.handle(update);
        expect(chain.notes).toEqual([
          ...GATE_ORDER.slice(0, GATE_ORDER.indexOf(gate) + 1),
          `refused by ${gate}`,
        ]);
        // A press is answered by what pops up, everything else by a message.
        const told = update.callback_query ? chain.toasts.splice(0) : chain.texts().slice(before);
        const isHeap = text === null && refusal.kind === "wait";
        const popUp = expect.stringContaining("That was a lot at once. Wait 4 s");
        expect(told).toEqual(isHeap && update.callback_query ? [popUp] : text === null ? [] : [text]);
        expect(chain.stateOf(update.update_id)).toBe("done");
      }
      expect(chain.works()).toBe(0);
      expect(chain.toasts).toEqual([]);
      expect(chain.events).toEqual([]);
    },
  );

  test("a refusal of what is no message at all is silent", async () => {
    const chain = createChain();
    const change = {
      chat: chat(OWNER),
      from: user(OWNER),
      date: 1,
      old_chat_member: {},
      new_chat_member: {},
    };
    await chain.handle({ update_id: nextId(), my_chat_member: change } as unknown as Update);
    await chain.handle({ update_id: nextId(), message: "nonsense" } as unknown as Update);
    await chain.handle({ update_id: nextId() });
    expect(chain.texts()).toEqual([]);
    expect(chain.notes).toEqual([]);
  });

  /** What Telegram tells of a person who blocks the bot, or no longer does. */
  const member = (status: string, from = OWNER): Update => {
    const about = { chat: chat(OWNER), from: user(from), date: 1 };
    const change = {
      ...about,
      old_chat_member: { status: "x", user: ME },
      new_chat_member: { status, user: ME },
    };
    return { update_id: nextId(), my_chat_member: change } as unknown as Update;
  };

  test.each([
    ["a message", () => say("hello"), true],
    ["a message that is refused", () => say(" "), true],
    ["a pressed button, known or not", () => press("x"), true],
    ["the bot no longer blocked", () => member("member"), true],
    ["the bot blocked", () => member("kicked"), false],
    ["the bot thrown out", () => member("left"), false],
    ["a stranger there", () => member("member", 6666), false],
    ["another chat", () => say("hello", { from: GUEST }), false],
  ])("H66: a chat that was shut to the bot is served again, or not, by %s", async (_, updateOf, isServed) => {
    const chain = createChain();
    chain.store.chats.park(OWNER);
    await chain.handle(updateOf());
    expect(chain.store.chats.isParked(OWNER)).toBe(!isServed);
    expect(chain.notes.filter((note) => note.startsWith("kick"))).toEqual(isServed ? [`kick ${OWNER}`] : []);
  });

  test("a refusal is put on record by the commit that ends its update, so that no crash records it twice or never", async () => {
    const reached: string[] = [];
    const chain = createChain({ burst: 1, reach: (point) => reached.push(point) });
    await chain.handle(say("first"));
    reached.length = 0;
    await chain.handle(say("too much"));
    const commits = reached.join(" ").match(/(\S+:before )+(\S+:after ?)+/g) ?? [];
    expect(commits.filter((commit) => commit.includes("audit.appended:before"))).toEqual([
      expect.stringContaining("inbox.done:before"),
    ]);
  });

  test("a gate that throws has not admitted: the update is set aside and nothing is written", async () => {
    const broken = (_: object, notes: string[]): Guard => {
      const guard = noting()(_, notes);
      return {
        ...guard,
        pass: (name, request, later) => {
          if (name === "limitCost") throw new Error("the books are shut");
          return guard.pass(name, request, later);
        },
      };
    };
    const chain = createChain({ guardOf: broken });
    const update = say("hello");
    await chain.handle(update);
    expect(chain.notes).toEqual(["authenticate", "checkLock", "limitRate", `bury ${update.update_id}`]);
    expect(chain.works()).toBe(0);
  });
});

describe("the rate limit", () => {
  test.each([1, 3, 10])(
    "H09: of a burst of 20 prompts, a capacity of %d lets exactly as many in and says so once",
    async (burst) => {
      const chain = createChain({ burst });
      await Promise.all(Array.from({ length: 20 }, () => chain.handle(say("go"))));
      expect(chain.works()).toBe(burst);
      const told = chain.texts().filter((text) => text.startsWith("That was a lot at once. Wait "));
      expect(told).toEqual([
        "That was a lot at once. Wait 1 s; what you sent was not run. More that comes too soon gets no answer for a while.",
      ]);
    },
  );

  test("H09: looking has a bucket of its own, three times as large; presses and /stop are never held back", async () => {
    const chain = createChain({ burst: 2 });
    for (let time = 0; time < 3; time += 1) await chain.handle(say("go"));
    expect(chain.works()).toBe(2);
    for (let time = 0; time < 8; time += 1) await chain.handle(say("/help"));
    expect(chain.texts().filter((text) => text.includes("/status: ")).length).toBe(6);
    for (let time = 0; time < 20; time += 1) {
      await chain.handle(say("/stop"));
      await chain.handle(press("unknown"));
    }
    expect(chain.toasts.length).toBe(20);
    expect(chain.events.filter(({ type }) => type === "command.run").length).toBe(6 + 20);
  });

  test("an edit takes no token of work, and of one that is run anew only the press does", async () => {
    const chain = createChain({ burst: 3 });
    await chain.handle(say("/status", { id: 500 }));
    for (const text of ["/statu", "/stat", "/sta", "/st"]) await chain.handle(edited(500, text));
    const id = nextId();
    await chain.handle(say("first", { id }));
    await chain.turns.asked();
    await chain.handle(edited(id, "first, bettered"));
    await chain.handle(press(chain.keys()[0]?.data ?? ""));
    expect(chain.works()).toBe(2);
    await chain.handle(say("third"));
    await chain.handle(say("too much"));
    expect(chain.works()).toBe(3);
  });

  test("the correction of a message that waits is taken and told however much was sent before: the old words never run", async () => {
    const chain = createChain({ burst: 2 });
    await chain.handle(say("a long one"));
    const running = await chain.turns.asked();
    const id = nextId();
    await chain.handle(say("delete it all", { id }));
    for (let time = 0; time < 3; time += 1) await chain.handle(say("too much"));
    for (let time = 0; time < 9; time += 1) await chain.handle(say("/help"));
    const told = chain.texts().length;
    await chain.handle(edited(id, "leave it all"));
    expect(chain.texts().slice(told)).toEqual(["The waiting message now has your new text."]);
    for (let time = 0; time < 30; time += 1) await chain.handle(edited(id, `leave it all ${time}`));
    expect(chain.texts().slice(told), "a flood of them is answered now and then").toHaveLength(1);
    running.end();
    expect((await chain.turns.asked()).prompt).toBe("leave it all 29");
  });

  test("one person's burst does not touch another's", async () => {
    const chain = createChain({ burst: 2 });
    for (let time = 0; time < 5; time += 1) await chain.handle(say("go"));
    await chain.handle(say("mine", { from: GUEST }));
    expect(chain.works()).toBe(3);
  });

  test("H10: the buckets survive a restart, refill by the clock, and a refusal stays told", async () => {
    const path = join(tempDir(), "test.db");
    const now = testClock();
    const before = createChain({ path, now, burst: 3 });
    for (let time = 0; time < 5; time += 1) await before.handle(say("go"));
    expect(before.works()).toBe(3);

    const after = createChain({ path, now, burst: 3 });
    const told = after.texts().length;
    await after.handle(say("go"));
    expect(after.works()).toBe(3);
    expect(after.texts().length).toBe(told);
    now.turn(2_000); // one token a second
    for (let time = 0; time < 5; time += 1) await after.handle(say("go"));
    expect(after.works()).toBe(5);
  });

  test("H43: an update that is handled once more, as after a crash, is charged once and runs once", async () => {
    const chain = createChain({ burst: 2 });
    const first = say("go");
    await chain.handle(first);
    await chain.handle(first);
    await chain.handle(say("go on"));
    expect(chain.works()).toBe(2);
    await chain.handle(say("and on"));
    expect(chain.works()).toBe(2);
  });
});

describe("what cannot be written", () => {
  /** Makes one kind of writing fail, as a full disk would. */
  const breaking = (disk: Database.Database, table: string): (() => void) => {
    disk.exec(
      `CREATE TRIGGER broken BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`,
    );
    return () => disk.exec("DROP TRIGGER broken");
  };

  test("nothing of a request is kept, the update is set aside, and the token is given back", async () => {
    const chain = createChain({ burst: 1 });
    const mend = breaking(chain.disk, "buckets");
    const failed = say("go");
    await chain.handle(failed);
    expect([chain.works(), count(chain.disk, "outbox"), count(chain.disk, "audit")]).toEqual([0, 0, 0]);
    expect(chain.stateOf(failed.update_id)).toBe("dead");
    mend();
    await chain.handle(say("go"));
    expect(chain.works()).toBe(1);
  });

  test("H17: what cannot be put on record does not happen", async () => {
    const chain = createChain();
    breaking(chain.disk, "audit");
    const update = say("go");
    await chain.handle(update);
    expect(chain.works()).toBe(0);
    expect(chain.stateOf(update.update_id)).toBe("dead");
  });

  test("a refusal whose telling failed is told the next time", async () => {
    const chain = createChain({ burst: 1 });
    await chain.handle(say("go"));
    const mend = breaking(chain.disk, "outbox");
    await chain.handle(say("too much"));
    mend();
    await chain.handle(say("too much"));
    expect(chain.texts().filter((text) => text.startsWith("That was a lot")).length).toBe(1);
  });
});

describe("buttons", () => {
  const names = ["alpha", "beta", "gamma"];
  const projectOf = (store: Store, chatId = OWNER): string | null =>
    store.conversations.at({ chatId, threadId: null }).project;

  test("H01, H24: the keys of /repo carry nonces: no name, no path, at most 64 bytes, never the same twice", async () => {
    const chain = createChain({
      names: ["alpha", "a rather long name of a project with ünïcödé in it 📁", "beta"],
    });
    await chain.handle(say("/repo"));
    const first = chain.keys();
    expect(first.map(({ text }) => text)).toEqual([
      "a rather long name of a project with ünïcödé in it 📁",
      "alpha",
      "beta",
    ]);
    await chain.handle(say("/repo"));
    const all = [...first, ...chain.keys()].map(({ data }) => data);
    for (const data of all) expect(data).toMatch(/^[\w-]{22}$/);
    expect(new Set(all).size).toBe(6);
  });

  test("a press chooses the project, once: the second press of the same key, and of its neighbours, is a replay", async () => {
    const chain = createChain({ names });
    await chain.handle(say("/repo"));
    const [alpha, beta] = chain.keys();
    await chain.handle(press(beta?.data ?? ""));
    expect(projectOf(chain.store)).toBe("beta");
    await chain.handle(press(beta?.data ?? ""));
    await chain.handle(press(alpha?.data ?? ""));
    expect(projectOf(chain.store)).toBe("beta");
    expect(chain.toasts).toEqual([
      null,
      "This has been answered already.",
      "This has been answered already.",
    ]);
    const replay = { type: "violation.replay", what: "button" };
    expect(chain.events.filter(({ type }) => type.startsWith("violation."))).toEqual([replay, replay]);
  });

  test.each(["", "alpha", "../..", "/etc", "A".repeat(22), "A".repeat(64), "\u0000", "' OR 1=1 --"])(
    "H24: a forged press of %j does nothing but answer and go on record",
    async (data) => {
      const chain = createChain({ names });
      await chain.handle(say("/repo"));
      const shown = chain.texts().length;
      await chain.handle(press(data));
      expect(chain.toasts).toEqual(["This button is not one of mine."]);
      expect(chain.events.at(-1)).toEqual({ type: "violation.forged_callback", what: "unknown" });
      expect(projectOf(chain.store)).toBeNull();
      expect(chain.texts().length).toBe(shown);
    },
  );

  test("H24: another person's key does nothing in another chat, nor in the same chat; it stays good for its owner", async () => {
    const chain = createChain({ names });
    await chain.handle(say("/repo"));
    const data = chain.keys()[0]?.data ?? "";
    await chain.handle(press(data, { from: GUEST }));
    await chain.handle(press(data, { from: GUEST, chatId: OWNER }));
    await chain.handle(press(data, { from: OWNER, chatId: GUEST }));
    expect(chain.toasts).toEqual([
      "This button belongs to another conversation.",
      "Only the person asked, or an owner, may press this.",
      "This button belongs to another conversation.",
    ]);
    const forged = chain.events.filter(({ type }) => type === "violation.forged_callback");
    expect(forged.map((event) => "what" in event && event.what)).toEqual([
      "elsewhere",
      "not_yours",
      "elsewhere",
    ]);
    expect(projectOf(chain.store)).toBeNull();
    await chain.handle(press(data));
    expect(projectOf(chain.store)).toBe("alpha");
  });

  test("an owner may press what was made for a person he admitted", async () => {
    const chain = createChain({ names });
    await chain.handle(say("/repo", { from: GUEST }));
    await chain.handle(press(chain.keys()[1]?.data ?? "", { from: OWNER, chatId: GUEST }));
    expect(projectOf(chain.store, GUEST)).toBe("beta");
  });

  test("pages turn by keys that stay inside the list, forward and back", async () => {
    const many = Array.from({ length: 20 }, (_, index) => `p${String(index).padStart(2, "0")}`);
    const chain = createChain({ names: many });
    await chain.handle(say("/repo"));
    const labels = (): readonly string[] => chain.keys().map(({ text }) => text);
    const turn = async (label: string) =>
      chain.handle(press(chain.keys().find(({ text }) => text === label)?.data ?? ""));
    expect(labels()).toEqual([...many.slice(0, 8), "More ›"]);
    await turn("More ›");
    expect(labels()).toEqual([...many.slice(8, 16), "‹ Earlier", "More ›"]);
    await turn("More ›");
    expect(labels()).toEqual([...many.slice(16), "‹ Earlier"]);
    await turn("‹ Earlier");
    await turn("p09");
    expect(projectOf(chain.store)).toBe("p09");
  });
});

test("a stranger's command that an owner forwards does nothing but be answered in one line and go on record", async () => {
  const chain = createChain();
  for (const text of ["/lock", "/grant 7 50"]) {
    const { message, ...update } = say(text);
    const origin = { type: "user", date: 1, sender_user: user(666) };
    await chain.handle({ ...update, message: { ...message, forward_origin: origin } } as unknown as Update);
  }
  expect(chain.texts()).toEqual(Array(2).fill(expect.stringContaining("write it yourself")));
  expect(chain.events).toEqual([]);
  const refused = chain.disk.prepare("SELECT data FROM audit WHERE type = 'request.refused'").all();
  expect(refused).toHaveLength(2);
});

describe("folders that their names keep from being projects", () => {
  const odd = "Q&A | notes; 2026";
  const violations = (chain: ReturnType<typeof createChain>) =>
    chain.events.filter(({ type }) => type.startsWith("violation."));

  test("are told where there is nothing else, and who asks for one by its name has tried nothing", async () => {
    const chain = createChain({ names: [odd, "a$b"] });
    await chain.handle(say("hello"));
    await chain.handle(say(`/repo ${odd}`));
    await chain.handle(say("/repo"));
    const told = chain.texts();
    expect(told).toHaveLength(3);
    for (const text of told)
      expect(text).toMatch(/^Not offered, since the name of a project .*"Q&A \| notes; 2026"/);
    expect(told.map((text) => text.includes('"a$b"'))).toEqual([true, false, true]);
    expect([chain.works(), violations(chain)]).toEqual([0, []]);
    await chain.handle(say("/repo Q&A | notes"));
    expect(violations(chain)).toEqual([{ type: "violation.injection", path: "Q&A | notes" }]);
  });

  test("stand in a line below the others, three of them by name, with nothing hidden in them", async () => {
    const chain = createChain({ names: ["app", "other", "a;1", "a;2\u202e", "a;3", "a;4"] });
    await chain.handle(say("/repo"));
    expect(chain.texts()[0]).toMatch(/^Which project\?\n\n.*: "a;1", "a;2\\u\{202e\}", "a;3" and 1 more\. /);
    expect(chain.keys().map(({ text }) => text)).toEqual(["app", "other"]);
    await chain.handle(say("/repo a;1"));
    expect(chain.store.conversations.at({ chatId: OWNER, threadId: null }).project).toBeNull();
  });
});

const projectIn = (chain: ReturnType<typeof createChain>) =>
  chain.store.conversations.at({ chatId: OWNER, threadId: null }).project;

test("a project is found by its name in another form of Unicode", async () => {
  const [composed, apart] = ["caf\u00e9", "cafe\u0301"];
  const one = createChain({ names: [apart, "other"] });
  await one.handle(say(`/repo ${composed}`));
  expect(projectIn(one)).toBe(apart);
  await one.handle(say("/repo other"));
  await one.handle(say("/repo CAF\u00c9"));
  expect(projectIn(one)).toBe("other");
  expect(one.keys().map(({ text }) => text)).toEqual([apart]);
});

test.skipIf(process.platform === "darwin")(
  "of two projects of one name in two forms neither is taken for a third form",
  async () => {
    const two = createChain({ names: ["\u00ea\u0301", "e\u0302\u0301"] });
    await two.handle(say("/repo \u1ebf"));
    expect(projectIn(two)).toBeNull();
    expect(two.keys()).toHaveLength(2);
    await two.handle(say("/repo e\u0302\u0301"));
    expect(projectIn(two)).toBe("e\u0302\u0301");
  },
);

describe("the approved directory goes away for a while", () => {
  test.each([
    ["is gone", (): void => undefined],
    ["is a file", (path: string) => writeFileSync(path, "")],
  ])(
    "%s: what is sent is kept, on record and told with what mends it, and runs once it is back",
    async (_, put) => {
      const chain = createChain({ names: ["app", "other"] });
      await chain.handle(say("/repo app"));
      const away = `${chain.approved}.away`;
      renameSync(chain.approved, away);
      put(chain.approved);
      const update = say("important words");
      await chain.handle(update);
      await chain.handle(say("/repo app"));
      expect(chain.stateOf(update.update_id)).toBe("done");
      const mend = `I cannot read the approved directory just now. At the machine: '${chain.approved}' is no folder any more`;
      const told = chain.texts().filter((text) => text.startsWith(mend));
      expect(told.map((text) => text.includes("Your message is kept."))).toEqual([true, false]);
      expect(chain.notes.filter((note) => note === "admitted")).toHaveLength(3);
      const queued = () =>
        chain.store.work.queued(chain.store.conversations.at({ chatId: OWNER, threadId: null }).id);
      expect(queued()).toMatchObject([{ text: "important words", project: null }]);

      rmSync(chain.approved, { force: true });
      renameSync(away, chain.approved);
      await chain.handle(say("after"));
      const first = await chain.turns.asked();
      expect(first).toMatchObject({ prompt: "important words", session: { project: "/projects/app" } });
      first.end();
      expect((await chain.turns.asked()).prompt).toBe("after");
    },
  );

  test("a choice of the project runs what was kept as well", async () => {
    const chain = createChain();
    const away = `${chain.approved}.away`;
    renameSync(chain.approved, away);
    await chain.handle(say("important words"));
    renameSync(away, chain.approved);
    await chain.handle(say("/repo app"));
    expect((await chain.turns.asked()).prompt).toBe("important words");
  });
});

/** The whole door on a Bot API over HTTP, with turns of a scripted Claude behind it. */
async function openDoor({ seed }: { seed?: (store: Store) => void } = {}) {
  const api = createBotApi({ token: TOKEN, now: Date.now });
  const apiRoot = await api.listen();
  const [owner, guest] = [OWNER, GUEST].map((id) => api.user({ id, firstName: `P${id}` }).chat());
  if (!owner || !guest) throw new Error("there are two");
  owner.open();
  guest.open();
  api.addChat({ id: -1001, type: "supergroup", title: "Team" });
  const path = join(tempDir(), "test.db");
  const store = openStore(path, Date.now);
  seed?.(store);
  let output = "";
  const log: Logger = createLogger({
    level: "debug",
    format: "json",
    secretValues: [TOKEN],
    destination: { write: (text) => (output += text) },
  });
  const config = configOf({ apiRoot });
  const security = createSecurity({
    config,
    tokenSecret: null,
    store,
    log,
    now: Date.now,
    redactText: redactShapes,
  });
  const bench = turnsBench({ store });
  let fault: Error | null = null;
  const door = openTelegram({
    token: TOKEN,
    config,
    store,
    security,
    secrets: createSecretFinder([]),
    log,
    now: Date.now,
  });
  const received = door.receive({
    turns: bench.turns,
    projects: {
      list: async () => {
        if (fault) throw fault;
        return { kind: "listed", names: ["app"], misnamed: [] };
      },
    },
    mode: "ask",
    findViolation: async () => null,
    accessOf: async () => [],
    findFile: async () => ({ kind: "gone" }),
    onPoll: () => undefined,
  });
  onTestFinished(async () => {
    await door.stop();
    await received;
    await bench.turns.close();
    await door.close();
    store[Symbol.dispose]();
    await api.close();
  });
  const disk = new Database(path);
  onTestFinished(() => void disk.close());
  return {
    api,
    store,
    disk,
    owner,
    guest,
    log: () => output,
    break: (error: Error | null) => {
      fault = error;
    },
    stateOf: (updateId: number) =>
      disk.prepare<[number], { state: string }>("SELECT state FROM inbox WHERE update_id = ?").get(updateId)
        ?.state,
    texts: (chatId: number) =>
      api
        .messages(chatId)
        .filter(({ isFromBot }) => isFromBot)
        .map(({ text }) => text),
  };
}

describe("an update that cannot be handled", () => {
  test("is set aside: its person and the owner are told, nothing of it is written, and the next one is handled", async () => {
    const door = await openDoor();
    door.break(new Error("the folder cannot be read"));
    const { updateId, messageId } = door.guest.send("go");
    const told = await door.api.waitForMessage(GUEST, ({ text }) => text.includes("set aside unhandled"));
    expect(told.replyTo).toBe(messageId);
    await door.api.waitForMessage(OWNER, ({ text }) => text.includes("A message could not be handled"));
    expect(door.stateOf(updateId)).toBe("dead");
    expect([count(door.disk, "work"), count(door.disk, "buckets")]).toEqual([0, 0]);
    const onRecord = door.disk.prepare("SELECT type, user_id, data FROM audit").all() as { data: string }[];
    expect(onRecord).toMatchObject([{ type: "request.refused", user_id: GUEST }]);
    expect(JSON.parse(onRecord[0]?.data ?? "")).toMatchObject({ gate: "handler", reason: "fault" });
    expect(door.log()).toContain("the folder cannot be read");
    expect(door.log()).toContain('"event":"inbox.buried"');

    door.break(null);
    const next = door.guest.send("go again");
    await door.api.waitFor(() => door.stateOf(next.updateId) === "done", { what: "the next message" });
    expect(count(door.disk, "work")).toBe(1);
    expect(door.texts(GUEST).length).toBe(1);
  });

  test("an owner whose own message fails is told once", async () => {
    const door = await openDoor();
    door.break(new Error("the folder cannot be read"));
    door.owner.send("go");
    await door.api.waitForMessage(OWNER, ({ text }) => text.includes("set aside unhandled"));
    door.break(null);
    door.owner.send("/help");
    await door.api.waitForMessage(OWNER, ({ text }) => text.includes("/status:"));
    expect(door.texts(OWNER).length).toBe(2);
  });

  test("when not even that can be written it waits, durable and untouched, and is handled once that is over", async () => {
    const stores: Store[] = [];
    const door = await openDoor({ seed: (store) => void stores.push(store) });
    const { finish } = stores[0]?.inbox ?? {};
    const full = (): never => {
      throw new Database.SqliteError("database or disk is full", "SQLITE_FULL");
    };
    Object.assign(stores[0]?.inbox ?? {}, { finish: full });
    const { updateId } = door.owner.send("go");
    for (const deadline = performance.now() + 5_000; door.log().split("update.again").length < 3; ) {
      if (performance.now() > deadline) throw new Error(door.log());
      await new Promise((resolve) => setImmediate(resolve));
    }
    await door.api.waitFor(() => door.api.pendingUpdates().length === 0, { what: "the confirmation" });
    expect(door.stateOf(updateId)).toBe("new");
    const written = ["work", "buckets", "outbox", "audit"].map((table) => count(door.disk, table));
    expect(written).toEqual([0, 0, 0, 0]);

    Object.assign(stores[0]?.inbox ?? {}, { finish });
    const next = door.owner.send("/help");
    await door.api.waitForMessage(OWNER, ({ text }) => text.includes("/status:"));
    await door.api.waitFor(() => door.stateOf(updateId) === "done", { what: "the message that waited" });
    expect(door.stateOf(next.updateId)).toBe("done");
    expect(count(door.disk, "work")).toBe(1);
    expect(door.texts(OWNER).length).toBe(1);
  });

  test("H19: one that ended the daemon three times is set aside; in a group that is not said", async () => {
    const inGroup = {
      message_id: 2,
      date: 1,
      chat: { id: -1001, type: "supergroup" },
      from: user(GUEST),
      text: "hello",
    };
    const poison = say("poison", { from: GUEST });
    const silent = { update_id: nextId(), message: inGroup } as unknown as Update;
    const door = await openDoor({
      seed: (store) => {
        const updates = [poison, silent];
        store.inbox.insert(
          updates.map((update) => ({ updateId: update.update_id, body: JSON.stringify(update) })),
        );
        for (const { update_id: id } of updates)
          for (let life = 0; life < 3; life += 1) store.inbox.attempt(id);
      },
    });
    await door.api.waitForMessage(GUEST, ({ text }) => text.includes("set aside unhandled"));
    await door.api.waitFor(() => door.texts(OWNER).length === 2, { what: "both told to the owner" });
    door.guest.send("/help");
    await door.api.waitForMessage(GUEST, ({ text }) => text.includes("/status:"));
    expect(door.texts(-1001)).toEqual([]);
    expect([poison, silent].map(({ update_id: id }) => door.stateOf(id))).toEqual(["dead", "dead"]);
    expect(count(door.disk, "work")).toBe(0);
  });
});
