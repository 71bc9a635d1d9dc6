import type { ButtonAction } from "../domain/button.ts";
import type { Work } from "../domain/work.ts";
import type { Store } from "../store/store.ts";
import { continuationOf, goOnOf } from "./continuation.ts";
import type { CutOff, Presenter } from "./presenter.ts";
import { questionsOf } from "./questions.ts";
import { type RecordWork, settleTurn } from "./settle.ts";

interface RecoveryDeps {
  readonly store: Store;
  readonly presenter: Presenter;
  readonly record: RecordWork;
  readonly newUuid: () => string;
  readonly summarise: (name: string, input: Readonly<Record<string, unknown>>) => string;
}

/** What happens to work that the daemon's end cut off: it is never run again unless a person says so. Called inside transactions. */
export interface Recovery {
  /** Ends a work that may have had effects as interrupted, charges what was metered and holds its queue for an answer. */
  readonly interrupt: (work: Work, cause: "restart" | "shutdown") => void;
  /** Sorts what an earlier life left: not begun = queued again, told to stop = stopped. */
  readonly requeue: () => void;
  /** The same for what had begun: interrupted. After `requeue`, so that the offers tell all that waits. */
  readonly recover: () => void;
  /** Offers the work that holds a conversation's queue once more, so that nobody has to look for the keys. */
  readonly askAgain: (heldBy: Work) => void;
  /** Carries out the answer; returns the work that was queued for it, if any. Called inside a transaction. */
  readonly resolve: (choice: Extract<ButtonAction, { kind: "recover" }>) => Work | null;
}

const TEXT_OF = { again: (text: string) => text, continue: continuationOf, more: goOnOf } as const;

export function createRecovery(deps: RecoveryDeps): Recovery {
  const { store, presenter, record, newUuid, summarise } = deps;

  const cutOffOf = (work: Work): CutOff => ({
    allowed: store.approvals
      .ofWork(work.id)
      .filter((approval) => approval.state === "allowed" && questionsOf(approval) === null)
      .map(({ toolName, input }) => summarise(toolName, input)),
    waiting: store.work.queued(work.conversationId),
  });

  function interrupt(work: Work, cause: "restart" | "shutdown"): void {
    settleTurn({ ledger: store.ledger, record }, work, null);
    if (work.isStopRequested) {
      stopped(work);
      return;
    }
    store.work.end(work.id, "interrupted");
    store.conversations.hold(work.conversationId, work.id);
    record({ type: "turn.interrupted", workId: work.id, cause }, { work });
    presenter.interrupted(work, cutOffOf(work));
  }

  function stopped(work: Work): void {
    store.work.end(work.id, "stopped");
    record({ type: "turn.stopped", workId: work.id, durationMs: 0 }, { work });
    presenter.dropped(work);
  }

  return {
    interrupt,
    requeue: () => {
      for (const work of store.work.inStates(["preparing"])) {
        if (work.isStopRequested) stopped(work);
        else store.work.requeue(work.id);
      }
    },
    recover: () => {
      for (const work of store.work.inStates(["running", "waiting"])) interrupt(work, "restart");
      for (const work of store.work.inStates(["delivering"])) store.work.finishIfDelivered(work.id);
    },
    askAgain: (heldBy) => presenter.askAgain(heldBy, cutOffOf(heldBy)),
    resolve: ({ workId, choice }) => {
      const work = store.work.get(workId);
      if (!work) return null;
      const conversation = store.conversations.get(work.conversationId);
      if (conversation?.heldBy === workId) store.conversations.hold(work.conversationId, null);
      if (choice === "drop") {
        presenter.dropped(work);
        return null;
      }
      const next = store.work.submit({
        uuid: newUuid(),
        dedupeKey: `${choice}:${workId}`,
        conversationId: work.conversationId,
        userId: work.userId,
        project: work.project,
        text: TEXT_OF[choice](work.text),
        sessionId: work.sessionId,
        messageId: work.messageId,
      });
      if (next) store.attachments.copy(workId, next.id);
      if (next) store.work.moveFirst(next.id);
      return next;
    },
  };
}
