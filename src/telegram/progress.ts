import type { MessageBody } from "../domain/outbox.ts";

/** Pauses before the edits of one message: they grow, since Telegram punishes steady editing for minutes. */
const INTERVALS_MS = [1_000, 1_500, 2_500, 4_000, 5_000] as const;

/** A message whose progress is shown: what to show is asked for when the edit is due. */
export interface ProgressSource {
  /** The outbox row of the message. */
  readonly target: number;
  /** Null when nothing worth an edit has changed. */
  readonly body: () => MessageBody | null;
  /** The edit to `body` has come to the chat, or would be refused however often it was made. Until then it is still due. */
  readonly settled: (body: MessageBody) => void;
}

/** An edit that is due. */
export interface ProgressEdit {
  readonly source: ProgressSource;
  readonly body: MessageBody;
}

/** The next edit of one message. */
interface Pending {
  readonly source: ProgressSource;
  readonly edits: number;
  readonly dueAt: number;
}

/** Progress edits of one chat: never stored, only the latest state counts, and they yield to everything else. */
export interface ProgressLane {
  readonly watch: (source: ProgressSource) => void;
  readonly unwatch: (target: number) => void;
  /** When the next edit is due; null when nothing is watched. */
  readonly nextDueAt: () => number | null;
  /** Takes the edit that has been due for longest, if there is one with something to show, and sets the time of its next. */
  readonly take: (now: number) => ProgressEdit | null;
}

/** `now` gives milliseconds, from any start: best of a clock that is never set. */
export function createProgressLane(now: () => number): ProgressLane {
  const pending = new Map<number, Pending>();

  return {
    watch: (source) => {
      pending.set(source.target, { source, edits: 0, dueAt: now() + editIntervalMs(0) });
    },
    unwatch: (target) => {
      pending.delete(target);
    },
    nextDueAt: () =>
      pending.size === 0 ? null : Math.min(...[...pending.values()].map(({ dueAt }) => dueAt)),
    take: (at) => {
      const due = [...pending.values()].filter(({ dueAt }) => dueAt <= at);
      for (const { source, edits } of due.sort((one, other) => one.dueAt - other.dueAt)) {
        const body = source.body();
        const after = body ? edits + 1 : edits;
        pending.set(source.target, { source, edits: after, dueAt: at + editIntervalMs(after) });
        if (body) return { source, body };
      }
      return null;
    },
  };
}

/** Milliseconds between the edit number `edits` (from 0) of a message and what came before it. */
export function editIntervalMs(edits: number): number {
  return INTERVALS_MS[Math.min(edits, INTERVALS_MS.length - 1)] ?? 5_000;
}
