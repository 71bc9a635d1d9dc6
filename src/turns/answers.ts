import type { Work } from "../domain/work.ts";
import type { Approval } from "../store/approvals.ts";
import type { Store } from "../store/store.ts";
import type { Presenter } from "./presenter.ts";
import { type Question, questionsOf } from "./questions.ts";

/** A press on an option of a question. */
interface Choice {
  readonly approvalId: number;
  readonly question: number;
  readonly option: number;
  readonly by: number;
}

/** Answers to AskUserQuestion, one question after the other. Every method is called inside a transaction. */
export interface Answers {
  /** A person chose an option; where several may be chosen, he ticked or unticked it. */
  readonly choose: (choice: Choice) => void;
  /** A person has ticked all the options he wants. */
  readonly finishChoice: (choice: Omit<Choice, "option">) => void;
  /** The approval has ended in whatever way: what was ticked is forgotten. */
  readonly forget: (approvalId: number) => void;
}

interface AnswerDeps {
  readonly store: Store;
  readonly presenter: Presenter;
  /** Puts up the first question that is still open; returns the outbox id. */
  readonly show: (work: Work, approval: Approval) => number;
  /** All questions are answered: the call goes on with the answers. */
  readonly accept: (approval: Approval, by: number) => void;
}

interface Open {
  readonly approval: Approval;
  readonly work: Work;
  readonly questions: readonly Question[];
  readonly question: Question;
}

export function createAnswers({ store, presenter, show, accept }: AnswerDeps): Answers {
  /** Of approvals that are asked. */
  const ticks = new Map<number, readonly string[]>();

  /** What a press is about; null when it comes too late. */
  function find(approvalId: number, index: number): Open | null {
    const approval = store.approvals.get(approvalId);
    const work = approval && store.work.get(approval.workId);
    const questions = approval && questionsOf(approval);
    const question = questions?.[index];
    return approval?.state === "asked" && work && question ? { approval, work, questions, question } : null;
  }

  function answer(
    { approval, work, questions, question }: Open,
    labels: readonly string[],
    by: number,
  ): void {
    const answered = { ...approval, answers: { ...approval.answers, [question.question]: labels } };
    store.approvals.setAnswers(approval.id, answered.answers);
    store.afterCommit(() => ticks.delete(approval.id));
    if (questions.every((one) => answered.answers[one.question] !== undefined)) {
      accept(answered, by);
      return;
    }
    presenter.settled(work, answered, "answered");
    store.approvals.setOutbox(approval.id, show(work, { ...answered, outboxId: null }));
  }

  return {
    choose: ({ approvalId, question: index, option, by }) => {
      const open = find(approvalId, index);
      const label = open?.question.options[option]?.label;
      if (!open || label === undefined) return;
      if (!open.question.multiSelect) {
        answer(open, [label], by);
        return;
      }
      const ticked = ticks.get(approvalId) ?? [];
      const chosen = ticked.includes(label) ? ticked.filter((other) => other !== label) : [...ticked, label];
      store.afterCommit(() => ticks.set(approvalId, chosen));
      const view = { question: open.question, index, count: open.questions.length, chosen };
      presenter.askQuestion(open.work, open.approval, view);
    },
    finishChoice: ({ approvalId, question, by }) => {
      const open = find(approvalId, question);
      if (open) answer(open, ticks.get(approvalId) ?? [], by);
    },
    forget: (approvalId) => {
      ticks.delete(approvalId);
    },
  };
}
