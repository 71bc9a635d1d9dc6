import type { Verdict } from "../domain/verdict.ts";
import type { Work } from "../domain/work.ts";
import type { Logger } from "../log/logger.ts";
import type { Reservation } from "../security/limit-cost.ts";
import { isStoreFault } from "../store/fault.ts";
import type { Store } from "../store/store.ts";
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

/** One turn at a time in a conversation, conversations side by side. */
export interface Queue {
  /** Begins the next work of a conversation if nothing runs there, nothing holds it and it can be paid. */
  readonly wake: (conversationId: number) => void;
  readonly wakeAll: () => void;
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
  const unpaid = new Set<number>();
  let isClosing = false;

  /** A loss of power may undo it: the work is queued then, as it is after a crash. */
  function prepare(conversationId: number, abort: AbortController): PreparedTurn | null {
    return store.lightly(() => {
      if (isLocked()) return null;
      for (;;) {
        const conversation = store.conversations.get(conversationId);
        const work = store.work.next(conversationId);
        if (!conversation || conversation.heldBy !== null || !work || work.project === null) return null;
        if (!admission.isAdmitted(work.userId)) {
          store.work.end(work.id, "dropped");
          presenter.dropped(work);
          continue;
        }
        const reservation = reserve(work.userId);
        if (reservation.kind === "busy") {
          if (!unpaid.has(conversationId)) presenter.waitsForMoney(work);
          store.afterCommit(() => unpaid.add(conversationId));
          return null;
        }
        if (reservation.kind === "ok") {
          const key = { conversationId, userId: work.userId, project: work.project };
          const session = store.sessions.current(key) ?? store.sessions.begin(key, newUuid());
          store.work.prepare(work.id, session.id, reservation.reservedMicroUsd);
          const prepared = store.work.get(work.id) ?? work;
          return { work: prepared, session, screen: presenter.open(prepared), signal: abort.signal };
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
    wake(conversationId);
    const waiting = [...unpaid];
    unpaid.clear();
    waiting.forEach(wake);
  }

  function wake(conversationId: number): void {
    if (isClosing || active.has(conversationId)) return;
    const abort = new AbortController();
    let turn: PreparedTurn | null;
    try {
      turn = prepare(conversationId, abort);
    } catch (error) {
      log.error({ event: "queue.stuck", conversationId, err: error }, "no turn can be begun; trying again");
      if (!isStoreFault(error)) giveUp(conversationId);
      setTimeout(() => wake(conversationId), AGAIN_MS).unref();
      return;
    }
    if (turn) active.set(conversationId, { abort, ended: run(conversationId, turn) });
  }

  /** A fault of our own would come again: the work that met it is ended, visibly, before it holds up what waits behind. */
  function giveUp(conversationId: number): void {
    try {
      store.transaction(() => {
        const work = store.work.next(conversationId);
        if (!work) return;
        store.work.end(work.id, "failed");
        presenter.dropped(work);
      });
    } catch (error) {
      log.error({ event: "queue.stuck", conversationId, err: error }, "a work cannot be given up");
    }
  }

  return {
    wake,
    wakeAll: () => store.work.conversationsWithQueue().forEach(wake),
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
