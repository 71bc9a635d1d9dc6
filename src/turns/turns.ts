import type { AuditEvent } from "../domain/audit-event.ts";
import type { ButtonAction } from "../domain/button.ts";
import { conversationKey } from "../domain/request.ts";
import type { Verdict } from "../domain/verdict.ts";
import type { Conversation, Work } from "../domain/work.ts";
import type { WorkDraft } from "../store/work.ts";
import { createApprovalDesk } from "./approvals.ts";
import { createQueue, type Reservation } from "./queue.ts";
import { createRecovery } from "./recovery.ts";
import { createRunTurn, type RunTurnDeps } from "./run-turn.ts";

/** A press that `turns/` answers. */
export type TurnAction = Extract<
  ButtonAction,
  { kind: "approve" | "answer" | "answers_done" | "stop" | "queue" | "recover" | "edited" }
>;

/** What stands in a conversation just now. */
export interface TurnStatus {
  readonly active: Work | null;
  readonly queued: readonly Work[];
}

/** Admitted work on its way through Claude. Every method but `start` and `close` is called inside a transaction. */
export interface Turns {
  /** Queues a prompt and shows that it was accepted; null when it had been submitted before. */
  readonly submit: (draft: Omit<WorkDraft, "uuid">) => Work | null;
  /** Asks the running turn of a conversation to end; returns it, or null when none runs. */
  readonly stop: (conversationId: number) => Work | null;
  readonly press: (action: TurnAction, by: number) => void;
  /** A message of the outbox was refused for good: if it was a question, its call is denied. */
  readonly undelivered: (outboxId: number) => void;
  /** Replaces the text of a work that is still queued; false when it has begun or ended. */
  readonly edit: (work: Work, text: string) => boolean;
  /** Ends the session of a person in a conversation, so that the next prompt begins a new one. */
  readonly forget: (conversation: Conversation, userId: number) => void;
  readonly chooseProject: (conversation: Conversation, project: string) => void;
  readonly status: (conversationId: number) => TurnStatus;
  /** Sorts out what an earlier life left and begins to run what is queued. */
  readonly start: () => void;
  /** Cuts off what runs, as interrupted, and waits for it. */
  readonly close: () => Promise<void>;
}

export interface TurnsDeps extends Omit<RunTurnDeps, "desk" | "recovery" | "record"> {
  readonly record: (
    event: AuditEvent,
    who: { readonly userId: number; readonly conversation: Work["conversation"] },
  ) => void;
  readonly reserve: (userId: number) => Reservation;
  readonly approvalTimeoutMs: number;
  readonly newUuid: () => string;
}

export function createTurns(deps: TurnsDeps): Turns {
  const { store, presenter, claude, newUuid, log, summarise, approvalTimeoutMs } = deps;
  const record: RunTurnDeps["record"] = (event, { work, userId = work.userId }) =>
    deps.record(event, { userId, conversation: work.conversation });
  const onUnpaid = (
    work: Work,
    { spentMicroUsd, limitMicroUsd }: Extract<Verdict, { kind: "spent" }>,
  ): void => record({ type: "cost.refused", stage: "turn", spentMicroUsd, limitMicroUsd }, { work });

  const recovery = createRecovery({ store, presenter, record, newUuid });
  const desk = createApprovalDesk({ store, presenter, record, summarise, timeoutMs: approvalTimeoutMs });
  const runTurn = createRunTurn({ ...deps, record, desk, recovery });
  const queue = createQueue({
    store,
    presenter,
    runTurn,
    onUnpaid,
    newUuid,
    log,
    reserve: deps.reserve,
    interrupt: (work) => recovery.interrupt(work, "restart"),
  });

  function accept(work: Work): void {
    const { conversationId } = work;
    const others = store.work.queued(conversationId).filter((other) => other.id !== work.id);
    const ahead = others.length + (store.work.active(conversationId) ? 1 : 0);
    const isHeld = store.conversations.get(conversationId)?.heldBy !== null;
    store.work.setPlaceholder(work.id, presenter.accepted(work, { ahead, isHeld }));
    store.afterCommit(() => queue.wake(conversationId));
  }

  function submit(draft: Omit<WorkDraft, "uuid">): Work | null {
    const work = store.work.submit({ ...draft, uuid: newUuid() });
    if (work) accept(work);
    return work;
  }

  function stop(conversationId: number): Work | null {
    const work = store.work.active(conversationId);
    if (!work) return null;
    store.work.requestStop(work.id);
    store.afterCommit(() => queue.stop(conversationId));
    return work;
  }

  function drop(work: Work): void {
    if (work.state !== "queued") return;
    store.work.end(work.id, "dropped");
    presenter.dropped(work);
  }

  function press(action: TurnAction, by: number): void {
    switch (action.kind) {
      case "approve":
        desk.approve(action.approvalId, action.decision, by);
        return;
      case "answer":
        desk.choose({ ...action, by });
        return;
      case "answers_done":
        desk.finishChoice({ ...action, by });
        return;
      case "recover": {
        const next = recovery.resolve(action);
        if (next) accept(next);
        const work = store.work.get(action.workId);
        if (work) store.afterCommit(() => queue.wake(work.conversationId));
        return;
      }
      case "stop": {
        const work = store.work.get(action.workId);
        if (work && store.work.active(work.conversationId)?.id === work.id) stop(work.conversationId);
        return;
      }
      case "queue": {
        const work = store.work.get(action.workId);
        if (work?.state !== "queued") return;
        if (action.choice === "drop") {
          drop(work);
          return;
        }
        store.work.moveFirst(work.id);
        stop(work.conversationId);
        return;
      }
      case "edited": {
        const work = store.work.get(action.workId);
        if (!work) return;
        const { conversationId, userId, project, messageId } = work;
        const dedupeKey = `edited:${newUuid()}`;
        submit({ dedupeKey, conversationId, userId, project, messageId, text: action.text });
        return;
      }
    }
  }

  return {
    submit,
    stop,
    press,
    undelivered: desk.undelivered,
    edit: (work, text) => {
      if (work.state !== "queued") return false;
      store.work.setText(work.id, text);
      return true;
    },
    forget: (conversation, userId) => {
      if (conversation.project === null) return;
      store.sessions.end({ conversationId: conversation.id, userId, project: conversation.project });
      store.afterCommit(() => endWarm(conversation));
    },
    chooseProject: (conversation, project) => {
      store.conversations.setProject(conversation.id, project);
      store.work.assignProject(conversation.id, project);
      store.afterCommit(() => {
        if (conversation.project !== project) endWarm(conversation);
        queue.wake(conversation.id);
      });
    },
    status: (conversationId) => ({
      active: store.work.active(conversationId),
      queued: store.work.queued(conversationId),
    }),
    start: () => {
      store.transaction(() => {
        desk.expireLeftovers();
        recovery.recover();
      });
      queue.wakeAll();
    },
    close: queue.close,
  };

  function endWarm(conversation: Conversation): void {
    claude
      .forget(conversationKey(conversation))
      .catch((error: unknown) =>
        log.warn({ event: "claude.forget", err: error }, "a warm process did not end"),
      );
  }
}
