import type { Now } from "../../domain/clock.ts";
import { createAllowedUpdates } from "./allowed-updates.ts";
import type { ApiFailure } from "./failure.ts";
import { conflict } from "./failure.ts";
import type { ApiUpdateBody } from "./objects.ts";
import { type Batch, createUpdateQueue } from "./update-queue.ts";

/** A getUpdates call. `allowedUpdates` is undefined when the call says nothing about them. */
interface PollRequest {
  readonly offset: number;
  readonly limit: number;
  readonly timeoutSeconds: number;
  readonly allowedUpdates: readonly string[] | undefined;
}

/** The bot's updates: queued until confirmed, handed to one poll at a time. */
export interface Updates {
  /** Queues an update and gives its id. With `isFiltered`, a type that the bot did not ask for gets an id but is never handed out. */
  readonly push: (body: ApiUpdateBody, options: { readonly isFiltered: boolean }) => number;
  /** Rejects with 409 when another poll or a webhook takes its place, and with what `abort` was given. */
  readonly poll: (request: PollRequest) => Promise<Batch>;
  /** Ends the open poll, if there is one. */
  readonly abort: (failure: ApiFailure) => void;
  readonly setAllowed: (types: readonly string[] | undefined) => void;
  readonly allowed: () => readonly string[] | null;
  readonly clear: () => void;
  /** Ids that no poll has confirmed yet, oldest first. */
  readonly pending: () => readonly number[];
  readonly isPolled: () => boolean;
  /** Counts on from `id`, as the real server does after a week without updates. Forgets what is queued. */
  readonly restartAt: (id: number) => void;
}

export interface UpdatesDeps {
  readonly now: Now;
  readonly firstUpdateId: number;
  /** Told when a poll begins to wait. */
  readonly onOpen: () => void;
}

interface OpenPoll {
  readonly offset: number;
  readonly limit: number;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (batch: Batch) => void;
  readonly reject: (failure: ApiFailure) => void;
}

const MAX_TIMEOUT_SECONDS = 50;
const TERMINATED = "terminated by other getUpdates request; make sure that only one bot instance is running";
const CONFLICT_PAUSE_MS = 3000;
const QUICK_REPEAT_MS = 500;
const REPEAT_MS = 3000;

/**
 * Delivery as the real server does it (telegram-bot-api, `Client::do_get_updates`). Spans are measured by the machine's
 * steady clock; `now` only ages updates. A poll whose client has gone is not cancelled: what it gets stays unconfirmed.
 */
export function createUpdates({ now, firstUpdateId, onOpen }: UpdatesDeps): Updates {
  const queue = createUpdateQueue({ now, firstUpdateId });
  const allowed = createAllowedUpdates();
  let open: OpenPoll | null = null;
  let isWaking = false;
  let last = { offset: Number.NaN, at: Number.NEGATIVE_INFINITY };
  let nextConflictAt = Number.NEGATIVE_INFINITY;

  const close = (): OpenPoll | null => {
    const poll = open;
    open = null;
    if (poll !== null) clearTimeout(poll.timer);
    return poll;
  };

  const answer = (): void => {
    const poll = close();
    poll?.resolve(queue.take(poll.offset, poll.limit));
  };

  const terminate = (): void => {
    const poll = close();
    if (poll === null) return;
    const reject = (): void => poll.reject(conflict(TERMINATED));
    const at = performance.now();
    if (at < nextConflictAt) {
      setTimeout(reject, CONFLICT_PAUSE_MS).unref();
      return;
    }
    nextConflictAt = at + CONFLICT_PAUSE_MS;
    reject();
  };

  const wake = (): void => {
    isWaking = false;
    if (open !== null && queue.hasFrom(open.offset)) answer();
  };

  return {
    push: (body, { isFiltered }) => {
      const isWanted = !isFiltered || Object.keys(body).every(allowed.isAllowed);
      const id = queue.push(body, isWanted);
      if (isWanted && !isWaking) {
        isWaking = true;
        setImmediate(wake);
      }
      return id;
    },
    poll: (request) => {
      allowed.set(request.allowedUpdates);
      const { offset, limit, timeoutSeconds } = slowDown(request, last);
      last = { offset: request.offset, at: performance.now() };
      const batch = queue.take(offset, limit);
      if (batch.updateIds.length > 0 || timeoutSeconds <= 0) return Promise.resolve(batch);
      terminate();
      return new Promise((resolve, reject) => {
        const timer = setTimeout(answer, Math.min(timeoutSeconds, MAX_TIMEOUT_SECONDS) * 1000);
        timer.unref();
        open = { offset: Math.max(offset, 0), limit, timer, resolve, reject };
        onOpen();
      });
    },
    abort: (failure) => close()?.reject(failure),
    setAllowed: allowed.set,
    allowed: allowed.get,
    clear: queue.clear,
    pending: queue.pending,
    isPolled: () => open !== null,
    restartAt: queue.restartAt,
  };
}

/** A poll that repeats the last one's offset at once gets one update, and no answer before 3 s without any. */
function slowDown(request: PollRequest, last: { offset: number; at: number }): PollRequest {
  const limit = Math.min(Math.max(request.limit, 1), 100);
  const sinceMs = performance.now() - last.at;
  if (request.offset !== last.offset || sinceMs >= REPEAT_MS) return { ...request, limit };
  const timeoutSeconds = Math.max(request.timeoutSeconds, REPEAT_MS / 1000);
  return { ...request, timeoutSeconds, limit: sinceMs < QUICK_REPEAT_MS ? 1 : limit };
}
