import { expect, test } from "vitest";
import type { ButtonAction } from "../../src/domain/button.ts";
import type { ConversationRef, Request } from "../../src/domain/request.ts";
import type { Work } from "../../src/domain/work.ts";
import { createLogger, type LogOptions } from "../../src/log/logger.ts";
import { redactShapes } from "../../src/log/redact.ts";
import { createSecurity } from "../../src/security/security.ts";
import type { Store } from "../../src/store/store.ts";
import { createWorld, OAUTH_TOKEN } from "../config/support.ts";
import { testClock, testStore } from "../support/store.ts";
import { requestOf } from "./requests.ts";

const [OWNER, MEMBER, OTHER] = [11, 22, 33];
const SUBSCRIPTION = {
  CLAUDE_AUTH: "subscription",
  CLAUDE_CODE_OAUTH_TOKEN: OAUTH_TOKEN,
  ANTHROPIC_API_KEY: undefined,
};

/** The guard as the daemon builds it from settings, with a database that may be another one's. */
function guardOf(
  settings: Readonly<Record<string, string | undefined>>,
  store: Store = testStore(),
  logging: Pick<LogOptions, "level" | "destination"> = { level: "silent" },
) {
  const { config } = createWorld().load(settings);
  const now = testClock();
  const log = createLogger({ ...logging, format: "json", secretValues: [] });
  const security = createSecurity({
    config,
    tokenSecret: null,
    store,
    log,
    now,
    steadyNow: now,
    redactText: redactShapes,
  });
  return { security, store, log };
}

/** A key of the member's in his private chat, and the press of it by somebody somewhere. */
function keyOf({ conversations, buttons }: Store, action: ButtonAction) {
  const conversation = { chatId: MEMBER, threadId: null };
  const conversationId = conversations.at(conversation).id;
  const nonce = buttons.offer({ group: "g", action, conversationId, userId: MEMBER, expiresAt: null });
  const body = { kind: "button", nonce, callbackId: "c" } as const;
  return {
    press: (userId: number = MEMBER, where: ConversationRef = conversation) =>
      requestOf(userId, { kind: "control", conversation: where, body }),
    use: () => buttons.press({ nonce, conversation, userId: MEMBER, isOwner: false }),
  };
}

function workIn({ conversations, work }: Store, key: string): Work {
  const conversationId = conversations.at({ chatId: MEMBER, threadId: null }).id;
  const draft = { uuid: key, dedupeKey: key, conversationId, userId: MEMBER, project: "p", text: key };
  const made = work.submit({ ...draft, messageId: 1 });
  if (made === null) throw new Error("submitted before");
  return made;
}

test("with an API key everybody has the budget, and amounts are what is charged", () => {
  const { security } = guardOf({ CLAUDE_MAX_COST_PER_USER: "3" });
  for (const userId of [OWNER, MEMBER])
    expect(security.spending(userId)).toMatchObject({ limitMicroUsd: 3_000_000, isEquivalent: false });
});

test("with a subscription owners have no budget unless one is set; members have one; amounts are equivalents", () => {
  const free = guardOf(SUBSCRIPTION).security;
  expect(free.spending(OWNER)).toMatchObject({ limitMicroUsd: null, isEquivalent: true });
  expect(free.spending(MEMBER)).toMatchObject({ limitMicroUsd: 10_000_000, isEquivalent: true });
  const set = guardOf({ ...SUBSCRIPTION, CLAUDE_MAX_COST_PER_USER: "3" }).security;
  expect(set.spending(OWNER)).toMatchObject({ limitMicroUsd: 3_000_000 });
});

test("a turn may reserve what one request may cost, or what is left", () => {
  const of = (budget: string) =>
    guardOf({ CLAUDE_MAX_COST_PER_USER: budget, CLAUDE_MAX_COST_PER_REQUEST: "2" }).security;
  expect(of("3").reserve(MEMBER)).toEqual({ kind: "ok", reservedMicroUsd: 2_000_000 });
  expect(of("1").reserve(MEMBER)).toEqual({ kind: "ok", reservedMicroUsd: 1_000_000 });
});

test("a press that starts work takes a token as a message does, one that starts none takes none", () => {
  const { security, store } = guardOf({ RATE_LIMIT_BURST: "2" });
  const judge = (action: ButtonAction) => security.guard.admit(keyOf(store, action).press()).kind;
  const { id: workId } = workIn(store, "a");
  for (let n = 0; n < 5; n += 1) expect(judge({ kind: "stop", workId })).toBe("admit");
  for (const kind of ["admit", "admit", "wait"])
    expect(judge({ kind: "recover", workId, choice: "again" })).toBe(kind);
  expect(security.guard.admit(requestOf(MEMBER)).kind).toBe("wait");
});

test("a press that will be refused takes no token: of another's key, elsewhere, a second time, or of none", () => {
  const { security, store } = guardOf({ RATE_LIMIT_BURST: "2", ALLOWED_USERS: "11,22,33" });
  const { id: workId } = workIn(store, "a");
  const { press, use } = keyOf(store, { kind: "recover", workId, choice: "again" });
  const forged = { kind: "button", nonce: "forged", callbackId: "c" } as const;
  const admits = (asked: Request) => security.guard.admit(asked).kind === "admit";
  for (let n = 0; n < 5; n += 1) {
    expect(admits(press(OTHER))).toBe(true);
    expect(admits(press(MEMBER, { chatId: MEMBER, threadId: 3 }))).toBe(true);
    expect(admits(requestOf(MEMBER, { kind: "control", body: forged }))).toBe(true);
  }
  expect(admits(press())).toBe(true);
  expect(use().kind).toBe("accepted");
  for (let n = 0; n < 5; n += 1) expect(admits(press())).toBe(true);
  const left = (userId: number) => [1, 2, 3].map(() => admits(requestOf(userId)));
  expect(left(MEMBER)).toEqual([true, false, false]);
  expect(left(OTHER)).toEqual([true, true, false]);
});

test("of several that are offered together a press pays for those alone that still are", () => {
  const { security, store } = guardOf({ RATE_LIMIT_BURST: "3" });
  const works = ["a", "b", "c"].map((key) => workIn(store, key));
  for (const { id } of works) store.offered.take(id);
  const workIds = works.map(({ id }) => id);
  store.offered.giveBack(workIds[0] ?? 0);
  store.work.end(workIds[1] ?? 0, "dropped");
  const admits = (asked: Request) => security.guard.admit(asked).kind === "admit";
  expect(admits(keyOf(store, { kind: "offered_all", workIds, choice: "run" }).press())).toBe(true);
  expect([1, 2, 3].map(() => admits(requestOf(MEMBER)))).toEqual([true, true, false]);
});

test("what the rate limit counted is handed over until it was stored, and holds after a restart", () => {
  const { security, store } = guardOf({ RATE_LIMIT_BURST: "1" });
  const restarted = () => guardOf({ RATE_LIMIT_BURST: "1" }, store).security.guard;
  expect(security.guard.admit(requestOf(MEMBER)).kind).toBe("admit");
  const save = () => store.transaction(() => security.saveLimits());
  expect(() => {
    store.transaction(() => {
      security.saveLimits();
      throw new Error("the transaction failed");
    });
  }).toThrow("failed");
  expect(restarted().admit(requestOf(MEMBER)).kind).toBe("admit");
  save()();
  expect(restarted().admit(requestOf(MEMBER)).kind).toBe("wait");
});

test.each(["trace", "info", "warn", "error", "fatal"] as const)(
  "a security event is a line of the log at every level, and nothing else of its importance is: %s",
  (level) => {
    const lines: { readonly event: string }[] = [];
    const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
    const { security, store, log } = guardOf({}, testStore(), { level, destination });
    store.transaction(() => {
      security.audit.record({ type: "command.run", name: "status" }, { userId: OWNER, conversation: null });
      security.audit.record({ type: "violation.sandbox", found: "x" }, { userId: null, conversation: null });
    });
    expect(lines).toMatchObject([
      { level: "info", security: true, event: "command.run" },
      { level: "warn", security: true, event: "violation.sandbox", risk: "critical" },
    ]);
    log.info({ event: "other" }, "other");
    expect(lines.length).toBe(["trace", "info"].includes(level) ? 3 : 2);
  },
);
