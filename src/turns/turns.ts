import type { SentFile } from "../domain/attachment.ts";
import type { AuditEvent } from "../domain/audit-event.ts";
import { conversationKey } from "../domain/request.ts";
import type { Verdict } from "../domain/verdict.ts";
import type { Conversation, Work } from "../domain/work.ts";
import type { Reservation } from "../security/limit-cost.ts";
import type { WorkDraft } from "../store/work.ts";
import { createApprovalDesk } from "./approvals.ts";
import { type Admission, createExpel } from "./expel.ts";
import { createHalt, type Halted } from "./halt.ts";
import { createLate } from "./late.ts";
import { createLateRecord } from "./late-record.ts";
import { keepOwed } from "./owed-usage.ts";
import { createPersist } from "./persist.ts";
import type { Presenter } from "./presenter.ts";
import { createPresses, type Presses } from "./press.ts";
import type { ProjectWatch } from "./project-watch.ts";
import { createQueue } from "./queue.ts";
import { createRecovery } from "./recovery.ts";
import { createRunTurn, type RunTurnDeps } from "./run-turn.ts";
import type { RecordWork } from "./settle.ts";

/** A prompt as it is handed in, with the files that came with it. */
export interface Prompt extends Omit<WorkDraft, "uuid"> {
  readonly files?: readonly SentFile[];
}

/** What stands in a conversation just now. */
export interface TurnStatus {
  readonly active: Work | null;
  readonly queued: readonly Work[];
  /** The interrupted work for whose answer the queue waits. */
  readonly heldBy: Work | null;
  /** What was sent too long ago and waits for a person's word, outside the queue. */
  readonly offered: readonly Work[];
}

/** Admitted work on its way through Claude. Every method but `start` and `close` is called inside a transaction. */
export interface Turns extends Presses {
  /** Queues a prompt and shows that it was accepted; null when it had been submitted before. */
  readonly submit: (prompt: Prompt) => Work | null;
  /** Keeps a prompt that comes too late to run by itself, and offers it; null when it had been submitted before. */
  readonly keep: (prompt: Prompt) => Work | null;
  /** A message of the outbox was refused for good: if it was a question, its call is denied. */
  readonly undelivered: (outboxId: number) => void;
  /** Replaces the text of a work that is still queued or offered; false when it has begun or ended. */
  readonly edit: (work: Work, text: string) => boolean;
  /** Ends the session of a person in a conversation, so that the next prompt begins a new one. */
  readonly forget: (conversation: Conversation, userId: number) => void;
  readonly chooseProject: (conversation: Conversation, project: string) => void;
  /** Somebody's budget has grown: what waits for money may begin. */
  readonly paid: () => void;
  /** Ends every warm process, one at work after its turn, so that the next turn sees its project as it is now. */
  readonly renew: () => void;
  /** Ends everything that runs, of everybody. Nothing begins again while the bot is locked; what waits is kept. */
  readonly halt: () => Halted;
  /** Ends and drops what people left who may not come in any more. */
  readonly expel: () => void;
  readonly status: (conversationId: number) => TurnStatus;
  /** Puts up once more, with keys of their own, the questions on which work of a conversation waits. */
  readonly askAgain: (conversationId: number) => void;
  /** Sorts out what an earlier life left and begins to run what is queued. */
  readonly start: () => void;
  /** Cuts off what runs, as interrupted, and waits for it. */
  readonly close: () => Promise<void>;
}

export interface TurnsDeps
  extends Omit<RunTurnDeps, "desk" | "recovery" | "record" | "lateRecord" | "persist" | "watch"> {
  readonly record: (
    event: AuditEvent,
    who: { readonly userId: number; readonly conversation: Work["conversation"] },
  ) => void;
  readonly presenter: Presenter;
  readonly admission: Admission;
  readonly watch: Pick<ProjectWatch, "during" | "decide" | "recover">;
  /** Read anew at every call: the lock is opened by another process. */
  readonly isLocked: () => boolean;
  readonly reserve: (userId: number) => Reservation;
  readonly approvalTimeoutMs: number;
  /** What is older than this when the daemon comes back is offered, not run. */
  readonly staleAfterMs: number;
  readonly newUuid: () => string;
}

export function createTurns(given: TurnsDeps): Turns {
  const deps = { ...given, store: keepOwed(given.store) };
  const { store, presenter, claude, newUuid, log, summarise, approvalTimeoutMs, isLocked } = deps;
  const record: RecordWork = (event, { work, userId = work.userId }) =>
    deps.record(event, { userId, conversation: work.conversation });
  const onUnpaid = (
    work: Work,
    { spentMicroUsd, limitMicroUsd }: Extract<Verdict, { kind: "spent" }>,
  ): void => record({ type: "cost.refused", stage: "turn", spentMicroUsd, limitMicroUsd }, { work });

  let isClosing = false;
  const persist = createPersist(log, () => isClosing);
  const recovery = createRecovery({ store, presenter, record, newUuid, summarise });
  const desk = createApprovalDesk({ store, presenter, record, summarise, log, timeoutMs: approvalTimeoutMs });
  const lateRecord = createLateRecord({ store, record, log });
  const runTurn = createRunTurn({ ...deps, record, lateRecord, desk, recovery, persist });
  const queue = createQueue({ ...deps, runTurn, onUnpaid });

  function heldByOf(conversationId: number): Work | null {
    const heldBy = store.conversations.get(conversationId)?.heldBy ?? null;
    return heldBy === null ? null : store.work.get(heldBy);
  }

  /** How many run or wait before a work; of others, whose work waits for his money is passed over. */
  function aheadOf({ id, conversationId, userId }: Work): number {
    const queued = store.work.queued(conversationId);
    const place = queued.findIndex((other) => other.id === id);
    const before = queued
      .slice(0, Math.max(place, 0))
      .filter((other) => other.userId === userId || !queue.isPassedOver(conversationId, other.userId));
    return before.length + (store.work.active(conversationId) ? 1 : 0);
  }

  function accept(work: Work): void {
    const { conversationId } = work;
    const place = { ahead: aheadOf(work), heldBy: heldByOf(conversationId), isLocked: isLocked() };
    store.work.setPlaceholder(work.id, presenter.accepted(work, place));
    store.afterCommit(() => queue.wake(conversationId));
  }

  function enter({ files = [], ...draft }: Prompt): Work | null {
    const work = store.work.submit({ ...draft, uuid: newUuid() });
    if (work) store.attachments.add(work.id, files);
    return work;
  }

  function submit(prompt: Prompt): Work | null {
    const work = enter(prompt);
    if (work) accept(work);
    return work;
  }

  const late = createLate({ store, presenter, accept, staleAfterMs: deps.staleAfterMs, now: deps.now });
  const { halt, ...lock } = createHalt({
    store,
    isLocked,
    log,
    endAll: () => {
      queue.stopAll();
      logFault(claude.forgetAll());
    },
    onOpen: () => {
      store.transaction(() => {
        late.offerDue();
        presenter.unlocked();
      });
      queue.wakeAll();
    },
  });
  const { expel, ...people } = createExpel({
    ...deps,
    desk,
    recovery,
    queue,
    endWarm: () => logFault(claude.forgetAll()),
  });
  const presses = createPresses({
    watch: deps.watch,
    store,
    presenter,
    desk,
    recovery,
    late,
    queue,
    accept,
    submit,
    newUuid,
  });

  return {
    submit,
    keep: (prompt) => {
      const work = enter(prompt);
      if (work) late.offer(work);
      return work;
    },
    ...presses,
    press: (action, by) => {
      expel(); // what it is about may be of somebody who was let out a moment ago
      return presses.press(action, by);
    },
    undelivered: desk.undelivered,
    edit: (work, text) => {
      if (work.state !== "queued" && work.state !== "offered") return false;
      store.work.setText(work.id, text);
      if (work.state === "offered") late.edited({ ...work, text });
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
    paid: () => store.afterCommit(queue.wakeAll),
    renew: () => store.afterCommit(() => logFault(claude.forgetAll())),
    halt,
    expel,
    status: (conversationId) => ({
      active: store.work.active(conversationId),
      queued: store.work.queued(conversationId),
      heldBy: heldByOf(conversationId),
      offered: store.offered.of(conversationId),
    }),
    askAgain: (conversationId) => {
      const heldBy = heldByOf(conversationId);
      if (heldBy) recovery.askAgain(heldBy);
      late.askAgain(conversationId);
    },
    start: () => {
      store.transaction(() => {
        desk.expireLeftovers();
        recovery.requeue();
        late.offerDue();
        recovery.recover();
      });
      deps.watch.recover();
      people.watch();
      queue.wakeAll();
      lock.watch();
    },
    close: async () => {
      isClosing = true;
      people.close();
      lock.close();
      await queue.close();
      lateRecord.close();
    },
  };

  function endWarm(conversation: Conversation): void {
    logFault(claude.forget(conversationKey(conversation)));
  }

  function logFault(forgetting: Promise<void>): void {
    forgetting.catch((error: unknown) =>
      log.warn({ event: "claude.forget", err: error }, "a warm process did not end"),
    );
  }
}
