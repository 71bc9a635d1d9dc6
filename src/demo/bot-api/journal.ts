import type { Now } from "../../domain/clock.ts";
import type { Call, CallRecord } from "./types.ts";

/** What is known of a call once it is over. */
type CallEnd = Omit<CallRecord, keyof Call>;

/** All calls in the order of their arrival, and when updates were injected. */
export interface Journal {
  /** Notes an arrival. The function it gives notes the end. */
  readonly begin: (call: Call) => (end: CallEnd) => CallRecord;
  readonly calls: () => readonly CallRecord[];
  readonly noteInjection: (updateId: number) => void;
  readonly injectedAt: (updateId: number) => number | undefined;
}

type LiveRecord = { -readonly [Key in keyof CallRecord]: CallRecord[Key] };

/** Keeps at least the last `maxLog` calls and injections, and at most twice as many. */
export function createJournal({ now, maxLog }: { now: Now; maxLog: number }): Journal {
  const calls: CallRecord[] = [];
  const injections = new Map<number, number>();

  return {
    begin: (call) => {
      const record: LiveRecord = { ...call, answeredAt: null, response: null, fault: null, updateIds: [] };
      calls.push(record);
      if (calls.length > maxLog * 2) calls.splice(0, calls.length - maxLog);
      return (end) => Object.assign(record, end);
    },
    calls: () => calls,
    noteInjection: (updateId) => {
      injections.set(updateId, now());
      if (injections.size <= maxLog * 2) return;
      for (const id of [...injections.keys()].slice(0, -maxLog)) injections.delete(id);
    },
    injectedAt: (updateId) => injections.get(updateId),
  };
}
