import fc from "fast-check";
import { expect, test } from "vitest";
import type { MessageBody, OutboxAct } from "../../src/domain/outbox.ts";
import type { Approval } from "../../src/store/approvals.ts";
import { createApprovalView } from "../../src/telegram/approval-view.ts";
import type { ApprovalEnd } from "../../src/turns/presenter.ts";
import { parseQuestions } from "../../src/turns/questions.ts";
import { outgoingOf } from "../support/outgoing.ts";
import { ownersOf } from "../support/people.ts";
import { testStore } from "../support/store.ts";

interface Option {
  readonly label: string;
  readonly description?: string;
}

/** An approval over a real store, and the acts that it puts on the screen. */
function openApproval(toolName: string, input: Record<string, unknown>) {
  const store = testStore();
  const acts: OutboxAct[] = [];
  const conversation = store.conversations.at({ chatId: 7, threadId: null });
  const draft = { dedupeKey: "telegram:1", uuid: "u", conversationId: conversation.id, userId: 1 };
  const work = store.work.submit({ ...draft, text: "a prompt", project: "demo", messageId: 5 });
  if (!work) throw new Error("The work was not taken");
  const view = createApprovalView({
    store,
    outgoing: outgoingOf(),
    put: ({ conversation: at }, act, priority = 2) => {
      acts.push(act);
      return store.outbox.put({ conversation: at, act, priority, finalOf: null });
    },
    owners: ownersOf(1),
  });
  let approval: Approval = store.approvals.ask({ workId: work.id, toolUseId: "t", toolName, input });

  /** Remembers what was put up, and has it sent; Telegram gives no id where it refused. */
  function put(outboxId: number, isShown = true): void {
    approval = { ...approval, outboxId };
    if (isShown) store.outbox.sent(outboxId, 6);
    else store.outbox.failed(outboxId);
  }

  return {
    acts,
    last: (): OutboxAct => {
      const act = acts.at(-1);
      if (!act) throw new Error("Nothing was put up");
      return act;
    },
    askTool: (isShown = true) => put(view.askTool(work, approval), isShown),
    askQuestion: (chosen: readonly string[] = []) => {
      const [question, ...more] = parseQuestions(input) ?? [];
      if (!question) throw new Error("There is no question");
      put(view.askQuestion(work, approval, { question, index: 0, count: more.length + 1, chosen }));
    },
    settle: (end: ApprovalEnd, answers: Approval["answers"] = {}) =>
      view.settled(work, { ...approval, answers }, end),
  };
}

const askOf = (question: string, options: readonly Option[], multiSelect = false) =>
  openApproval("AskUserQuestion", { questions: [{ question, options, multiSelect }] });

const labelsOf = ({ buttons }: MessageBody) => buttons.flat().map(({ text }) => text);

const ENDS = { allowed: /✅ Allowed once\.$/, expired: /⌛ Nobody answered in time, so it was denied\.$/ };

test("a short question is a message with the descriptions of its options", () => {
  const asked = askOf("Which base?", [{ label: "SQLite", description: "one file" }, { label: "Postgres" }]);
  asked.askQuestion();
  expect(asked.last()).toMatchObject({ kind: "send", body: { text: "Which base?\n• SQLite: one file" } });
  expect(labelsOf(asked.last().body)).toEqual(["SQLite", "Postgres"]);
});

test("H25: a label that its button does not show whole stands in the text", () => {
  const long = `${"a long label ".repeat(9)}, but not this`;
  const asked = askOf("Which?", [{ label: long }, { label: "b\u202Ec" }, { label: "plain" }]);
  asked.askQuestion();
  expect(asked.last().body.text).toBe(`Which?\n• ${long}\n• b\\u{202E}c`);
});

test("H25: a question longer than a message is a file that holds all of it, with the buttons under it", () => {
  const question = `${"Why? ".repeat(1_500)}That is the question.`;
  const asked = askOf(question, [
    { label: "Yes", description: `because ${"x".repeat(900)}!` },
    { label: "No" },
  ]);
  asked.askQuestion();
  const act = asked.last();
  if (act.kind !== "document") throw new Error(`expected a document, got ${act.kind}`);
  expect(act.fileName).toBe("question.txt");
  expect(act.replyTo).toBe(5);
  expect(act.content).toContain(question);
  expect(act.content).toContain(`• Yes: because ${"x".repeat(900)}!`);
  expect(act.content).toContain("• No");
  expect(act.body.text).toMatch(/^Why\? [\s\S]*…\nThe whole question is in the file\.$/);
  expect(labelsOf(act.body)).toEqual(["Yes", "No"]);
});

test("ticking an option of a question in a file changes its keys, under a caption that fits and stays", () => {
  const asked = askOf("Why? ".repeat(1_500), [{ label: "Yes" }, { label: "No" }], true);
  asked.askQuestion();
  const shown = asked.last().body;
  asked.askQuestion(["No"]);
  const edit = asked.last();
  expect(edit).toMatchObject({ kind: "edit", target: 1, body: { text: shown.text } });
  expect(labelsOf(edit.body)).toEqual(["☐ Yes", "☑ No", "Done"]);
  asked.settle("answered", { ["Why? ".repeat(1_500)]: ["No"] });
  expect(asked.last().body.text).toMatch(/^Why\? [\s\S]*…\n→ No$/);
  for (const { body } of asked.acts.slice(0)) expect(body.text.length).toBeLessThanOrEqual(1_024);
});

test.each([
  { multiSelect: false, keyed: 100, last: "option 99" },
  { multiSelect: true, keyed: 99, last: "Done" },
])("H69: more options than Telegram has buttons for are listed, and their number is told ($keyed)", (row) => {
  const options = Array.from({ length: 150 }, (_, at) => ({ label: `option ${at}` }));
  const asked = askOf("Which?", options, row.multiSelect);
  asked.askQuestion();
  const { body } = asked.last();
  expect(labelsOf(body)).toHaveLength(100);
  expect(labelsOf(body).at(-1)).toBe(row.last);
  expect(body.text).toContain(`Only the first ${row.keyed} of 150 options have a button`);
  expect(body.text).toContain(`• option ${row.keyed}\n`);
  expect(body.text).toContain("• option 149");
  expect(body.text).not.toContain(`• option ${row.keyed - 1}\n`);
});

test("H25: a call of more fields than a message has formats for is a file that holds them all", () => {
  const input = Object.fromEntries(Array.from({ length: 150 }, (_, at) => [`f${at}`, "v"]));
  const asked = openApproval("Many", { ...input, last: "hidden no more" });
  asked.askTool();
  const act = asked.last();
  if (act.kind !== "document") throw new Error(`expected a document, got ${act.kind}`);
  expect(act.content).toContain("== last\nhidden no more");
  expect(act.content).toContain("== f0\nv");
  expect(act.body.text).toMatch(/The whole call is in the file: look before you allow it\.$/);
});

test("whatever a call holds, it and how it ended fit where they stand, and the end line is whole", () => {
  const size = fc.oneof(fc.nat(50), fc.nat(9_000));
  const text = fc
    .tuple(fc.constantFrom("a", " b", "é\n", "👩‍🔧", "\u202E"), size)
    .map(([unit, n]) => unit.repeat(n));
  const call = fc.record({ name: text, input: fc.dictionary(text, text, { maxKeys: 4 }) });
  fc.assert(
    fc.property(call, fc.constantFrom("allowed", "expired"), ({ name, input }, end) => {
      const asked = openApproval(name, input);
      asked.askTool();
      const limit = asked.last().kind === "document" ? 1_024 : 4_096;
      asked.settle(end);
      expect(asked.last().body.text).toMatch(ENDS[end]);
      for (const { body } of asked.acts) expect(body.text.length).toBeLessThanOrEqual(limit);
    }),
    { numRuns: 25 },
  );
});

test("a question that nobody answered keeps its words and says how it ended", () => {
  const asked = askOf("Which base?", [{ label: "SQLite", description: "one file" }]);
  asked.askQuestion();
  asked.settle("expired");
  expect(asked.last().body).toMatchObject({
    buttons: [],
    entities: [{ type: "bold", offset: 0, length: 11 }],
  });
  expect(asked.last().body.text).toMatch(/^Which base\?\n• SQLite: one file\n\n⌛ Nobody answered/);
});

test("answers too long for one message are each shown in part, and none is left out", () => {
  const answers = Object.fromEntries(
    ["One", "Two", "Three"].map((name) => [
      `${name}? ${"q".repeat(2_500)}`,
      [`to ${name} ${"a".repeat(2_500)}`],
    ]),
  );
  const asked = askOf("One?", [{ label: "x" }]);
  asked.askQuestion();
  asked.settle("answered", answers);
  const { text } = asked.last().body;
  expect(text.length).toBeLessThanOrEqual(4_096);
  for (const name of ["One", "Two", "Three"]) {
    expect(text).toMatch(new RegExp(`${name}\\? q+…\\n→ to ${name} a+…`));
  }
});

test("of a call that Telegram refused to show only the name is sent, and that it was denied", () => {
  const asked = openApproval("Write", { content: "what was refused" });
  asked.askTool(false);
  asked.settle("unshown");
  expect(asked.last()).toMatchObject({
    kind: "edit",
    orSend: true,
    body: { text: "Claude wants to use Write\n\nTelegram would not show this question, so it was denied." },
  });
});
