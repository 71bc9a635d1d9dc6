import type { Verdict } from "../domain/verdict.ts";
import type { Work } from "../domain/work.ts";
import type { Logger } from "../log/logger.ts";
import type { Reservation } from "../security/limit-cost.ts";
import { isStoreFault } from "../store/fault.ts";
import type { Store } from "../store/store.ts";
import { promptIn } from "./continuation.ts";
import type { Admission } from "./expel.ts";
import type { Presenter } from "./presenter.ts";
import type { PreparedTurn } from "./run-turn.ts";

/** How long to wait before trying again to begin a turn that the store did not take. */
const AGAIN_MS = 500;

interface QueueDeps {
  readonly store: Store;
  readonly presenter: Presenter;
  readonly reserve: (userId: number) => Reservation;
  /** Resolves when the turn is settled. */
  readonly runTurn: (turn: PreparedTurn) => Promise<void>;
  /** Nothing begins while this is so. */
  readonly isLocked: () => boolean;
  /** Read anew at every call. */
  readonly admission: Pick<Admission, "isAdmitted">;
  readonly onUnpaid: (work: Work, verdict: Extract<Verdict, { kind: "spent" }>) => void;
  readonly newUuid: () => string;
  readonly log: Logger;
}

/** One try to begin a turn. */
interface Attempt {
  readonly abort: AbortController;
  /** The work it has come to. */
  work: Work | null;
}

/** One turn at a time in a conversation, conversations side by side. */
export interface Queue {
  /**
   * Begins the next work of a conversation if nothing runs there, nothing holds it and it can be paid. Whose work waits for his
   * money is passed over, with all of his that is behind it.
   */
  readonly wake: (conversationId: number) => void;
  readonly wakeAll: () => void;
  /** Whether a person's work in a conversation was passed over when last something was to begin there. */
  readonly isPassedOver: (conversationId: number, userId: number) => boolean;
  /** Ends the running turn of a conversation; what is queued behind it goes on. */
  readonly stop: (conversationId: number) => void;
  /** Ends every running turn. */
  readonly stopAll: () => void;
  /** Begins nothing more, cuts off what runs and waits for it. */
  readonly close: () => Promise<void>;
}

export function createQueue(deps: QueueDeps): Queue {
  const { store, presenter, admission, reserve, runTurn, isLocked, onUnpaid, newUuid, log } = deps;
  const active = new Map<number, { readonly abort: AbortController; readonly ended: Promise<void> }>();
  /** Whose work waits for his money, by conversation: the first work of each such person, which was told so. */
  const unpaid = new Map<number, ReadonlyMap<number, number>>();
  let isClosing = false;

  /** A loss of power may undo it: the work is queued then, as it is after a crash. */
  function prepare(conversationId: number, attempt: Attempt): PreparedTurn | null {
    return store.lightly(() => {
      if (isLocked()) return null;
      const busy = new Map<number, number>();
      store.afterCommit(() => {
        if (busy.size > 0) unpaid.set(conversationId, busy);
        else unpaid.delete(conversationId);
      });
      for (;;) {
        const conversation = store.conversations.get(conversationId);
        const work = store.work.queued(conversationId).find(({ userId }) => !busy.has(userId)) ?? null;
        attempt.work = work;
        if (!conversation || conversation.heldBy !== null || !work || work.project === null) return null;
        if (!admission.isAdmitted(work.userId)) {
          store.work.end(work.id, "dropped");
          presenter.dropped(work);
          continue;
        }
        const reservation = reserve(work.userId);
        if (reservation.kind === "busy") {
          if (unpaid.get(conversationId)?.get(work.userId) !== work.id) presenter.waitsForMoney(work);
          busy.set(work.userId, work.id);
          continue;
        }
        if (reservation.kind === "ok") {
          const key = { conversationId, userId: work.userId, project: work.project };
          const session = store.sessions.current(key) ?? store.sessions.begin(key, newUuid());
          store.work.prepare(work.id, session.id, reservation.reservedMicroUsd);
          const prompt = promptIn(session.id, work);
          if (prompt !== work.text) store.work.setText(work.id, prompt);
          const prepared = store.work.get(work.id) ?? work;
          return { work: prepared, session, screen: presenter.open(prepared), signal: attempt.abort.signal };
        }
        store.work.end(work.id, "failed");
        presenter.unpaid(work, reservation);
        onUnpaid(work, reservation);
      }
    });
  }

  async function run(conversationId: number, turn: PreparedTurn): Promise<void> {
    try {
      await runTurn(turn);
    } catch (error) {
      log.error({ event: "turn.unsettled", workId: turn.work.id, err: error }, "a turn ended in disorder");
    }
    active.delete(conversationId);
    for (const id of new Set([conversationId, ...unpaid.keys()])) wake(id);
  }

  function wake(conversationId: number): void {
    if (isClosing || active.has(conversationId)) return;
    const attempt: Attempt = { abort: new AbortController(), work: null };
    let turn: PreparedTurn | null;
    try {
      turn = prepare(conversationId, attempt);
    } catch (error) {
      log.error({ event: "queue.stuck", conversationId, err: error }, "no turn can be begun; trying again");
      if (!isStoreFault(error) && attempt.work) giveUp(attempt.work);
      setTimeout(() => wake(conversationId), AGAIN_MS).unref();
      return;
    }
    if (turn) active.set(conversationId, { abort: attempt.abort, ended: run(conversationId, turn) });
  }

  /** A fault of our own would come again: the work that met it is ended, visibly, before it holds up what waits behind. */
  function giveUp(work: Work): void {
    const { id: workId, conversationId } = work;
    try {
      store.transaction(() => {
        if (store.work.get(workId)?.state !== "queued") return;
        store.work.end(workId, "failed");
        presenter.dropped(work);
      });
    } catch (error) {
      log.error({ event: "queue.stuck", conversationId, workId, err: error }, "a work cannot be given up");
    }
  }

  return {
    wake,
    wakeAll: () => store.work.conversationsWithQueue().forEach(wake),
    isPassedOver: (conversationId, userId) => unpaid.get(conversationId)?.has(userId) ?? false,
    stop: (conversationId) => active.get(conversationId)?.abort.abort("stop"),
    stopAll: () => {
      for (const { abort } of active.values()) abort.abort("stop");
    },
    close: async () => {
      isClosing = true;
      const ends = [...active.values()].map(({ abort, ended }) => {
        abort.abort("shutdown");
        return ended;
      });
      await Promise.allSettled(ends);
    },
  };
}
