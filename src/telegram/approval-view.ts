import type { ButtonSpec } from "../domain/button.ts";
import { GIT_REMOTE, NETWORK_ACCESS } from "../domain/net.ts";
import { type MessageBody, type OutboxAct, PRIORITY, type Priority } from "../domain/outbox.ts";
import type { Owners } from "../domain/person.ts";
import type { Work } from "../domain/work.ts";
import type { Approval } from "../store/approvals.ts";
import type { Store } from "../store/store.ts";
import type { Decision } from "../turns/approvals.ts";
import type { ApprovalEnd, Presenter, QuestionView } from "../turns/presenter.ts";
import { labelOf, MAX_BUTTONS, OWNERS_ONLY, offerKeyboard, ownerOf } from "./keyboard.ts";
import type { Outgoing } from "./outgoing.ts";
import type { RichText } from "./render/entity.ts";
import { escapeInvisible } from "./render/invisible.ts";
import { bold, joinRich, plain } from "./render/rich-text.ts";
import { cutRich, isInline, toolTitle, viewTool, type WholeView } from "./tool-view.ts";
import { APPROVAL_ENDS, LABELS } from "./wording.ts";
import { FOR_GOOD, hostQuestion, NET_LABELS, remoteQuestion } from "./wording-net.ts";
import { OWN_SECRET } from "./wording-secrets.ts";

/** What Telegram takes, in UTF-16 units: the text of a message, and the caption of a document. */
const LIMITS = { message: 4_096, file: 1_024 } as const;
/** How much of a long question its caption shows. */
const MAX_QUESTION = 700;
/** A question or an answer is never cut shorter than this when all of them are listed. */
const MIN_SHARE = 40;

/** Puts a message about a work, or a place, on the screen, through the outbox. */
export type PutAbout = (work: Pick<Work, "conversation">, act: OutboxAct, priority?: Priority) => number;

interface ApprovalViewDeps {
  readonly store: Store;
  readonly outgoing: Outgoing;
  readonly put: PutAbout;
  readonly owners: Owners;
}

/**
 * Approvals and questions on the screen: each is shown whole, in its message or in a file (H25). In a tool call nothing that
 * only looks like a secret is hidden, as it is what is approved; the daemon's own secrets are, and that is said.
 */
export function createApprovalView({
  store,
  outgoing,
  put,
  owners,
}: ApprovalViewDeps): Pick<Presenter, "askTool" | "askQuestion" | "settled"> {
  const keys = (work: Work, approval: Approval, rows: readonly (readonly ButtonSpec[])[]) =>
    offerKeyboard(store.buttons, ownerOf(work, groupOf(approval)), rows);

  const keyOf = (work: Work, approval: Approval) => (label: string, decision: Decision, isOwners: boolean) =>
    offerKeyboard(
      store.buttons,
      { ...ownerOf(work, groupOf(approval)), ...(isOwners ? { userId: OWNERS_ONLY } : {}) },
      [[{ label, action: { kind: "approve", approvalId: approval.id, decision } }]],
    ).flat();

  function askPlainly(work: Work, rich: RichText, buttons: MessageBody["buttons"]): number {
    const body = { ...rich, buttons };
    return put(work, { kind: "send", body, replyTo: null, isSilent: false }, PRIORITY.approval);
  }

  /** The asker may say it for once; for good, which holds for everybody, only an owner. */
  function askHost(work: Work, approval: Approval): number {
    const key = keyOf(work, approval);
    const target = { host: String(approval.input.host), port: Number(approval.input.port) };
    const isOwner = owners.has(work.userId);
    return askPlainly(work, hostQuestion(target, { project: work.project ?? "", isOwner }), [
      [...key(NET_LABELS.once, "allow", false), ...key(NET_LABELS.deny, "deny", false)],
      [...key(NET_LABELS.project, "allow_project", true), ...key(NET_LABELS.never, "never", true)],
    ]);
  }

  function askRemote(work: Work, approval: Approval): number {
    const key = keyOf(work, approval);
    const name = `${String(approval.input.host)}/${String(approval.input.repository)}`;
    return askPlainly(work, remoteQuestion(name, work.project ?? ""), [
      [...key(NET_LABELS.accept, "allow_project", true), ...key(NET_LABELS.deny, "deny", false)],
    ]);
  }

  return {
    askTool: (work, approval) => {
      if (approval.toolName === NETWORK_ACCESS) return askHost(work, approval);
      if (approval.toolName === GIT_REMOTE) return askRemote(work, approval);
      const row = [
        { label: LABELS.allow, action: { kind: "approve", approvalId: approval.id, decision: "allow" } },
        { label: LABELS.deny, action: { kind: "approve", approvalId: approval.id, decision: "deny" } },
      ] as const;
      const { input, hidden } = outgoing.exact(approval.input);
      const view = viewTool(approval.toolName, input, hidden === 0 ? "" : OWN_SECRET);
      return put(work, exact(actOf(work, view, keys(work, approval, [row]))), PRIORITY.approval);
    },
    askQuestion: (work, approval, view) => {
      const shown = questionWithout(view, outgoing.text);
      const buttons = keys(work, approval, questionRows(approval, shown));
      const act = actOf(work, viewQuestion(shown), buttons);
      if (approval.outboxId === null) return put(work, act, PRIORITY.approval);
      const { body } = act;
      put(work, { kind: "edit", target: approval.outboxId, body, orSend: true }, PRIORITY.approval);
      return approval.outboxId;
    },
    settled: (work, approval, end) => {
      store.buttons.withdraw(groupOf(approval));
      if (approval.outboxId === null) return;
      if (store.outbox.withdraw(approval.outboxId)) return;
      const asked = store.outbox.get(approval.outboxId)?.act ?? null;
      const body = { ...settledText(approval, { end, asked, outgoing }), buttons: [] };
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

function exact(act: OutboxAct): OutboxAct {
  return { ...act, body: { ...act.body, isExact: true } };
}

function questionWithout(view: QuestionView, redact: (text: string) => string): QuestionView {
  const { question } = view;
  const options = question.options.map(({ label, description, ...rest }) => ({
    ...rest,
    label: redact(label),
    description: redact(description),
  }));
  const shown = { ...question, question: redact(question.question), options };
  return { ...view, question: shown, chosen: view.chosen.map(redact) };
}

function actOf(work: Work, view: WholeView, buttons: MessageBody["buttons"]): OutboxAct {
  const body = { ...cutRich(view.rich, LIMITS[view.kind]), buttons };
  if (view.kind === "message") return { kind: "send", body, replyTo: null, isSilent: false };
  return { kind: "document", fileName: view.fileName, content: view.content, body, replyTo: work.messageId };
}

/** The same whatever is ticked: a message stays a message, and a document a document. */
function viewQuestion({
  question: { question, options, multiSelect },
  index,
  count,
}: QuestionView): WholeView {
  const place = count > 1 ? ` (${index + 1} of ${count})` : "";
  const title = escapeInvisible(question);
  const keyed = keyedOf({ options, multiSelect });
  const tick = tickOf(multiSelect, false);
  const isSaidByKey = (label: string): boolean => labelOf(tick + label) === tick + label;
  const lineOf = ({ label, description }: { label: string; description: string }): string =>
    `\n• ${escapeInvisible(label)}${description === "" ? "" : `: ${escapeInvisible(description)}`}`;
  const lines = options
    .filter((option, at) => option.description !== "" || at >= keyed || !isSaidByKey(option.label))
    .map(lineOf);
  const note =
    keyed < options.length
      ? `\nOnly the first ${keyed} of ${options.length} options have a button: Telegram takes no more.`
      : "";
  const rich = joinRich(bold(`${title}${place}`), ...lines, note);
  if (isInline(rich)) return { kind: "message", rich };
  const gist = bold(joinRich(cutRich(plain(title), MAX_QUESTION), place));
  return {
    kind: "file",
    rich: joinRich(gist, note, "\nThe whole question is in the file."),
    fileName: "question.txt",
    content: `${title}${place}\n${options.map(lineOf).join("")}\n${note}`,
  };
}

/** How many options have a button; where several may be chosen, one more is for [Done]. */
function keyedOf({
  options,
  multiSelect,
}: Pick<QuestionView["question"], "options" | "multiSelect">): number {
  return Math.min(options.length, multiSelect ? MAX_BUTTONS - 1 : MAX_BUTTONS);
}

function tickOf(multiSelect: boolean, isTicked: boolean): string {
  if (!multiSelect) return "";
  return isTicked ? "☑ " : "☐ ";
}

function questionRows(
  approval: Approval,
  { question, index, chosen }: QuestionView,
): readonly (readonly ButtonSpec[])[] {
  const isTick = question.multiSelect;
  const options = question.options.slice(0, keyedOf(question)).map(({ label }, option): ButtonSpec[] => {
    const action = { kind: "answer", approvalId: approval.id, question: index, option, isTick } as const;
    return [{ label: tickOf(isTick, chosen.includes(label)) + label, action }];
  });
  if (!isTick) return options;
  const done = { kind: "answers_done", approvalId: approval.id, question: index } as const;
  return [...options, [{ label: LABELS.done, action: done }]];
}

interface Settled {
  readonly end: ApprovalEnd;
  /** The message that asked; null when it is gone. */
  readonly asked: OutboxAct | null;
  readonly outgoing: Outgoing;
}

/** What was asked stays, as far as there is room above how it ended; of questions, the answers. */
function settledText(approval: Approval, { end, asked, outgoing }: Settled): RichText {
  const limit = asked?.kind === "document" ? LIMITS.file : LIMITS.message;
  if (end === "answered" && Object.keys(approval.answers).length > 0)
    return answersText(approval, limit, outgoing.text);
  const line = plain(FOR_GOOD[approval.choice ?? "once"] ?? APPROVAL_ENDS[end]);
  // What Telegram refused to show would be refused again: of that, the name only.
  const isShown = asked !== null && end !== "unshown";
  const rich = isShown ? outgoing.rich(asked.body) : bold(toolTitle(approval.toolName));
  return joinRich(cutRich(rich, limit - line.text.length - 2), "\n\n", line);
}

/** Every question with its answer; each gets an equal share where they are too long together. */
function answersText({ answers }: Approval, limit: number, redact: (text: string) => string): RichText {
  const entries = Object.entries(answers).map(
    ([question, labels]) => [redact(question), labels.map(redact)] as const,
  );
  const inShares = (share: number): RichText =>
    joinRich(
      ...entries.flatMap(([question, labels], index) => [
        index === 0 ? "" : "\n",
        bold(cutRich(plain(escapeInvisible(question)), share)),
        "\n→ ",
        cutRich(plain(escapeInvisible(labels.join(", "))), share),
      ]),
    );
  const whole = inShares(limit);
  if (whole.text.length <= limit) return cutRich(whole, limit);
  return cutRich(inShares(Math.max(MIN_SHARE, Math.floor(limit / entries.length / 2) - 4)), limit);
}
