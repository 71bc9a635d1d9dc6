import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { HeldFile } from "../../src/domain/attachment.ts";
import { clearUploads } from "../../src/ops/clear-uploads.ts";
import { openStore } from "../../src/store/store.ts";
import { testClock } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

const DAY = 86_400_000;
const KEEP = 30 * DAY;

/** A store with works of one person, whose files lie in one folder. */
function createWorld() {
  const root = tempDir("sp-");
  const clock = testClock();
  const store = openStore(join(tempDir(), "a.db"), clock);
  onTestFinished(() => store[Symbol.dispose]());
  const conversation = store.conversations.at({ chatId: 7, threadId: null });
  const folder = store.uploadFolders.of(7, "/p", "f".repeat(32));
  mkdirSync(join(root, folder));
  let count = 0;

  function work(): number {
    count += 1;
    const draft = { conversationId: conversation.id, userId: 7, project: "p", text: "x", messageId: null };
    return store.work.submit({ ...draft, uuid: `u${count}`, dedupeKey: `k${count}` })?.id ?? 0;
  }
  function send(workId: number, name: string): void {
    store.attachments.add(workId, [{ fileId: "f", name, bytes: 1 }]);
    const held: HeldFile = { name, kind: "text", bytes: 1, sha256: "0", unpacked: null };
    store.attachments.hold(store.attachments.ofWork(workId).at(-1)?.id ?? 0, folder, held);
    writeFileSync(join(root, folder, name), "x");
  }
  const clear = (before = clock() - KEEP) =>
    clearUploads({ store, root, before }, new AbortController().signal);
  return {
    store,
    clock,
    conversation,
    root,
    work,
    send,
    clear,
    left: () => readdirSync(join(root, folder)).sort(),
  };
}

test("H20: what was sent is deleted at its day and no sooner, rows and files; an unfinished or held work keeps its own", async () => {
  const { store, clock, conversation, work, send, clear, left } = createWorld();
  const [done, queued, held] = [work(), work(), work()];
  send(done, "done.txt");
  send(queued, "queued.txt");
  send(held, "held.txt");
  store.work.end(done, "done");
  store.work.end(held, "interrupted");
  store.conversations.hold(conversation.id, held);
  clock.turn(KEEP);
  expect(await clear()).toBe(0);
  clock.turn(1);
  expect(await clear()).toBe(1);
  expect(left()).toEqual(["held.txt", "queued.txt"]);
  expect(store.attachments.ofWork(done)).toEqual([]);
  expect(store.attachments.ofWork(queued)).toHaveLength(1);
});

test("a file that a later work carries on with stays until that one's day", async () => {
  const { store, clock, work, send, clear, left } = createWorld();
  const [first, next] = [work(), work()];
  send(first, "a.txt");
  clock.turn(DAY);
  store.attachments.copy(first, next);
  store.work.end(first, "interrupted");
  store.work.end(next, "done");
  clock.turn(KEEP - DAY + 1);
  expect(await clear()).toBe(1);
  expect(left()).toEqual(["a.txt"]);
  clock.turn(DAY);
  expect(await clear()).toBe(1);
  expect(left()).toEqual([]);
});

test("what no row names goes by its own age", async () => {
  const { root, work, send, clear, left } = createWorld();
  send(work(), "named.txt");
  writeFileSync(join(root, "f".repeat(32), "orphan.txt"), "x");
  mkdirSync(join(root, "f".repeat(32), "folder/deep"), { recursive: true });
  expect(await clear(0)).toBe(0);
  expect(await clear(Date.now() + 10_000)).toBe(2);
  expect(left()).toEqual(["named.txt"]);
});
