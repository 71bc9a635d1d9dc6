import type { Now } from "../../domain/clock.ts";
import type { ApiUpdateBody } from "./objects.ts";

/** Updates as they go out: JSON of an array, and the ids in it. */
export interface Batch {
  readonly json: string;
  readonly updateIds: readonly number[];
}

interface Entry {
  readonly id: number;
  readonly json: string;
  readonly bytes: number;
  readonly at: number;
}

/** The queue behind getUpdates. */
export interface UpdateQueue {
  /** Gives the update's id. One that is not kept still takes its number. */
  readonly push: (body: ApiUpdateBody, isKept: boolean) => number;
  /** Forgets what `offset` confirms and gives the oldest of the rest, at most `limit` and 4 MB of them. */
  readonly take: (offset: number, limit: number) => Batch;
  readonly hasFrom: (offset: number) => boolean;
  readonly pending: () => readonly number[];
  readonly clear: () => void;
  readonly restartAt: (id: number) => void;
}

const MAX_BATCH_BYTES = 4_194_304;
const KEPT_MS = 86_400_000;
/** An offset further beyond the newest id than this is taken for a mistake and ignored. */
const OFFSET_SLACK = 10;

/**
 * Semantics of the real server's queue (td, `TQueue`): an update is forgotten when a take with a HIGHER offset comes;
 * a negative offset keeps that many of the newest; one far beyond the end starts at the head; nothing is older than a day.
 */
export function createUpdateQueue({ now, firstUpdateId }: { now: Now; firstUpdateId: number }): UpdateQueue {
  let entries: Entry[] = [];
  let head = 0;
  let nextId = firstUpdateId;

  const forget = (isGone: (entry: Entry) => boolean): void => {
    for (let entry = entries[head]; entry !== undefined && isGone(entry); entry = entries[head]) head += 1;
    if (head < 1024 || head * 2 < entries.length) return;
    entries = entries.slice(head);
    head = 0;
  };

  const clear = (): void => {
    entries = [];
    head = 0;
  };

  return {
    push: (body, isKept) => {
      const id = nextId;
      nextId += 1;
      if (!isKept) return id;
      const json = JSON.stringify({ ...body, update_id: id });
      entries.push({ id, json, bytes: Buffer.byteLength(json), at: now() });
      return id;
    },
    take: (offset, limit) => {
      const oldest = now() - KEPT_MS;
      forget(({ at }) => at < oldest);
      if (offset < 0) head = Math.max(head, entries.length + offset);
      else if (offset <= nextId + OFFSET_SLACK) forget(({ id }) => id < offset);
      return batchOf(entries.slice(head, head + limit));
    },
    hasFrom: (offset) => {
      const newest = entries.at(-1);
      return (
        head < entries.length &&
        newest !== undefined &&
        (newest.id >= offset || offset > nextId + OFFSET_SLACK)
      );
    },
    pending: () => entries.slice(head).map(({ id }) => id),
    clear,
    restartAt: (id) => {
      clear();
      nextId = id;
    },
  };
}

function batchOf(entries: readonly Entry[]): Batch {
  let left = MAX_BATCH_BYTES;
  const fitting = entries.filter(({ bytes }, index) => {
    left -= bytes;
    return left > 0 || index === 0;
  });
  return { json: `[${fitting.map(({ json }) => json).join(",")}]`, updateIds: fitting.map(({ id }) => id) };
}
