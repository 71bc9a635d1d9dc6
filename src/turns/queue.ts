import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../domain/errors.ts";
import type { MicroUsd } from "../domain/money.ts";
import type { Verdict } from "../domain/verdict.ts";
import type { Work } from "../domain/work.ts";
import type { Logger } from "../log/logger.ts";
import type { Store } from "../store/store.ts";
import type { Presenter } from "./presenter.ts";
import type { PreparedTurn } from "./run-turn.ts";

const SETTLE_AGAIN_MS = 500;

/** What the budget says to a turn that is about to begin. */
export type Reservation =
  | { readonly kind: "ok"; readonly reservedMicroUsd: MicroUsd }
  /** Everything that is left is reserved by turns that run: it waits for one of them to settle. */
  | { readonly kind: "busy" }
  | Extract<Verdict, { kind: "spent" }>;

interface QueueDeps {
  readonly store: Store;
  readonly presenter: Presenter;
  readonly reserve: (userId: number) => Reservation;
  readonly runTurn: (turn: PreparedTurn) => Promise<void>;
  readonly onUnpaid: (work: Work, verdict: Extract<Verdict, { kind: "spent" }>) => void;
  /** Ends a work as cut off. Called inside a transaction. */
  readonly interrupt: (work: Work) => void;
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
  readonly running: () => number;
  /** Begins nothing more, cuts off what runs and waits for it. */
  readonly close: () => Promise<void>;
}

export function createQueue(deps: QueueDeps): Queue {
  const { store, presenter, reserve, runTurn, onUnpaid, interrupt, newUuid, log } = deps;
  const active = new Map<number, { readonly abort: AbortController; readonly ended: Promise<void> }>();
  const unpaid = new Set<number>();
  let isClosing = false;

  function prepare(conversationId: number, abort: AbortController): PreparedTurn | null {
    return store.transaction(() => {
      for (;;) {
        const conversation = store.conversations.get(conversationId);
        const work = store.work.next(conversationId);
        if (!conversation || conversation.heldBy !== null || !work || work.project === null) return null;
        const reservation = reserve(work.userId);
        if (reservation.kind === "busy") {
          unpaid.add(conversationId);
          return null;
        }
        if (reservation.kind === "ok") {
          const key = { conversationId, userId: work.userId, project: work.project };
          const session = store.sessions.current(key) ?? store.sessions.begin(key, newUuid());
          store.work.prepare(work.id, session.id, reservation.reservedMicroUsd);
          return { work: store.work.get(work.id) ?? work, session, signal: abort.signal };
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
      log.error(
        { event: "turn.unsettled", workId: turn.work.id, err: error },
        `turn not settled: ${messageOf(error)}`,
      );
      await settleLater(turn.work.id);
    } finally {
      active.delete(conversationId);
      wake(conversationId);
      const waiting = [...unpaid];
      unpaid.clear();
      waiting.forEach(wake);
    }
  }

  /** The store takes no writing just now: nobody knows how the turn would have ended, so it is cut off as by a crash. */
  async function settleLater(workId: number): Promise<void> {
    for (;;) {
      await sleep(SETTLE_AGAIN_MS);
      if (isClosing) return;
      try {
        store.transaction(() => {
          const work = store.work.get(workId);
          if (work) interrupt(work);
        });
        return;
      } catch (error) {
        log.error({ event: "turn.unsettled", workId, err: error }, "the turn still cannot be settled");
      }
    }
  }

  function wake(conversationId: number): void {
    if (isClosing || active.has(conversationId)) return;
    const abort = new AbortController();
    const turn = prepare(conversationId, abort);
    if (!turn) return;
    const started = Promise.withResolvers<void>();
    active.set(conversationId, { abort, ended: started.promise });
    void run(conversationId, turn).then(started.resolve, started.reject);
  }

  return {
    wake,
    wakeAll: () => store.work.conversationsWithQueue().forEach(wake),
    stop: (conversationId) => active.get(conversationId)?.abort.abort("stop"),
    running: () => active.size,
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
