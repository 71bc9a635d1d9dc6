import type { Now } from "../domain/clock.ts";
import type { Work } from "../domain/work.ts";
import type { Store } from "../store/store.ts";
import type { Presenter } from "./presenter.ts";

interface LateDeps {
  readonly store: Store;
  readonly presenter: Presenter;
  readonly staleAfterMs: number;
  readonly now: Now;
  /** Shows a work that is queued again. */
  readonly accept: (work: Work) => void;
}

/**
 * Works that were sent too long ago to run by themselves. They are kept and offered, hold nothing up, and cost nothing until a
 * person says that they shall run. Every method is called inside a transaction.
 */
export interface Late {
  /** Takes a queued work out of its queue and offers it. */
  readonly offer: (work: Work) => void;
  /** Offers all queued works that have become too old while nothing could run. */
  readonly offerDue: () => void;
  /** Puts the offers of a conversation up once more: the last of them, with the keys for all. */
  readonly askAgain: (conversationId: number) => void;
  /** The text of an offered work has changed. */
  readonly edited: (work: Work) => void;
  /** Queues the works, in their order, behind what waits. */
  readonly run: (works: readonly Work[]) => void;
  readonly drop: (works: readonly Work[]) => void;
}

export function createLate({ store, presenter, staleAfterMs, now, accept }: LateDeps): Late {
  /** Shows an offer; of several in a conversation, the last one bears the keys for all. */
  function show(work: Work): void {
    const all = store.offered.of(work.conversationId);
    const isLastOfSeveral = all.length > 1 && all.at(-1)?.id === work.id;
    const offer = { ageMs: now() - work.sentAt, all: isLastOfSeveral ? all : [] };
    store.work.setPlaceholder(work.id, presenter.offer(work, offer));
  }

  function offer(work: Work): void {
    const before = store.offered.of(work.conversationId);
    presenter.setAside(work);
    store.offered.take(work.id);
    const taken = store.work.get(work.id);
    const [last] = before.slice(-1);
    if (last && before.length > 1) show(last); // which bore the keys for all
    if (taken) show(taken);
  }

  /** `end` takes each of the works out of the offered ones; what is still offered then shows the keys that are right now. */
  function answer(works: readonly Work[], choice: "run" | "drop", end: (work: Work) => void): void {
    for (const work of works) {
      presenter.offerTaken(work, choice);
      end(work);
    }
    for (const conversationId of new Set(works.map((work) => work.conversationId))) {
      const last = store.offered.of(conversationId).at(-1);
      if (last) show(last);
    }
  }

  return {
    offer,
    offerDue: () => store.offered.due(now() - staleAfterMs).forEach(offer),
    askAgain: (conversationId) => {
      const last = store.offered.of(conversationId).at(-1);
      if (last) show({ ...last, placeholderId: null });
    },
    edited: show,
    run: (works) =>
      answer(works, "run", ({ id }) => {
        store.offered.giveBack(id);
        const queued = store.work.get(id);
        if (queued) accept(queued);
      }),
    drop: (works) => answer(works, "drop", ({ id }) => store.work.end(id, "dropped")),
  };
}
