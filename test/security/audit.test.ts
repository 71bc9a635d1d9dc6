import { expect, test } from "vitest";
import { type AuditEntry, type AuditEvent, auditDataOf } from "../../src/domain/audit-event.ts";
import { createRedactor } from "../../src/log/redact.ts";
import { createAudit } from "../../src/security/audit.ts";
import { createContactThrottle } from "../../src/security/contact-throttle.ts";
import { riskOf } from "../../src/security/risk.ts";
import { handClock, request, requestOf } from "./requests.ts";

const HOUR = 3_600_000;

function auditWith() {
  const clock = handClock();
  const entries: AuditEntry[] = [];
  const lines: { level: string; fields: object; message: string }[] = [];
  const commits: (() => void)[] = [];
  const line = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  const audit = createAudit({
    append: (entry) => {
      entries.push(entry);
    },
    afterCommit: (act) => {
      commits.push(act);
    },
    redactText: createRedactor(["known-value-of-a-secret"]),
    log: { info: line("info"), warn: line("warn") },
    now: clock.now,
  });
  const commit = () => {
    for (const act of commits.splice(0)) act();
  };
  return { audit, clock, entries, lines, commit };
}

const tool = { toolUseId: "t", summary: "s" };

test("an event is stored with its time, risk, person and place", () => {
  const { audit, clock, entries } = auditWith();
  const conversation = { chatId: 7, threadId: null };
  audit.record({ type: "command.run", name: "stop" }, { userId: 7, conversation });
  expect(entries).toEqual([
    { at: clock.ms, risk: "low", userId: 7, conversation, event: { type: "command.run", name: "stop" } },
  ]);
});

test("the log line comes after the commit, with the promised fields, and warns of what is grave", () => {
  const { audit, lines, commit } = auditWith();
  const who = { userId: 7, conversation: null };
  audit.record({ type: "command.run", name: "stop" }, who);
  audit.record({ type: "violation.forged_callback", what: "unknown" }, who);
  expect(lines).toEqual([]);
  commit();
  expect(lines).toEqual([
    {
      level: "info",
      fields: { security: true, event: "command.run", userId: 7, risk: "low", facts: { name: "stop" } },
      message: "audit",
    },
    {
      level: "warn",
      fields: {
        security: true,
        event: "violation.forged_callback",
        userId: 7,
        risk: "high",
        facts: { what: "unknown" },
        violationType: "forged_callback",
      },
      message: "audit",
    },
  ]);
});

test("the gravest event is a warning too", () => {
  const { audit, lines, commit } = auditWith();
  audit.record({ type: "violation.sandbox", found: "the network" }, { userId: null, conversation: null });
  commit();
  expect(lines).toMatchObject([{ level: "warn", fields: { risk: "critical" } }]);
});

test("an event keeps its type, whatever is known as a secret", () => {
  const entries: AuditEntry[] = [];
  const audit = createAudit({
    append: (entry) => void entries.push(entry),
    afterCommit: () => undefined,
    redactText: () => "[redacted]",
    log: { info: () => undefined, warn: () => undefined },
    now: () => 0,
  });
  audit.record({ type: "command.run", name: "stop" }, { userId: 7, conversation: null });
  expect(entries).toMatchObject([{ event: { type: "command.run", name: "[redacted]" } }]);
});

test("each file of a message that is refused for a file is on record by its safe name; none is for another reason, or behind another gate's verdict", () => {
  const { audit, entries } = auditWith();
  const files = [
    { fileId: "a", name: "../.env", bytes: 3 },
    { fileId: "b", name: "b.exe", bytes: null },
  ] as const;
  const sent = request({ body: { kind: "prompt", text: "look", files } });
  const types = () => entries.map(({ event }) => event.type);
  audit.refused(sent, "validateInput", { kind: "deny", reason: "file_secret", detail: null })();
  expect(entries.slice(1).map(({ event }) => event)).toEqual([
    { type: "file.refused", workId: null, name: "env", bytes: 3, reason: "secret" },
    { type: "file.refused", workId: null, name: "b.exe", bytes: null, reason: "secret" },
  ]);
  entries.length = 0;
  audit.refused(sent, "validateInput", { kind: "deny", reason: "too_long", detail: null })();
  audit.refused(sent, "limitRate", { kind: "wait", retryAfterMs: 1, isFirstInWindow: true })();
  audit.refused(request(), "validateInput", { kind: "deny", reason: "file_type", detail: null })();
  expect(new Set(types())).toEqual(new Set(["request.refused"]));
});

test("an act that cannot be put on record throws, and is not logged as done", () => {
  const audit = createAudit({
    append: () => {
      throw new Error("disk full");
    },
    afterCommit: (act) => act(),
    redactText: (text) => text,
    log: { info: () => expect.unreachable(), warn: () => expect.unreachable() },
    now: () => 0,
  });
  const event: AuditEvent = { type: "command.run", name: "stop" };
  expect(() => audit.record(event, { userId: 7, conversation: null })).toThrow("disk full");
});

test("an admitted request is on record by what it is, never by what it says", () => {
  const { audit, entries } = auditWith();
  audit.admitted(request({ dedupeKey: "k", body: { kind: "prompt", text: "my secret plan" } }));
  expect(entries[0]).toMatchObject({
    userId: 7,
    conversation: { chatId: 7, threadId: null },
    event: { type: "request.admitted", origin: "telegram", kind: "work", body: "prompt", dedupeKey: "k" },
  });
  expect(JSON.stringify(entries)).not.toContain("secret plan");
});

test("H20: no part of a prompt, button or argument gets into the audit, whatever becomes of it", () => {
  const { audit, entries } = auditWith();
  for (const body of [
    { kind: "prompt", text: "PRIVATE" },
    { kind: "edit", text: "PRIVATE" },
    { kind: "command", name: "repo", argument: "PRIVATE" },
    { kind: "button", nonce: "PRIVATE", callbackId: "PRIVATE" },
  ] as const) {
    audit.admitted(request({ body }));
    audit.refused(request({ body }), "validateInput", {
      kind: "deny",
      reason: "too_long",
      detail: "PRIVATE",
    })();
    audit.refused(request({ body }), "limitRate", { kind: "wait", retryAfterMs: 1, isFirstInWindow: true })();
  }
  expect(entries).toHaveLength(12);
  expect(JSON.stringify(entries)).not.toContain("PRIVATE");
});

const BOT_TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawQ";
const SECRETS = ["known-value-of-a-secret", BOT_TOKEN, "ghp_16C7e42F292c6912E7710c838347Ae178B4a"];
const leak = SECRETS.join(" and ");

test.each<AuditEvent>([
  { type: "project.quarantined", workId: 1, count: 1, paths: ["a/.git", leak] },
  { type: "project.accepted", path: leak },
  { type: "command.run", name: leak },
  { type: "tool.asked", tool: leak, toolUseId: leak, summary: leak },
  { type: "tool.left", tool: leak, toolUseId: leak, summary: leak },
  { type: "tool.allowed", by: "policy", tool: "Bash", toolUseId: "t", summary: leak },
  { type: "tool.denied", by: "policy", cause: "secret", tool: "Read", toolUseId: "t", summary: leak },
  { type: "turn.started", workId: 1, project: leak, isResumed: false },
  { type: "turn.finished", workId: 1, failure: null, model: leak, durationMs: 1 },
  { type: "net.connected", host: leak, port: 443, bytesIn: 1, bytesOut: 1, durationMs: 1 },
  { type: "net.refused", host: leak, port: 443, reason: "denied" },
  { type: "net.ruled", project: leak, host: leak, port: 443, verdict: "allow" },
  { type: "git.pushed", repository: leak, refs: ["refs/heads/main", leak] },
  { type: "violation.secret_access", workId: 1, cause: "asked", path: leak },
  { type: "violation.injection", path: leak },
  { type: "violation.sandbox", found: leak },
  { type: "config.changed", keys: [leak] },
  { type: "daemon.started", version: leak, sandbox: "bwrap", permissionMode: leak },
  { type: "daemon.stopped", cause: leak },
  { type: "database.copied", file: leak },
  { type: "database.restored", replaced: leak },
])("H20: no secret in a text of $type gets into the store or the log", (event) => {
  const { audit, entries, lines, commit } = auditWith();
  expect(SECRETS.filter((secret) => JSON.stringify(event).includes(secret))).toEqual(SECRETS); // else this proves nothing
  audit.record(event, { userId: 7, conversation: null });
  commit();
  const kept = JSON.stringify([entries, lines]);
  expect(SECRETS.filter((secret) => kept.includes(secret))).toEqual([]);
  expect(entries[0]?.event.type).toBe(event.type);
  expect(kept).toContain("[redacted]");
});

test("what is no secret is kept as it is, and a text of any length is cut", () => {
  const { audit, entries } = auditWith();
  const head = "0123456789abcdef".repeat(4);
  const who = { userId: null, conversation: null };
  audit.record({ type: "audit.trimmed", id: 9, hash: head }, who);
  audit.record({ type: "project.left_out", path: "a/ü/b.txt" }, who);
  audit.record({ type: "project.left_out", path: "x".repeat(10_000) }, who);
  expect(entries.map(({ event }) => event)).toEqual([
    { type: "audit.trimmed", id: 9, hash: head },
    { type: "project.left_out", path: "a/ü/b.txt" },
    { type: "project.left_out", path: `${"x".repeat(499)}…` },
  ]);
});

test("every refusal is on record with the gate that refused and why", () => {
  const { audit, entries } = auditWith();
  audit.refused(request(), "limitRate", { kind: "wait", retryAfterMs: 1, isFirstInWindow: false })();
  audit.refused(request(), "validateInput", { kind: "deny", reason: "empty", detail: null })();
  expect(entries.map(({ event }) => event)).toMatchObject([
    { type: "request.refused", gate: "limitRate", verdict: "wait", reason: null },
    { type: "request.refused", gate: "validateInput", verdict: "deny", reason: "empty" },
  ]);
});

test("a refusal for money is on record with the amounts as well", () => {
  const { audit, entries } = auditWith();
  audit.refused(request(), "limitCost", {
    kind: "spent",
    spentMicroUsd: 9,
    limitMicroUsd: 8,
    returnsAt: null,
    isEquivalent: false,
  })();
  expect(entries.map(({ event }) => event)).toMatchObject([
    { type: "request.refused", gate: "limitCost", verdict: "spent" },
    { type: "cost.refused", stage: "gate", spentMicroUsd: 9, limitMicroUsd: 8 },
  ]);
});

test("H19: a stranger's first contact is on record, the further ones of the hour are counted", () => {
  const { audit, clock, entries } = auditWith();
  const refuse = (userId: number) =>
    audit.refused(requestOf(userId), "authenticate", {
      kind: "deny",
      reason: "not_whitelisted",
      detail: null,
    })();
  for (let n = 0; n < 100; n += 1) refuse(666);
  expect(entries.map(({ event }) => event)).toEqual([
    { type: "auth.failure", reason: "not_whitelisted", unrecorded: 0 },
  ]);
  clock.ms += HOUR;
  refuse(666);
  expect(entries.at(-1)?.event).toEqual({ type: "auth.failure", reason: "not_whitelisted", unrecorded: 99 });
});

test("H19: a flood from ten thousand accounts leaves twenty records an hour, and none is forgotten in the count", () => {
  const clock = handClock();
  const judge = createContactThrottle(clock.now);
  let recorded = 0;
  let counted = 0;
  const contact = (userId: number | null) => {
    const verdict = judge(userId);
    if (verdict.kind === "count") return;
    recorded += 1;
    counted += 1 + verdict.unrecorded;
  };
  for (let userId = 1; userId <= 10_000; userId += 1) contact(userId);
  expect(recorded).toBe(20);
  clock.ms += HOUR;
  contact(1);
  expect({ recorded, counted }).toEqual({ recorded: 21, counted: 10_001 });
});

test("contacts without a person are one contact, and a clock set back does not silence the record", () => {
  const clock = handClock();
  const judge = createContactThrottle(clock.now);
  expect(judge(null)).toMatchObject({ kind: "record", unrecorded: 0 });
  expect(judge(null)).toEqual({ kind: "count" });
  expect(judge(5)).toMatchObject({ kind: "record", unrecorded: 1 });
  clock.ms += HOUR - 1;
  expect(judge(5)).toEqual({ kind: "count" });
  clock.ms -= 10 * HOUR;
  expect(judge(5)).toMatchObject({ kind: "record", unrecorded: 1 });
});

test("H19: a stranger's contact that could not be put on record is on record with the next, and so are those that were counted", () => {
  const clock = handClock();
  const entries: AuditEntry[] = [];
  let isFull = false;
  const audit = createAudit({
    append: (entry) => {
      if (isFull) throw new Error("disk full");
      entries.push(entry);
    },
    afterCommit: () => undefined,
    redactText: (text) => text,
    log: { info: () => undefined, warn: () => undefined },
    now: clock.now,
  });
  const contact = (userId: number) => audit.contact({ userId, conversation: null }, "not_whitelisted");
  contact(1);
  contact(1);
  isFull = true;
  for (let again = 0; again < 3; again += 1) expect(() => contact(2)).toThrow("disk full");
  isFull = false;
  contact(2);
  contact(2);
  expect(entries.map(({ userId, event }) => [userId, event])).toEqual([
    [1, { type: "auth.failure", reason: "not_whitelisted", unrecorded: 0 }],
    [2, { type: "auth.failure", reason: "not_whitelisted", unrecorded: 1 }],
  ]);
});

test("the data of an event is its fields without the type, and comes back unchanged", () => {
  const event: AuditEvent = { type: "violation.path_traversal", path: 'a"\uD800\u0000é\n' };
  const data = auditDataOf(event);
  expect(data.isWellFormed()).toBe(true);
  expect(JSON.parse(data)).toEqual({ path: event.path });
});

test.each([
  ["low", { type: "command.run", name: "x" }],
  ["medium", { type: "auth.failure", reason: "not_whitelisted", unrecorded: 0 }],
  ["low", { type: "tool.allowed", by: "policy", tool: "Read", ...tool }],
  ["medium", { type: "tool.allowed", by: "policy", tool: "Bash", ...tool }],
  ["medium", { type: "tool.asked", tool: "Write", ...tool }],
  ["medium", { type: "tool.refused", tool: "WebFetch", ...tool }],
  ["high", { type: "tool.allowed", by: "policy", tool: "mcp__x__y", ...tool }],
  ["high", { type: "tool.answered", answer: "allow", tool: "constructor", ...tool }],
  ["high", { type: "tool.denied", by: "policy", cause: "secret", tool: "Read", ...tool }],
  ["medium", { type: "violation.replay", what: "button" }],
  ["high", { type: "violation.forged_callback", what: "unknown" }],
  ["high", { type: "violation.path_traversal", path: ".." }],
  ["low", { type: "daemon.started", version: "1", sandbox: "bwrap", permissionMode: "ask" }],
  ["critical", { type: "daemon.started", version: "1", sandbox: "none", permissionMode: "ask" }],
] as const satisfies readonly (readonly [string, AuditEvent])[])("the risk is %s of %j", (risk, event) => {
  expect(riskOf(event)).toBe(risk);
});
