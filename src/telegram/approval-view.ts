import type { ButtonSpec } from "../domain/button.ts";
import { type MessageBody, type OutboxAct, PRIORITY, type Priority } from "../domain/outbox.ts";
import type { Work } from "../domain/work.ts";
import type { Approval } from "../store/approvals.ts";
import type { Store } from "../store/store.ts";
import type { ApprovalEnd, Presenter, QuestionView } from "../turns/presenter.ts";
import { MAX_BUTTONS, offerKeyboard, ownerOf } from "./keyboard.ts";
import type { RichText } from "./render/entity.ts";
import { escapeInvisible } from "./render/invisible.ts";
import { bold, joinRich, plain } from "./render/rich-text.ts";
import { splitRichText } from "./render/split.ts";
import { viewTool } from "./tool-view.ts";
import { APPROVAL_ENDS, LABELS } from "./wording.ts";

/** Puts a message about a work on the screen, through the outbox. */
export type PutAbout = (work: Work, act: OutboxAct, priority?: Priority) => number;

/** Approvals and questions on the screen. */
export function createApprovalView(
  store: Store,
  put: PutAbout,
): Pick<Presenter, "askTool" | "askQuestion" | "settled"> {
  const keys = (work: Work, approval: Approval, rows: readonly (readonly ButtonSpec[])[]) =>
    offerKeyboard(store.buttons, ownerOf(work, groupOf(approval)), rows);

  return {
    askTool: (work, approval) => {
      const row = [
        { label: LABELS.allow, action: { kind: "approve", approvalId: approval.id, decision: "allow" } },
        { label: LABELS.deny, action: { kind: "approve", approvalId: approval.id, decision: "deny" } },
      ] as const;
      return put(work, actOf(work, approval, keys(work, approval, [row])), PRIORITY.approval);
    },
    askQuestion: (work, approval, view) => {
      const body = {
        ...onePart(questionText(view)),
        buttons: keys(work, approval, questionRows(approval, view)),
      };
      if (approval.outboxId === null) {
        return put(work, { kind: "send", body, replyTo: null, isSilent: false }, PRIORITY.approval);
      }
      put(work, { kind: "edit", target: approval.outboxId, body, orSend: true }, PRIORITY.approval);
      return approval.outboxId;
    },
    settled: (work, approval, end) => {
      store.buttons.withdraw(groupOf(approval));
      if (approval.outboxId === null) return;
      if (store.outbox.withdraw(approval.outboxId)) return;
      const body = { ...onePart(settledText(approval, end)), buttons: [] };
      put(
        work,
        { kind: "edit", target: approval.outboxId, body, orSend: end === "unshown" },
        PRIORITY.approval,
      );
    },
  };
}

function groupOf({ id }: Approval): string {
  return `approval:${id}`;
}

/** As Telegram would trim it: the offsets stay true. What is shown here is short enough for one message. */
function onePart(rich: RichText): RichText {
  return splitRichText(rich)[0] ?? rich;
}

function actOf(work: Work, approval: Approval, buttons: MessageBody["buttons"]): OutboxAct {
  const view = viewTool(approval.toolName, approval.input);
  const body = { ...onePart(view.rich), buttons };
  if (view.kind === "message") return { kind: "send", body, replyTo: null, isSilent: false };
  return { kind: "document", fileName: view.fileName, content: view.content, body, replyTo: work.messageId };
}

function questionText({ question, index, count }: QuestionView): RichText {
  const place = count > 1 ? ` (${index + 1} of ${count})` : "";
  const lines = question.options
    .filter(({ description }) => description !== "")
    .map(({ label, description }) => `\n• ${escapeInvisible(label)}: ${escapeInvisible(description)}`);
  return joinRich(bold(`${escapeInvisible(question.question)}${place}`), ...lines);
}

function questionRows(
  approval: Approval,
  { question, index, chosen }: QuestionView,
): readonly (readonly ButtonSpec[])[] {
  const options = question.options.slice(0, MAX_BUTTONS - 1).map(({ label }, option): ButtonSpec[] => {
    const tick = question.multiSelect ? (chosen.includes(label) ? "☑ " : "☐ ") : "";
    const isTick = question.multiSelect;
    const action = { kind: "answer", approvalId: approval.id, question: index, option, isTick } as const;
    return [{ label: tick + label, action }];
  });
  if (!question.multiSelect) return options;
  const done = { kind: "answers_done", approvalId: approval.id, question: index } as const;
  return [...options, [{ label: LABELS.done, action: done }]];
}

function settledText(approval: Approval, end: ApprovalEnd): RichText {
  const answers = Object.entries(approval.answers);
  if (end === "answered" && answers.length > 0) {
    return joinRich(
      ...answers.flatMap(([question, labels], index) => [
        index === 0 ? "" : "\n",
        bold(escapeInvisible(question)),
        `\n→ ${escapeInvisible(labels.join(", "))}`,
      ]),
    );
  }
  const view = viewTool(approval.toolName, approval.input);
  return joinRich(view.rich, "\n\n", plain(APPROVAL_ENDS[end]));
}
