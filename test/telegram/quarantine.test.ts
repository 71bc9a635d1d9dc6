import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Quarantined } from "../../src/domain/quarantine.ts";
import { clearQuarantine } from "../../src/ops/clear-quarantine.ts";
import { createQuarantineView } from "../../src/telegram/quarantine-view.ts";
import { outgoingOf } from "../support/outgoing.ts";
import { ownersOf } from "../support/people.ts";
import { testClock, testStore } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

const [OWNER, MEMBER, GROUP] = [1, 7, -5];

test("H31: only owners may press for what lies in quarantine, whoever asked", () => {
  const store = testStore();
  const view = createQuarantineView({
    store,
    outgoing: outgoingOf(),
    owners: ownersOf(OWNER),
    keepDays: 30,
    enqueue: (conversation, act, priority) =>
      store.outbox.put({ conversation, act, priority, finalOf: null }),
  });
  const conversation = store.conversations.at({ chatId: GROUP, threadId: null });
  const draft = { uuid: "u", dedupeKey: "k", conversationId: conversation.id, userId: MEMBER, project: "p" };
  const work = store.work.submit({ ...draft, text: "go", messageId: 1 });
  const items: readonly Quarantined[] = store.quarantine.begin("/p", work?.id ?? null, [
    { kind: "repository", path: "a\u202e\n/.git", ino: "1" },
  ]);
  for (const { id } of items) store.quarantine.setState(id, "held");
  const notices = view.quarantined(
    work,
    items.map(({ id }) => store.quarantine.get(id)).flatMap((one) => one ?? []),
  );
  expect(notices.map(({ conversation: { chatId }, hasKeys }) => [chatId, hasKeys])).toEqual([
    [GROUP, true],
    [OWNER, true],
  ]);
  const row = store.outbox.get(notices[0]?.outboxId ?? 0);
  const [accept, drop] = row?.act.body.buttons.flat() ?? [];
  expect([accept?.text, drop?.text]).toEqual(["Accept", "Leave it out"]);
  const press = (userId: number) =>
    store.buttons.press({
      nonce: accept?.data ?? "",
      conversation,
      userId,
      isOwner: userId === OWNER,
    });
  expect(press(MEMBER)).toEqual({ kind: "refused", reason: "not_yours" });
  const ids = items.map(({ id }) => id);
  expect(press(OWNER)).toEqual({ kind: "accepted", action: { kind: "quarantine", ids, choice: "accept" } });
  expect(press(OWNER)).toEqual({ kind: "refused", reason: "used" });
  expect(row?.act.body.text).toMatch(/^1\. a.*\\n\/\.git: a repository/m);
});

test("what nobody accepted is deleted in time, files and rows, and what is on its way is not", async () => {
  const clock = testClock();
  const store = testStore(clock);
  const folder = tempDir();
  const [held, moving] = store.quarantine.begin("/p", null, [
    { kind: "repository", path: "a/.git", ino: "1" },
    { kind: "repository", path: "b/.git", ino: "2" },
  ]);
  if (!held || !moving) throw new Error("no rows");
  store.quarantine.setState(held.id, "held");
  for (const { id } of [held, moving]) {
    mkdirSync(join(folder, String(id), "item"), { recursive: true });
    writeFileSync(join(folder, String(id), "item/config"), "");
  }
  const { signal } = new AbortController();
  const clear = (before: number) => clearQuarantine({ store, folder, before }, signal);
  expect(await clear(clock())).toBe(0);
  expect(await clear(clock() + 1)).toBe(1);
  expect(existsSync(join(folder, String(held.id)))).toBe(false);
  expect(existsSync(join(folder, String(moving.id)))).toBe(true);
  expect(store.quarantine.get(held.id)).toBeNull();
});
