import { expect, test } from "vitest";
import type { OutboxAct, OutboxRow } from "../../src/domain/outbox.ts";
import type { TurnReport } from "../../src/domain/turn-event.ts";
import type { Store } from "../../src/store/store.ts";
import { createPresenter } from "../../src/telegram/presenter.ts";
import type { ProgressSource } from "../../src/telegram/progress.ts";
import { outgoingOf } from "../support/outgoing.ts";
import { ownersOf } from "../support/people.ts";
import { testStore } from "../support/store.ts";

const CHAT = 7;
const USER = 1001;

/** A turn's screen over a real store. `isSent`: the placeholder has come to the chat. */
function openTurn({ isSent = true, ahead = 0 } = {}) {
  const store = testStore();
  const watched = new Map<number, ProgressSource>();
  const presenter = createPresenter({
    money: {
      reserve: () => ({ kind: "ok", reservedMicroUsd: 5_000_000 }),
      perRequestMicroUsd: 5_000_000,
      isEquivalent: false,
    },
    keepDays: 30,
    store,
    outgoing: outgoingOf(),
    sender: {
      kick: () => undefined,
      watch: (_, source) => watched.set(source.target, source),
      unwatch: (_, target) => watched.delete(target),
    },
    owners: ownersOf(),
  });
  const work = store.transaction(() => {
    const conversation = store.conversations.at({ chatId: CHAT, threadId: null });
    const text = "a prompt";
    const key = { dedupeKey: "telegram:1", uuid: "u", conversationId: conversation.id, userId: USER };
    const made = store.work.submit({ ...key, text, project: "demo", messageId: 5 });
    if (!made) throw new Error("The work was not taken");
    store.work.setPlaceholder(made.id, presenter.accepted(made, { ahead, heldBy: null, isLocked: false }));
    return store.work.get(made.id) ?? made;
  });
  const placeholder = work.placeholderId ?? 0;
  if (isSent) store.outbox.sent(placeholder, 6);
  const screen = presenter.open(work);

  /** Ends the turn and gives what was put into the outbox for it. */
  function finish(report: Partial<TurnReport>): readonly OutboxAct[] {
    const whole: TurnReport = {
      work,
      outcome: { kind: "completed", text: "The answer." },
      partialText: "",
      isPartOpen: false,
      model: "m",
      durationMs: 1_000,
      costMicroUsd: 10,
      tools: [],
      ...report,
    };
    store.transaction(() => screen.finish(whole));
    return actsOf(store);
  }

  /** What a progress edit would show now. */
  const body = () => watched.get(placeholder)?.body();
  /** The same, and the edit comes to the chat. */
  function edited() {
    const shown = body();
    if (shown) watched.get(placeholder)?.settled(shown);
    return shown;
  }

  return { store, work, placeholder, presenter, screen, watched, finish, body, edited };
}

/** What waits for this chat, in the order in which it goes out. */
function rowsOf(store: Store): readonly OutboxRow[] {
  const rows: OutboxRow[] = [];
  for (let row = store.outbox.next(CHAT); row; row = store.outbox.next(CHAT)) {
    rows.push(row);
    store.outbox.sent(row.id, null);
  }
  return rows;
}

const actsOf = (store: Store): readonly OutboxAct[] => rowsOf(store).map(({ act }) => act);

const labelsOf = (act: OutboxAct | undefined) => act?.body.buttons.flat().map(({ text }) => text);

test("a short turn's answer takes the place of its placeholder, or comes anew where that is gone", () => {
  const { placeholder, finish, watched } = openTurn();
  const acts = finish({});
  expect(acts).toMatchObject([{ kind: "edit", target: placeholder, orSend: true }]);
  expect(acts[0]?.body.text).toMatch(/^The answer\.\n\ndemo · m · 1 s · \$/);
  expect(watched.size).toBe(0);
});

test("the answer of a turn over 30 s is a new message that makes itself heard; the placeholder shrinks to what was done", () => {
  const { placeholder, finish } = openTurn();
  const [summary, answer, ...none] = finish({ durationMs: 30_001, tools: ["Read a.txt", "Bash ls"] });
  expect(summary).toMatchObject({ kind: "edit", target: placeholder, orSend: false });
  expect(summary?.body).toEqual({ text: "· Read a.txt\n· Bash ls", entities: [], buttons: [] });
  expect(answer).toMatchObject({ kind: "send", replyTo: 5, isSilent: false });
  expect(answer?.body.text).toContain("30 s · ");
  expect(none).toEqual([]);
});

test("after a long turn without tools the placeholder points to the answer", () => {
  const [summary] = openTurn().finish({ durationMs: 60_000 });
  expect(summary?.body.text).toBe("See below.");
});

test("exactly 30 s is still short", () => {
  expect(openTurn().finish({ durationMs: 30_000 })).toMatchObject([{ kind: "edit", orSend: true }]);
});

test("a placeholder that has not been sent when the turn ends is not sent any more, however long the turn took", () => {
  for (const durationMs of [1_000, 60_000]) {
    const { store, placeholder, finish } = openTurn({ isSent: false });
    const acts = finish({ durationMs });
    expect(acts).toMatchObject([{ kind: "send", replyTo: 5, isSilent: false }]);
    expect(store.outbox.get(placeholder)?.state).toBe("dropped");
  }
});

test("of an answer in parts only the first replies and is heard; the key to run a failed turn again hangs on the last", () => {
  const detail = Array.from({ length: 1_200 }, (_, at) => `word${at}`).join(" ");
  const { finish } = openTurn();
  const outcome = { kind: "failed", code: "server", detail, resetsAt: null } as const;
  const acts = finish({ outcome, durationMs: 40_000 }).slice(1);
  expect(acts.length).toBeGreaterThan(1);
  expect(acts.map((act) => act.kind === "send" && [act.replyTo, act.isSilent])).toEqual(
    acts.map((_, index) => [index === 0 ? 5 : null, index > 0]),
  );
  expect(acts.map(labelsOf)).toEqual(
    acts.map((_, index) => (index === acts.length - 1 ? ["Run it again", "Leave it"] : [])),
  );
});

test("an answer that goes as a file follows its beginning", () => {
  const text = Array.from({ length: 4_000 }, (_, at) => `word${at}`).join(" ");
  const [gist, file, ...none] = openTurn().finish({ outcome: { kind: "completed", text } });
  expect(gist).toMatchObject({ kind: "edit", orSend: true });
  expect(file).toMatchObject({ kind: "document", fileName: "answer.md", content: text });
  expect(none).toEqual([]);
});

test("[Stop] is dead once the turn is over", () => {
  const { store, work, screen, body, finish } = openTurn();
  screen.show({ kind: "preview", text: "An answer that has begun.", isOpen: false });
  const nonce = body()?.buttons[0]?.[0]?.data ?? "";
  finish({ outcome: { kind: "stopped" } });
  const press = { nonce, conversation: work.conversation, userId: USER, isOwner: false };
  expect(store.buttons.press(press)).toEqual({ kind: "refused", reason: "used" });
});

test("progress is an edit only when there is something new worth it", () => {
  const { screen, edited } = openTurn();
  expect(edited()).toBeNull();
  screen.show({ kind: "preview", text: "First words", isOpen: false });
  expect(edited()?.text).toBe("First words");
  screen.show({ kind: "preview", text: "First words, and a few", isOpen: false });
  expect(edited()).toBeNull();
  screen.show({ kind: "preview", text: "First words, and a few, and many more after these", isOpen: false });
  expect(edited()?.text).toContain("many more");
  screen.show({ kind: "tool", line: "Bash ls" });
  expect(edited()?.text).toMatch(/^· Bash ls\n\nFirst words/);
  screen.show({ kind: "retrying", failure: "overloaded", attempt: 2, maxAttempts: 4, delayMs: 10 });
  expect(edited()?.text).toMatch(/Claude is overloaded just now\. Trying again \(2 of 4\)…$/);
  for (let call = 1; call <= 10; call += 1) screen.show({ kind: "tool", line: `Bash ${call}` });
  expect(edited()?.text).toMatch(/^· … 3 more\n· Bash 3\n/);
});

test("progress that did not come to the chat is worth an edit until it has", () => {
  const { screen, body, edited } = openTurn();
  screen.show({ kind: "tool", line: "Bash ls" });
  expect(body()?.text).toBe("· Bash ls");
  expect(edited()?.text).toBe("· Bash ls");
  expect(body()).toBeNull();
});

test("a placeholder is marked as one, so that it is never on the screen twice", () => {
  const { store, placeholder } = openTurn();
  expect(store.outbox.get(placeholder)?.act).toMatchObject({ kind: "send", isProgress: true });
});

test("a message that waited says that it works as soon as its turn has begun", () => {
  const { store, placeholder, body, edited } = openTurn({ ahead: 2 });
  expect(store.outbox.get(placeholder)?.act.body.text).toBe("Queued: 2 ahead.");
  const first = edited();
  expect(first?.text).toBe("Working…");
  expect(first?.buttons.flat().map(({ text }) => text)).toEqual(["Stop"]);
  expect(body()).toBeNull();
});

test("what was said before a turn was stopped or failed stays, with its end below it", () => {
  const [answer] = openTurn().finish({ outcome: { kind: "stopped" }, partialText: "So **far**" });
  expect(answer?.body.text).toMatch(/^So far\n\n⏹ Stopped\./);
});

test("of an answer that was stopped in the middle of a word, the word is not shown: it may be half a secret", () => {
  const halves = { partialText: "Your token is ghp_aB3dE5fG7hJ9aB" };
  const [open] = openTurn().finish({ outcome: { kind: "stopped" }, ...halves, isPartOpen: true });
  expect(open?.body.text).toMatch(/^Your token is\s+⏹ Stopped\./);
});

test("H66: what to do with a work that was cut off is asked as its end: kept where the chat is shut to the bot just now", () => {
  const { store, work, presenter } = openTurn();
  store.transaction(() => presenter.interrupted(work, { allowed: [], waiting: [] }));
  const rows = rowsOf(store);
  expect(rows.map(({ act, finalOf }) => [act.kind, finalOf])).toEqual([
    ["send", work.id],
    ["edit", null],
  ]);
  expect(labelsOf(rows[0]?.act)).toEqual(["Continue it", "Run it again", "Drop"]);
});

test("H53: a turn that was cut off, whose screen is never finished, is watched no longer", () => {
  const { store, work, presenter, watched } = openTurn();
  expect(watched.size).toBe(1);
  store.transaction(() => presenter.interrupted(work, { allowed: [], waiting: [] }));
  expect(watched.size).toBe(0);
});
