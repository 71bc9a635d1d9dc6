import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import type { Update, UserFromGetMe } from "grammy/types";
import type { Config } from "../../src/config/config.ts";
import type { Logger } from "../../src/log/logger.ts";
import { createSecretFinder, redactShapes } from "../../src/log/redact.ts";
import { createSecurity } from "../../src/security/security.ts";
import { openStore } from "../../src/store/store.ts";
import { type BotDeps, createBot } from "../../src/telegram/bot.ts";
import { createOutgoing } from "../../src/telegram/outgoing.ts";
import { createReplies } from "../../src/telegram/replies.ts";
import type { Turns } from "../../src/turns/turns.ts";
import { PLAIN_PROSE } from "../../test/security/prose.ts";
import { type FuzzOptions, type FuzzResult, fuzz } from "./run.ts";

const [OWNER, GUEST] = [7, 8];
const ADMITTED: readonly number[] = [OWNER, GUEST];
const STEP_MS = 2_000;
/** Of a life that grows with every update the figures would be of the database. */
const UPDATES_A_LIFE = 20_000;

interface UpdateCase {
  readonly update: Record<string, unknown>;
  /** Plain prose of an admitted person in his own chat: has to become a prompt, as it is. */
  readonly prose: string | null;
}

/**
 * Updates through the whole chain, with real gates and a real store: none makes it stumble, nobody but those who are admitted
 * brings anything about (a word on the screen, work, a sign), and plain prose of theirs is never refused. In the place of turns
 * stands something that counts what is submitted.
 */
export async function fuzzUpdates(options: FuzzOptions): Promise<FuzzResult> {
  let life = createLife();
  let id = 0;

  async function check({ update, prose }: UpdateCase): Promise<readonly [string, string | null]> {
    id += 1;
    if (id % UPDATES_A_LIFE === 0) {
      life.end();
      life = createLife();
    }
    const before = { ...life.counts };
    await life.handle({ ...update, update_id: id });
    const { effects, submitted, buried } = life.counts;
    const isNobodys = !ADMITTED.some((user) => isOf(update, user));
    if (buried > before.buried) return ["buried", "the chain stumbled"];
    if (isNobodys && (effects > before.effects || submitted > before.submitted))
      return ["stranger", "a stranger brought something about"];
    if (prose !== null && life.counts.lastText !== prose)
      return ["prose", "plain prose was refused or changed"];
    if (prose !== null)
      return ["prose", submitted === before.submitted + 1 ? null : "plain prose did not become one prompt"];
    return [isNobodys ? "stranger" : "admitted", null];
  }

  try {
    return await fuzz(options, (seed, count) => fc.sample(cases, { seed, numRuns: count }), check);
  } finally {
    life.end();
  }
}

/** One life of the chain on a database of its own; its clock goes on with each update, so that no bucket runs dry. */
function createLife() {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-fuzz-"));
  const counts = { effects: 0, submitted: 0, buried: 0, lastText: "" };
  let time = Date.UTC(2026, 0, 1);
  const now = (): number => time;
  const opened = openStore(join(folder, "a.db"), now);
  const store = {
    ...opened,
    outbox: {
      ...opened.outbox,
      put: (draft: Parameters<typeof opened.outbox.put>[0]) => {
        counts.effects += 1;
        return opened.outbox.put(draft);
      },
    },
  };
  const security = createSecurity({
    config: CONFIG,
    tokenSecret: null,
    store,
    log: SILENT,
    now,
    steadyNow: now, // by the clock on the wall a fast machine would run into the rate limit
    redactText: redactShapes,
  });
  const effect = (): void => {
    counts.effects += 1;
  };
  const turns = {
    ...NO_TURNS,
    submit: ({ text }: { readonly text: string }) => {
      counts.submitted += 1;
      counts.lastText = text;
      return null;
    },
  } as unknown as Turns;
  const ending = new AbortController();
  const deps = {
    token: "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    apiRoot: "http://127.0.0.1:1",
    store,
    turns,
    projects: { list: async () => ({ kind: "listed", names: ["app"], misnamed: [] }) },
    replies: createReplies({
      store,
      outgoing: createOutgoing(createSecretFinder([])),
      kick: () => undefined,
      answerPress: effect,
    }),
    sender: { ...NO_SENDER, react: effect, clearKeys: effect, answerPress: effect },
    log: SILENT,
    now,
    mode: "ask",
    findViolation: async () => null,
    accessOf: async () => [],
    findFile: async () => ({ kind: "gone" }),
    ageOf: () => 0,
    staleAfterMs: 900_000,
    signal: ending.signal,
    bury: ({ update_id: id }: Update) => {
      counts.buried += 1;
      store.inbox.bury(id);
    },
    allowedHosts: [],
    owners: security.people.owners,
    people: security.people,
    access: security.access,
    isStranger: security.isStranger,
    seen: store.logins.seen,
    lock: security.lock,
    guard: security.guard,
    record: security.audit.record,
    admitted: security.audit.admitted,
    saveLimits: security.saveLimits,
    refund: security.refund,
    spending: security.spending,
  } as unknown as BotDeps;
  const bot = createBot(deps);
  bot.botInfo = ME;

  return {
    counts,
    handle: async (update: Record<string, unknown> & { readonly update_id: number }): Promise<void> => {
      time += STEP_MS;
      store.inbox.insert([{ updateId: update.update_id, body: JSON.stringify(update) }]);
      await bot.handleUpdate(update as unknown as Update).catch(bot.errorHandler);
    },
    end: (): void => {
      ending.abort();
      opened[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Whether a part of the update that names who acts names that person: then it may bring something about. */
function isOf(value: unknown, user: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, part]: [string, unknown]) => {
    const isPerson = (key === "from" || key === "user") && typeof part === "object" && part !== null;
    return (isPerson && Reflect.get(part, "id") === user) || isOf(part, user);
  });
}

const person = (ids: readonly number[]) =>
  fc.record({ id: fc.constantFrom(...ids), is_bot: fc.constant(false), first_name: fc.constant("A") });
const anybody = fc.oneof(
  { weight: 4, arbitrary: person([OWNER, GUEST]) },
  { weight: 4, arbitrary: person([9, 70, 78, -7, 0, 2 ** 53]) },
  {
    weight: 1,
    arbitrary: fc.record({
      id: fc.constantFrom<unknown>("7", 7.5, null, OWNER, [7]),
      is_bot: fc.constantFrom<unknown>(true, "no"),
      first_name: fc.string(),
    }),
  },
);
const chat = fc.oneof(
  { weight: 4, arbitrary: fc.record({ id: fc.constantFrom(OWNER, GUEST, 9), type: fc.constant("private") }) },
  fc.record({
    id: fc.constantFrom(-5, -100_5, OWNER),
    type: fc.constantFrom("group", "supergroup", "channel", "private"),
    title: fc.constant("g"),
  }),
);
const text = fc.oneof(
  fc.constantFrom(...PLAIN_PROSE),
  fc.constantFrom(
    "/start",
    "/help",
    "/status",
    "/repo",
    "/repo ../x",
    "/repo app",
    "/new",
    "/stop",
    "/hosts",
    "/audit",
    "/expose .env",
    "/login x",
    "/grant 9 5",
    "/nothing",
    "/",
    "/status@other_bot",
    "/unlock",
    "/users",
  ),
  fc.string({ unit: "binary", maxLength: 40 }),
);
const junk = fc.anything({ maxDepth: 2, withNullPrototype: false });

const message = fc.record(
  {
    message_id: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 99 }) }, junk),
    date: fc.oneof({ weight: 9, arbitrary: fc.constant(1_767_225_600) }, junk),
    chat: fc.oneof({ weight: 9, arbitrary: chat }, junk),
    from: fc.oneof({ weight: 9, arbitrary: anybody }, junk),
    text: fc.oneof({ weight: 9, arbitrary: text }, junk),
    caption: text,
    entities: fc.array(
      fc.record({
        type: fc.constantFrom("bot_command", "bold"),
        offset: fc.integer({ min: -1, max: 9 }),
        length: fc.integer({ min: 0, max: 9 }),
      }),
      { maxLength: 2 },
    ),
    message_thread_id: fc.oneof(fc.integer({ min: 1, max: 3 }), junk),
    sender_chat: chat,
    reply_to_message: junk,
    document: fc.oneof(
      fc.record({
        file_id: fc.string(),
        file_unique_id: fc.string(),
        file_name: fc.string(),
        file_size: fc.integer(),
      }),
      junk,
    ),
    photo: junk,
    sticker: junk,
    migrate_to_chat_id: fc.oneof(fc.integer(), junk),
    new_chat_members: fc.oneof(fc.array(anybody, { maxLength: 2 }), junk),
  },
  { requiredKeys: ["message_id", "date", "chat", "from"] },
);
const query = fc.record(
  {
    id: fc.string(),
    from: anybody,
    chat_instance: fc.string(),
    data: fc.oneof(fc.string(), fc.constantFrom("A".repeat(22), "__proto__")),
    message: fc.oneof(message, junk),
  },
  { requiredKeys: ["id", "from", "chat_instance"] },
);
const KINDS = [
  "edited_message",
  "channel_post",
  "inline_query",
  "my_chat_member",
  "chat_member",
  "chat_join_request",
  "poll",
  "poll_answer",
  "message_reaction",
  "business_message",
  "purchased_paid_media",
  "stopped_message_generation",
  "__proto__",
  "none",
] as const;

const withProse = fc.tuple(fc.constantFrom(...PLAIN_PROSE), fc.constantFrom(...ADMITTED)).map(
  ([prose, id]): UpdateCase => ({
    // A text that begins with a slash may be a command by Telegram's own rules, and spaces at the ends are gone by then.
    prose: prose.startsWith("/") ? null : prose,
    update: {
      message: {
        message_id: 5,
        date: 1_767_225_600,
        chat: { id, type: "private" },
        from: { id, is_bot: false, first_name: "A" },
        text: prose,
      },
    },
  }),
);
const other = fc
  .oneof(
    { weight: 5, arbitrary: fc.record({ message }) },
    { weight: 2, arbitrary: fc.record({ callback_query: query }) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.constantFrom(...KINDS), fc.oneof(message, query, junk))
        .map(([kind, value]) => ({ [kind]: value })),
    },
    { weight: 1, arbitrary: fc.record({ message: junk, callback_query: junk }) },
  )
  .map((update): UpdateCase => ({ update, prose: null }));
const cases: fc.Arbitrary<UpdateCase> = fc.oneof(
  { weight: 1, arbitrary: withProse },
  { weight: 3, arbitrary: other },
);

const nothing = (): undefined => undefined;
const SILENT = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
} as unknown as Logger;
const NO_SENDER = {
  kick: nothing,
  start: nothing,
  watch: nothing,
  unwatch: nothing,
  show: async () => true,
  close: async () => undefined,
};
const NO_TURNS = {
  keep: () => null,
  undelivered: nothing,
  edit: () => false,
  forget: nothing,
  chooseProject: nothing,
  paid: nothing,
  renew: nothing,
  halt: () => ({ ended: [], waiting: [] }),
  expel: nothing,
  status: () => ({ active: null, queued: [], heldBy: null, offered: [] }),
  askAgain: nothing,
  start: nothing,
  close: async () => undefined,
  press: () => "done",
  stop: () => "late",
};
const ME = {
  id: 1,
  is_bot: true,
  first_name: "Sallyport",
  username: "sallyport_bot",
  can_join_groups: false,
} as unknown as UserFromGetMe;
const CONFIG = {
  telegram: { apiRoot: "http://127.0.0.1:1" },
  access: { allowedUsers: [OWNER, GUEST], ownerUsers: [OWNER] },
  claude: { auth: "api-key" },
  staleAfterMs: 900_000,
  retention: { contentMs: 30 * 86_400_000, auditMs: 365 * 86_400_000 },
  uploads: {
    types: { groups: ["text", "code", "images", "pdf", "archives"], extensions: [] },
    maxFileBytes: 20_971_520,
    maxArchiveBytes: 104_857_600,
  },
  secretFiles: [],
  limits: {
    requestsPerWindow: 6_000,
    windowMs: 60_000,
    burst: 1_000,
    costPerUserMicroUsd: 10_000_000,
    isCostLimitExplicit: false,
    costWindow: "day",
    costPerRequestMicroUsd: 5_000_000,
    maxPromptChars: 16_000,
  },
} as unknown as Config;
