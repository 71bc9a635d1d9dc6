import type { ButtonAction } from "../domain/button.ts";
import type { ToolAnswer, ToolAsk } from "../domain/claude-event.ts";
import type { Work } from "../domain/work.ts";
import type { Logger } from "../log/logger.ts";
import type { Approval, ApprovalChoice, ApprovalState } from "../store/approvals.ts";
import type { Store } from "../store/store.ts";
import { type Answers, createAnswers } from "./answers.ts";
import type { ApprovalEnd, Presenter } from "./presenter.ts";
import { answeredInput, parseQuestions, questionsOf } from "./questions.ts";
import type { RecordWork } from "./settle.ts";
import { waitForPerson } from "./wait-for-person.ts";

/** Asks people about tool calls and carries their answers back. */
export interface ApprovalDesk extends Omit<Answers, "forget"> {
  /** Puts the call before a person and waits: for the answer, the deadline or the end of the turn. Only "allow" allows. */
  readonly decide: (work: Work, ask: ToolAsk, signal: AbortSignal) => Promise<ToolAnswer>;
  /** A person pressed one of its keys. Called inside a transaction. */
  readonly approve: (approvalId: number, decision: Decision, by: number) => void;
  /** The same without a tool of the CLI's behind it: gives how it ended. */
  readonly question: (work: Work, ask: Question, signal: AbortSignal) => Promise<End["kind"]>;
  /** Telegram refused the message with the question for good: nobody can answer. Called inside a transaction. */
  readonly undelivered: (outboxId: number) => void;
  /** Nobody may answer any more what was asked in that work. Called inside a transaction. */
  readonly withdraw: (workId: number) => void;
  /** Closes what an earlier life left open. Called inside a transaction. */
  readonly expireLeftovers: () => void;
}

/** What a key of an approval says: yes or no, once or for good. */
export type Decision = Extract<ButtonAction, { kind: "approve" }>["decision"];

/** A person's answer. */
export interface AnswerGiven {
  readonly userId: number;
  readonly choice: ApprovalChoice;
}

/** What a person is asked, and what his answer changes: `settle` is called inside the transaction of his press. */
export interface Question extends ToolAsk {
  readonly settle?: (answer: AnswerGiven) => void;
}

const CHOICES = {
  allow: { kind: "allow", choice: "once" },
  allow_project: { kind: "allow", choice: "project" },
  deny: { kind: "deny", choice: "once" },
  never: { kind: "deny", choice: "never" },
} as const satisfies Readonly<Record<Decision, End & { choice: ApprovalChoice }>>;

interface ApprovalDeps {
  readonly store: Store;
  readonly presenter: Presenter;
  readonly record: RecordWork;
  readonly log: Logger;
  readonly summarise: (name: string, input: Readonly<Record<string, unknown>>) => string;
  readonly timeoutMs: number;
}

/** How the wait for a person ended. */
export type End = { readonly kind: "allow" | "deny" | "expired" | "withdrawn" | "unshown" };

const STATES = {
  allow: "allowed",
  deny: "denied",
  expired: "expired",
  withdrawn: "withdrawn",
  unshown: "withdrawn",
} as const satisfies Readonly<Record<End["kind"], ApprovalState>>;

const REFUSALS: Readonly<Record<Exclude<End["kind"], "allow">, string>> = {
  deny: "The person denied this call. Do not try it again in another form; ask what to do instead.",
  expired: "Nobody answered in time, so this call was denied.",
  unshown: "The question could not be shown to the person, so this call was denied.",
  withdrawn: "The turn was ended before anybody answered.",
};

export function createApprovalDesk({
  store,
  presenter,
  record,
  summarise,
  timeoutMs,
  log,
}: ApprovalDeps): ApprovalDesk {
  const waiting = new Map<number, (end: End) => void>();
  const settling = new Map<number, NonNullable<Question["settle"]>>();

  const fieldsOf = ({ toolName, toolUseId, input }: Approval) => ({
    tool: toolName,
    toolUseId,
    summary: summarise(toolName, input),
  });

  function close(approval: Approval, end: End, by: AnswerGiven | null): boolean {
    const state = STATES[end.kind];
    if (!store.approvals.decide(approval.id, state, by)) return false;
    const work = store.work.get(approval.workId);
    if (!work) return false;
    if (by !== null) settling.get(approval.id)?.(by);
    record(
      {
        type: "tool.answered",
        answer: end.kind === "unshown" ? "withdrawn" : end.kind,
        ...fieldsOf(approval),
      },
      by === null ? { work } : { work, userId: by.userId },
    );
    const isAnswered = state === "allowed" && questionsOf(approval) !== null;
    const shown: ApprovalEnd = isAnswered ? "answered" : end.kind === "unshown" ? end.kind : state;
    presenter.settled(work, store.approvals.get(approval.id) ?? approval, shown);
    store.afterCommit(() => {
      answers.forget(approval.id);
      waiting.get(approval.id)?.(end);
    });
    return true;
  }

  function show(work: Work, approval: Approval): number {
    const questions = questionsOf(approval);
    const index = questions?.findIndex(({ question }) => approval.answers[question] === undefined) ?? -1;
    const question = questions?.[index];
    if (!question) return presenter.askTool(work, approval);
    return presenter.askQuestion(work, approval, { question, index, count: questions.length, chosen: [] });
  }

  function open(work: Work, ask: ToolAsk): Approval {
    return store.transaction(() => {
      const approval = store.approvals.ask({ ...ask, workId: work.id });
      record({ type: "tool.asked", ...fieldsOf(approval) }, { work });
      store.work.setState(work.id, "waiting");
      store.approvals.setOutbox(approval.id, show(work, approval));
      return approval;
    });
  }

  function wait(approval: Approval, signal: AbortSignal): Promise<End> {
    const { promise, resolve } = Promise.withResolvers<End>();
    const end = (kind: "expired" | "withdrawn") => (): void => {
      try {
        store.transaction(() => close(approval, { kind }, null));
      } catch (error) {
        // The row is closed at the next start; the call is denied now.
        log.error(
          { event: "approval.unsettled", approvalId: approval.id, err: error },
          "an approval cannot be closed",
        );
        resolve({ kind });
      }
    };
    waiting.set(approval.id, resolve);
    const deadline = { timeoutMs, expire: end("expired"), withdraw: end("withdrawn") };
    return waitForPerson(promise, deadline, signal).finally(() => waiting.delete(approval.id));
  }

  async function put(work: Work, ask: Question, signal: AbortSignal): Promise<{ id: number; end: End }> {
    const approval = open(work, ask);
    if (ask.settle) settling.set(approval.id, ask.settle);
    const end = await wait(approval, signal).finally(() => settling.delete(approval.id));
    const isLastOpen = !store.approvals.open().some((other) => other.workId === work.id);
    if (isLastOpen && store.work.get(work.id)?.state === "waiting") store.work.setState(work.id, "running");
    return { id: approval.id, end };
  }

  async function question(work: Work, ask: Question, signal: AbortSignal): Promise<End["kind"]> {
    const { id, end } = await put(work, ask, signal);
    const isYes = store.approvals.get(id)?.state === "allowed";
    return end.kind === "allow" && !isYes ? "deny" : end.kind;
  }

  async function decide(work: Work, ask: ToolAsk, signal: AbortSignal): Promise<ToolAnswer> {
    if (ask.toolName === "AskUserQuestion" && !parseQuestions(ask.input)) {
      return { kind: "deny", message: "The questions could not be read: each needs a question and options." };
    }
    const { id, end } = await put(work, ask, signal);
    if (end.kind !== "allow") return { kind: "deny", message: REFUSALS[end.kind] };
    const decided = store.approvals.get(id);
    if (decided?.state !== "allowed") return { kind: "deny", message: REFUSALS.deny };
    const isAnswered = questionsOf(decided) !== null;
    return {
      kind: "allow",
      input: isAnswered ? answeredInput(decided.input, decided.answers) : decided.input,
    };
  }

  const answers = createAnswers({
    store,
    presenter,
    show,
    accept: (approval, userId) => void close(approval, { kind: "allow" }, { userId, choice: "once" }),
  });

  return {
    decide,
    question,
    approve: (approvalId, decision, userId) => {
      const approval = store.approvals.get(approvalId);
      const { kind, choice } = CHOICES[decision];
      if (approval) close(approval, { kind }, { userId, choice });
    },
    choose: answers.choose,
    finishChoice: answers.finishChoice,
    undelivered: (outboxId) => {
      const approval = store.approvals.open().find((one) => one.outboxId === outboxId);
      if (approval) close(approval, { kind: "unshown" }, null);
    },
    withdraw: (workId) => {
      const open = store.approvals.open().filter((approval) => approval.workId === workId);
      for (const approval of open) close(approval, { kind: "withdrawn" }, null);
    },
    expireLeftovers: () => {
      for (const approval of store.approvals.open()) close(approval, { kind: "expired" }, null);
    },
  };
}
