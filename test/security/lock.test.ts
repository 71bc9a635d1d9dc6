import { expect, test } from "vitest";
import type { ButtonAction } from "../../src/domain/button.ts";
import type { Request } from "../../src/domain/request.ts";
import { createCheckLock } from "../../src/security/check-lock.ts";
import { createLock } from "../../src/security/lock.ts";
import { testClock, testStore } from "../support/store.ts";
import { requestOf } from "./requests.ts";

const OWNER = 7;

function lockWith(action: ButtonAction | null = null) {
  const now = testClock();
  const store = testStore(now);
  const lock = createLock({ facts: store.facts, now });
  return { now, store, lock, gate: createCheckLock({ lock, actionOf: () => action }) };
}

const command = (name: string): Request["body"] => ({ kind: "command", name, argument: "" });
const button: Request["body"] = { kind: "button", nonce: "n", callbackId: "c" };

test("a lock is a durable fact with its time and its owner, and opening it leaves nothing", () => {
  const { now, store, lock } = lockWith();
  expect(lock.state()).toBeNull();
  lock.close(OWNER);
  const since = now();
  now.turn(60_000);
  expect(createLock({ facts: store.facts, now }).state()).toEqual({ since, by: OWNER });
  lock.open();
  expect(lock.state()).toBeNull();
});

test("what is open admits everything; the verdict follows the fact at once, whoever changes it", () => {
  const { lock, store, now, gate } = lockWith();
  expect(gate(requestOf(OWNER)).kind).toBe("admit");
  createLock({ facts: store.facts, now }).close(OWNER);
  expect(gate(requestOf(OWNER))).toEqual({ kind: "locked", since: now() });
  lock.open();
  expect(gate(requestOf(OWNER)).kind).toBe("admit");
});

const REFUSED: readonly Request["body"][] = [
  { kind: "prompt", text: "go" },
  { kind: "edit", text: "go" },
  command("new"),
  command("repo"),
  command("a command of tomorrow"),
];

test.each(REFUSED)("locked: %j is refused to everybody, owners too", (body) => {
  const { lock, gate } = lockWith();
  lock.close(OWNER);
  for (const user of [OWNER, 8]) expect(gate(requestOf(user, { body })).kind).toBe("locked");
});

const ADMITTED: readonly Request["body"][] = [
  command("start"),
  command("help"),
  command("status"),
  command("stop"),
  command("lock"),
  command("logout"),
  command("revoke"),
  command("users"),
  { kind: "unsupported", what: "sticker" },
  button,
];

test.each(ADMITTED)("locked: %j, which starts nothing, is admitted", (body) => {
  const { lock, gate } = lockWith();
  lock.close(OWNER);
  expect(gate(requestOf(8, { body })).kind).toBe("admit");
});

const id = 1;
const BEGINNING: readonly ButtonAction[] = [
  { kind: "approve", approvalId: id, decision: "allow" },
  { kind: "approve", approvalId: id, decision: "allow_project" },
  { kind: "answer", approvalId: id, question: 0, option: 0, isTick: false },
  { kind: "answers_done", approvalId: id, question: 0 },
  { kind: "queue", workId: id, choice: "now" },
  { kind: "recover", workId: id, choice: "continue" },
  { kind: "recover", workId: id, choice: "again" },
  { kind: "offered", workId: id, choice: "run" },
  { kind: "offered_all", workIds: [id], choice: "run" },
  { kind: "edited", workId: id, text: "go" },
  { kind: "repo", project: "p" },
  { kind: "quarantine", ids: [id], choice: "accept" },
  { kind: "repo_page", page: 1 },
  { kind: "audit_page", beforeId: 9, sinceMs: 0, risk: "low", userId: null },
];

test.each(BEGINNING)("locked: the key %j, which lets work begin or go on, is refused", (action) => {
  const { lock, gate } = lockWith(action);
  expect(gate(requestOf(OWNER, { body: button })).kind).toBe("admit");
  lock.close(OWNER);
  expect(gate(requestOf(OWNER, { body: button })).kind).toBe("locked");
});

const ENDING: readonly ButtonAction[] = [
  { kind: "approve", approvalId: id, decision: "deny" },
  { kind: "approve", approvalId: id, decision: "never" },
  { kind: "host_remove", project: "p", host: "a.example", port: 443 },
  { kind: "expose_hide", root: "/p", path: ".env" },
  { kind: "stop", workId: id },
  { kind: "queue", workId: id, choice: "drop" },
  { kind: "recover", workId: id, choice: "drop" },
  { kind: "offered", workId: id, choice: "show" },
  { kind: "offered", workId: id, choice: "drop" },
  { kind: "offered_all", workIds: [id], choice: "drop" },
  { kind: "quarantine", ids: [id], choice: "drop" },
  { kind: "dismiss" },
];

test.each(ENDING)("locked: the key %j, which only ends or shows, is admitted", (action) => {
  const { lock, gate } = lockWith(action);
  lock.close(OWNER);
  expect(gate(requestOf(OWNER, { body: button })).kind).toBe("admit");
});
