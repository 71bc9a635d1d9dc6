import type { Work } from "../domain/work.ts";
import type { Logger } from "../log/logger.ts";
import type { Store } from "../store/store.ts";
import type { ApprovalDesk } from "./approvals.ts";
import type { Presenter } from "./presenter.ts";
import type { Queue } from "./queue.ts";
import type { Recovery } from "./recovery.ts";

/** How often is looked who may still come in: logins end by time, and by other processes, which tell nobody. */
const LOOK_MS = 500;

/** Who may come in, read anew at every call. */
export interface Admission {
  readonly isAdmitted: (userId: number) => boolean;
  /** Everybody who may. */
  readonly all: () => readonly number[];
  /** False where the settings alone say who may: that does not change while the daemon runs. */
  readonly canChange: boolean;
  /** True when a login is past its time. */
  readonly isOverdue: () => boolean;
  /** Ends such logins, and gives what tells their people. Both are called inside a transaction. */
  readonly sweep: () => () => void;
}

interface ExpelDeps {
  readonly store: Store;
  readonly admission: Admission;
  readonly presenter: Pick<Presenter, "dropped">;
  readonly desk: Pick<ApprovalDesk, "withdraw">;
  readonly recovery: Pick<Recovery, "resolve">;
  readonly queue: Pick<Queue, "stop" | "wake">;
  /** Ends every warm process, one at work after its turn. */
  readonly endWarm: () => void;
  readonly log: Logger;
}

/** The end of everything that people left who may not come in any more. */
export interface Expel {
  /**
   * Ends their turns, drops what waits of theirs and withdraws what they were asked; nothing that was for their eyes is sent to
   * their own chat any more. Of the others nothing is touched. Called inside a transaction.
   */
  readonly expel: () => void;
  /** Does so once, for those too who were admitted in an earlier life, and again whenever somebody is not admitted any more. */
  readonly watch: () => void;
  readonly close: () => void;
}

export function createExpel(deps: ExpelDeps): Expel {
  const { store, admission, presenter, desk, recovery, queue, endWarm, log } = deps;
  let timer: NodeJS.Timeout | undefined;
  let known = new Set<number>();

  const isOut = ({ userId }: Work): boolean => !admission.isAdmitted(userId);

  /** What waits in his own chat to be sent is not sent. */
  function silence(userId: number): void {
    for (const workId of store.outbox.dropQueued(userId)) store.work.finishIfDelivered(workId);
  }

  function end(work: Work): void {
    desk.withdraw(work.id);
    store.work.requestStop(work.id);
    store.afterCommit(() => queue.stop(work.conversationId));
  }

  function drop(work: Work): void {
    store.work.end(work.id, "dropped");
    presenter.dropped(work);
  }

  function release(work: Work): void {
    recovery.resolve({ kind: "recover", workId: work.id, choice: "drop" });
    store.afterCommit(() => queue.wake(work.conversationId));
  }

  function expel(): void {
    const isNow = new Set(admission.all());
    const gone = [...known].filter((userId) => !isNow.has(userId));
    const active = store.work.inStates(["preparing", "running", "waiting"]).filter(isOut);
    const waiting = store.work.inStates(["queued"]).filter(isOut);
    const held = store.conversations.heldWorks().flatMap((id) => store.work.get(id) ?? []);
    gone.forEach(silence);
    active.forEach(end);
    waiting.forEach(drop);
    held.filter(isOut).forEach(release);
    store.afterCommit(() => {
      known = isNow;
      if (gone.length + active.length > 0) endWarm();
    });
  }

  function clean(): void {
    store.transaction(() => {
      const tell = admission.sweep();
      expel();
      tell(); // last: what was for his eyes before is not sent
    });
  }

  function look(): void {
    try {
      const isNow = new Set(admission.all());
      const isGone = [...known].some((userId) => !isNow.has(userId));
      if (isGone || admission.isOverdue()) clean();
      else known = isNow;
    } catch (error) {
      log.error({ event: "people.watch", err: error }, "who may come in cannot be looked at; trying again");
    }
  }

  return {
    expel,
    watch: () => {
      known = new Set(store.outbox.chats().filter((chatId) => chatId > 0));
      clean();
      if (admission.canChange) timer = setInterval(look, LOOK_MS);
    },
    close: () => clearInterval(timer),
  };
}
