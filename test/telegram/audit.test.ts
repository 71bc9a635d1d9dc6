import { expect, test } from "vitest";
import type { AuditEvent, Risk } from "../../src/domain/audit-event.ts";
import { showAudit } from "../../src/telegram/handle-audit.ts";
import type { Replies } from "../../src/telegram/replies.ts";
import { requestOf } from "../security/requests.ts";
import { createDoorBench } from "../support/door.ts";
import { testStore } from "../support/store.ts";

const HOUR = 3_600_000;
const BOT_TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawQ";

async function createBench() {
  const bench = await createDoorBench();
  const put = (risk: Risk, event: AuditEvent, { ageMs = 0, userId = 7 } = {}): void =>
    bench.store.audit.append({
      at: Date.now() - ageMs,
      risk,
      userId,
      conversation: { chatId: userId, threadId: null },
      event,
    });
  return { ...bench, put };
}

test("/audit shows an owner what is on record: by risk, person and hours, newest first, in his zone", async () => {
  const { put, owner, live } = await createBench();
  put("high", { type: "violation.path_traversal", path: "of yesterday" }, { ageMs: 30 * HOUR });
  put("high", { type: "violation.path_traversal", path: "../first" }, { ageMs: 2 * HOUR });
  put("critical", { type: "violation.sandbox", found: "of the partner" }, { ageMs: HOUR, userId: 20_009 });
  put("low", { type: "daemon.stopped", cause: "a low one" });
  live();
  owner.send("/audit");
  const all = await owner.reads("Audit: medium and above, everybody, since ");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  expect(all.text).toContain(`(${zone})\n`);
  const lines = all.text.split("\n").slice(1);
  expect(lines).toEqual([
    expect.stringMatching(/^\d+ \w+ \d{4}, \d\d:\d\d ‼️ 20009 violation\.sandbox found=of the partner$/),
    expect.stringMatching(/^\d+ \w+ \d{4}, \d\d:\d\d ❗ 7 violation\.path_traversal path=\.\.\/first$/),
  ]);
  expect(all.text).not.toContain("a low one");

  owner.send("/audit CRITICAL 48h");
  expect((await owner.reads("Audit: critical and above")).text).not.toContain("../first");
  owner.send("/audit 48 high");
  expect((await owner.reads("of yesterday")).text).toContain("Audit: high and above, everybody");
  owner.send("/audit 20009 low");
  const his = await owner.reads("Audit: everything, 20009, since ");
  expect(his.text).toContain("of the partner");
  expect(his.text).not.toContain("../first");
  owner.send("/audit sometimes");
  await owner.reads("/audit [low|medium|high|critical] [user id] [48h]");
});

test("/audit turns its pages back, one use a key, and never shows a secret", async () => {
  const { put, owner, live } = await createBench();
  for (let n = 1; n <= 30; n += 1) put("high", { type: "project.accepted", path: `file-${n}.` });
  put("high", { type: "project.accepted", path: `${BOT_TOKEN} password=hunter22 \u202e` }); // as if stored before there was a redaction
  live();
  owner.send("/audit high");
  const first = await owner.reads("Audit: high");
  expect(first.text).toContain("path=[redacted] password=[redacted] \\u{202e}");
  expect(first.text.match(/path=/g)).toHaveLength(12);
  await owner.presses("Earlier ›");
  const second = await owner.reads("file-19.");
  expect(second.text).not.toContain("file-20.");
  expect(second.text).toContain("file-8.");
  await owner.presses("Earlier ›");
  const third = await owner.reads("file-7.");
  expect(third.text).toContain("file-1.");
  expect(third.keyboard?.inline_keyboard.flat() ?? []).toEqual([]);
  expect(owner.texts().join()).not.toContain(BOT_TOKEN);
});

test("a member's /audit shows nothing, and that he asked is on record", async () => {
  const { put, guest, live, store } = await createBench();
  put("high", { type: "project.accepted", path: "of the owner" });
  live();
  guest.send("/audit low");
  await guest.reads("Only owners may read the audit. That you asked is on record.");
  expect(guest.texts().join()).not.toContain("of the owner");
  const refused = [...store.audit.rows()].filter(({ type }) => type === "request.refused");
  expect(refused).toMatchObject([{ userId: 8, chat: "8:0" }]);
  expect(JSON.parse(refused[0]?.data ?? "")).toMatchObject({
    gate: "command",
    verdict: "deny",
    reason: "owners_only",
  });
});

test.each(["/audit", "/lock", "/grant 8 5", "/invite", "/revoke 7", "/users"])(
  "that a member wanted %s, which is for owners, is on record as refused",
  async (command) => {
    const { guest, live, store } = await createBench();
    live();
    guest.send(command);
    await guest.reads("wner");
    const rows = [...store.audit.rows()].filter(({ type }) => type === "request.refused");
    expect(rows).toMatchObject([{ userId: 8, data: expect.stringContaining('"reason":"owners_only"') }]);
  },
);

test("in a group the audit is shown to nobody, an owner neither", () => {
  const store = testStore();
  store.audit.append({
    at: store.audit.head().id,
    risk: "high",
    userId: 7,
    conversation: null,
    event: { type: "project.accepted", path: "of the owner" },
  });
  const told: unknown[] = [];
  const replies = {
    tell: (_: unknown, text: unknown) => told.push(text),
  } as unknown as Replies;
  const deps = {
    store,
    replies,
    owners: { has: (userId: number | null) => userId === 7, all: () => [7] },
    record: () => undefined,
    now: () => 1_000,
  };
  const group = requestOf(7, { chatType: "group", body: { kind: "command", name: "audit", argument: "" } });
  showAudit(deps, group, "low");
  expect(told).toEqual(["The audit is shown in a private chat with me alone."]);
  told.length = 0;
  showAudit(deps, { ...group, chatType: "private" }, "low"); // the positive control
  expect(JSON.stringify(told)).toContain("of the owner");
});
