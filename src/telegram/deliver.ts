import type { Now } from "../domain/clock.ts";
import type { MessageBody, OutboxRow } from "../domain/outbox.ts";
import type { Logger } from "../log/logger.ts";
import type { Store } from "../store/store.ts";
import { backoffMs } from "./backoff.ts";
import type { CallEnd } from "./call.ts";
import type { Place, ScreenCalls } from "./screen-call.ts";

/** How often a message may appear when nobody can tell whether it arrived: a doubled answer beats a lost one. */
const MOST_COPIES = 2;
/** Before the second and last try, in milliseconds: long enough for a passing fault of Telegram's to pass. */
const DOUBT_REST_MS = 2_000;

interface DeliverDeps {
  readonly store: Store;
  readonly calls: ScreenCalls;
  readonly now: Now;
  readonly log: Logger;
  /** True once the daemon is ending and the store may be closed: a call that ends after that is not recorded. */
  readonly isOver: () => boolean;
  /** Telegram does not know the token any more. */
  readonly onRejected: (description: string) => void;
  /** A row was refused for good, or given up. Called inside the transaction that records it. */
  readonly onFailed: (outboxId: number) => void;
}

type ScreenCall = (place: Place, body: MessageBody) => Promise<CallEnd<number>>;

/** How long a chat has to rest after a delivery, in milliseconds; 0 when it need not. */
export type Rest = number;

/**
 * How an attempt ended. An edit ends as its call did. After a send, `doubtful` may be sent once more, and `lost` may not: it
 * may have arrived as often as it may.
 */
type AttemptEnd = CallEnd<number | null> | { readonly kind: "doubtful" | "lost"; readonly cause: string };

/**
 * Delivers one outbox row and records how it ended. What surely was not sent, and an edit, is tried again for ever; what
 * may or may not have been sent, once more, a placeholder not at all. What is given up, or refused by Telegram for good, is
 * recorded as failed. An end that cannot be recorded (a full disk) is kept: the next call for its row only records it.
 */
export function createDeliver({
  store,
  calls,
  now,
  log,
  isOver,
  onRejected,
  onFailed,
}: DeliverDeps): (row: OutboxRow) => Promise<Rest> {
  const unrecorded = new Map<number, AttemptEnd>();
  /** Failures in a row, by chat. */
  const failures = new Map<number, number>();

  async function attempt(row: OutboxRow): Promise<AttemptEnd> {
    const place: Place = row.conversation;
    switch (row.act.kind) {
      case "send":
        return copy(row, (at, body) => calls.send(at, { ...sendOf(row), body }));
      case "document": {
        const act = row.act;
        return copy(row, (at, body) => calls.document(at, { ...act, body }));
      }
      case "edit": {
        const { target: targetId, body, orSend } = row.act;
        const target = store.outbox.get(targetId);
        if (target?.messageId != null) {
          const at = { messageId: target.messageId, isDocument: target.act.kind === "document" };
          const end = await withFallbacks(place, body, (_, shown) => calls.edit(place, at, shown));
          // Whatever Telegram has against this edit: what may be sent anew is not lost with it.
          const isHopeless = end.kind === "refused" && end.code === 400;
          if (!isHopeless || !(orSend || isGone(end.description))) return end;
        }
        if (!orSend) return { kind: "ok", value: null };
        return copy(row, (at, shown) => calls.send(at, { ...sendOf(row), body: shown }));
      }
    }
  }

  /** Sends a new message, unless it may be there as often as it may. */
  async function copy(row: OutboxRow, call: ScreenCall): Promise<AttemptEnd> {
    const most = row.act.kind === "send" && row.act.isProgress ? 1 : MOST_COPIES;
    if (row.attempts >= most) return { kind: "lost", cause: "an earlier life ended while it was being sent" };
    const end = await withFallbacks(row.conversation, row.act.body, call);
    if (end.kind !== "ambiguous") return end;
    return { kind: row.attempts + 1 < most ? "doubtful" : "lost", cause: end.cause };
  }

  /** A topic that is gone: to the chat itself. Formatting that is refused: as plain text, without which all would be lost. */
  async function withFallbacks(place: Place, body: MessageBody, call: ScreenCall): Promise<CallEnd<number>> {
    const end = await call(place, body);
    if (end.kind !== "refused" || end.code !== 400) return end;
    if (end.description.includes("message thread not found")) return call({ ...place, threadId: null }, body);
    if (!/entit|button/i.test(end.description)) return end;
    log.error(
      { event: "outbox.plain", description: end.description },
      "formatting refused: sent as plain text",
    );
    return call(place, {
      ...body,
      entities: [],
      buttons: /button/i.test(end.description) ? [] : body.buttons,
    });
  }

  return async (row) => {
    const target = row.act.kind === "edit" ? store.outbox.get(row.act.target) : null;
    return deliver(target?.state === "queued" || target?.state === "sending" ? target : row);
  };

  async function deliver(row: OutboxRow): Promise<Rest> {
    const known = unrecorded.get(row.id);
    if (!known) store.outbox.begin(row.id);
    const end = known ?? (await attempt(row));
    if (isOver()) return 0; // the row stays begun, and the next life sends it again
    unrecorded.set(row.id, end);
    const rest = record(row, end);
    unrecorded.delete(row.id);
    return rest;
  }

  function record(row: OutboxRow, end: AttemptEnd): Rest {
    const { chatId } = row.conversation;
    switch (end.kind) {
      case "ok":
        store.transaction(() => {
          store.outbox.sent(row.id, end.value);
          if (row.finalOf !== null) store.work.finishIfDelivered(row.finalOf);
        });
        failures.delete(chatId);
        return 0;
      case "unsent":
      case "ambiguous":
      case "doubtful": {
        const isDoubtful = end.kind === "doubtful";
        const rest = isDoubtful ? DOUBT_REST_MS : backOff(chatId);
        store.outbox[isDoubtful ? "doubt" : "retry"](row.id, now() + rest);
        log.warn(
          { event: "outbox.again", outboxId: row.id, end: end.kind, cause: end.cause },
          "will be sent again",
        );
        return rest;
      }
      case "lost":
        fail(row);
        log.error(
          { event: "outbox.lost", outboxId: row.id, cause: end.cause },
          "a message may not have come",
        );
        return 0;
      case "refused":
        return refused(row, end);
    }
  }

  function refused(row: OutboxRow, end: Extract<CallEnd<never>, { kind: "refused" }>): Rest {
    const { code, description } = end;
    if (end.retryAfterMs !== null || code === 429) {
      const rest = end.retryAfterMs ?? backOff(row.conversation.chatId);
      store.outbox.retry(row.id, now() + rest);
      log.warn({ event: "outbox.flood", outboxId: row.id, restMs: rest }, "Telegram asks for a pause");
      return rest;
    }
    if (code === 401) {
      store.outbox.retry(row.id, now());
      onRejected(description);
      return backoffMs(10);
    }
    fail(row);
    log.error(
      { event: "outbox.failed", outboxId: row.id, code, description },
      "a message cannot be delivered",
    );
    return 0;
  }

  function backOff(chatId: number): number {
    const count = (failures.get(chatId) ?? 0) + 1;
    failures.set(chatId, count);
    return backoffMs(count);
  }

  function fail(row: OutboxRow): void {
    store.transaction(() => {
      store.outbox.failed(row.id);
      onFailed(row.id);
      if (row.finalOf !== null) store.work.finishIfDelivered(row.finalOf);
    });
  }
}

function sendOf(row: OutboxRow) {
  if (row.act.kind === "send") return row.act;
  return { kind: "send", body: row.act.body, replyTo: null, isSilent: false } as const;
}

function isGone(description: string): boolean {
  return /message to edit not found|message can't be edited|MESSAGE_ID_INVALID/.test(description);
}
