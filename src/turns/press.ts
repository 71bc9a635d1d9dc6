import type { ButtonAction } from "../domain/button.ts";
import type { Work } from "../domain/work.ts";
import type { Store } from "../store/store.ts";
import type { WorkDraft } from "../store/work.ts";
import type { ApprovalDesk } from "./approvals.ts";
import type { Late } from "./late.ts";
import type { Presenter } from "./presenter.ts";
import type { ProjectWatch } from "./project-watch.ts";
import type { Queue } from "./queue.ts";
import type { Recovery } from "./recovery.ts";

/** A press that `turns/` answers. */
export type TurnAction = Extract<
  ButtonAction,
  {
    kind:
      | "approve"
      | "answer"
      | "answers_done"
      | "stop"
      | "queue"
      | "recover"
      | "offered"
      | "offered_all"
      | "edited"
      | "quarantine";
  }
>;

/** What a stop or a press came to: `late` = what it was about had begun or ended, `held` = the queue waits for an answer. */
export type Effect = "done" | "stopping" | "dropped" | "released" | "held" | "late";

interface PressDeps {
  readonly store: Store;
  readonly presenter: Presenter;
  readonly desk: ApprovalDesk;
  readonly recovery: Recovery;
  readonly late: Late;
  readonly watch: Pick<ProjectWatch, "decide">;
  readonly queue: Queue;
  /** Queues a work that was just made, visibly. */
  readonly accept: (work: Work) => void;
  readonly submit: (draft: Omit<WorkDraft, "uuid">) => Work | null;
  readonly newUuid: () => string;
}

/** What people do to work that is on its way. Every method is called inside a transaction. */
export interface Presses {
  readonly press: (action: TurnAction, by: number) => Effect;
  /** Ends what runs in a conversation; else lets go of a queue that is held; else drops what waits for money. */
  readonly stop: (conversationId: number) => Effect;
}

export function createPresses(deps: PressDeps): Presses {
  const { store, presenter, desk, recovery, late, watch, queue, accept, submit, newUuid } = deps;

  function end(work: Work): Effect {
    store.work.requestStop(work.id);
    store.afterCommit(() => queue.stop(work.conversationId));
    return "stopping";
  }

  function drop(work: Work): Effect {
    store.work.end(work.id, "dropped");
    presenter.dropped(work);
    return "dropped";
  }

  function recover(action: Extract<ButtonAction, { kind: "recover" }>): void {
    const next = recovery.resolve(action);
    if (next) accept(next);
    const work = store.work.get(action.workId);
    if (work) store.afterCommit(() => queue.wake(work.conversationId));
  }

  function stop(conversationId: number): Effect {
    const active = store.work.active(conversationId);
    if (active) return end(active);
    const heldBy = store.conversations.get(conversationId)?.heldBy ?? null;
    if (heldBy !== null) {
      recover({ kind: "recover", workId: heldBy, choice: "drop" });
      return "released";
    }
    const [waiting] = store.work.queued(conversationId);
    return waiting ? drop(waiting) : "late";
  }

  function pressOnWork(work: Work, action: Extract<TurnAction, { kind: "stop" | "queue" }>): Effect {
    const isQueued = work.state === "queued";
    if (action.kind === "stop" && store.work.active(work.conversationId)?.id === work.id) return end(work);
    if (!isQueued) return "late";
    if (action.kind === "stop" || action.choice === "drop") return drop(work);
    store.work.moveFirst(work.id);
    const active = store.work.active(work.conversationId);
    if (active) end(active);
    const isHeld = store.conversations.get(work.conversationId)?.heldBy !== null;
    return isHeld ? "held" : "done";
  }

  /** What was answered before is left out; `late` when nothing is left. */
  function pressOnOffered(workIds: readonly number[], choice: "run" | "show" | "drop"): Effect {
    const works = workIds
      .flatMap((id) => store.work.get(id) ?? [])
      .filter(({ state }) => state === "offered");
    if (works.length === 0) return "late";
    if (choice === "run") late.run(works);
    else if (choice === "drop") late.drop(works);
    else works.forEach(presenter.recall);
    return choice === "drop" ? "dropped" : "done";
  }

  function press(action: TurnAction, by: number): Effect {
    switch (action.kind) {
      case "approve":
        desk.approve(action.approvalId, action.decision, by);
        return "done";
      case "answer":
        desk.choose({ ...action, by });
        return "done";
      case "answers_done":
        desk.finishChoice({ ...action, by });
        return "done";
      case "recover":
        recover(action);
        return "done";
      case "stop":
      case "queue": {
        const work = store.work.get(action.workId);
        return work ? pressOnWork(work, action) : "late";
      }
      case "offered":
        return pressOnOffered([action.workId], action.choice);
      case "offered_all":
        return pressOnOffered(action.workIds, action.choice);
      case "quarantine":
        return watch.decide(action, by);
      case "edited": {
        const work = store.work.get(action.workId);
        if (!work) return "late";
        const { conversationId, userId, project, messageId } = work;
        const dedupeKey = `edited:${newUuid()}`;
        const next = submit({ dedupeKey, conversationId, userId, project, messageId, text: action.text });
        if (next) store.attachments.copy(work.id, next.id);
        return "done";
      }
    }
  }

  return { press, stop };
}
