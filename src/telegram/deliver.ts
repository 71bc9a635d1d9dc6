import type { Now } from "../domain/clock.ts";
import type { MessageBody, OutboxRow } from "../domain/outbox.ts";
import type { Logger } from "../log/logger.ts";
import type { Store } from "../store/store.ts";
import { backoffMs } from "./backoff.ts";
import type { CallEnd } from "./call.ts";
import type { Place, ScreenCalls } from "./screen-call.ts";

interface DeliverDeps {
  readonly store: Store;
  readonly calls: ScreenCalls;
  readonly now: Now;
  readonly log: Logger;
  /** True once the daemon is ending and the store may be closed: a call that ends after that is not recorded. */
  readonly isOver: () => boolean;
  /** Telegram does not know the token any more. */
  readonly onRejected: (description: string) => void;
  /** A row was refused for good. Called inside the transaction that records it. */
  readonly onFailed: (outboxId: number) => void;
}

/** How long a chat has to rest after a delivery, in milliseconds; 0 when it need not. */
export type Rest = number;

/**
 * Delivers one outbox row and records how it ended. What surely was not sent, and what may or may not have been, is sent
 * again (a doubled answer beats a lost one); what Telegram refuses for good is recorded as failed.
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
  async function attempt(row: OutboxRow): Promise<CallEnd<number | null>> {
    const place: Place = row.conversation;
    switch (row.act.kind) {
      case "send":
        return withFallbacks(place, row.act.body, (at, body) => calls.send(at, { ...sendOf(row), body }));
      case "document": {
        const act = row.act;
        return withFallbacks(place, act.body, (at, body) => calls.document(at, { ...act, body }));
      }
      case "edit": {
        const { target: targetId, body, orSend } = row.act;
        const target = store.outbox.get(targetId);
        if (target?.messageId != null) {
          const at = { messageId: target.messageId, isDocument: target.act.kind === "document" };
          const end = await withFallbacks(place, body, (_, shown) => calls.edit(place, at, shown));
          if (end.kind !== "refused" || !isGone(end.description))
            return unchangedIsDone(end, target.messageId);
        }
        if (!orSend) return { kind: "ok", value: null };
        return withFallbacks(place, body, (at, shown) => calls.send(at, { ...sendOf(row), body: shown }));
      }
    }
  }

  /** A topic that is gone: to the chat itself. Formatting that is refused: as plain text, without which all would be lost. */
  async function withFallbacks(
    place: Place,
    body: MessageBody,
    call: (place: Place, body: MessageBody) => Promise<CallEnd<number>>,
  ): Promise<CallEnd<number>> {
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
    if (target?.state !== "queued") return deliver(row);
    const rest = target.notBefore - now();
    return rest > 0 ? rest : deliver(target);
  };

  async function deliver(row: OutboxRow): Promise<Rest> {
    store.outbox.begin(row.id);
    const end = await attempt(row);
    if (isOver()) return 0; // the row stays begun, and the next life sends it again
    switch (end.kind) {
      case "ok":
        store.transaction(() => {
          store.outbox.sent(row.id, end.value);
          if (row.finalOf !== null) store.work.finishIfDelivered(row.finalOf);
        });
        return 0;
      case "unsent":
      case "ambiguous": {
        const rest = backoffMs(row.attempts + 1);
        log.warn(
          { event: "outbox.again", outboxId: row.id, end: end.kind, cause: end.cause },
          "will be sent again",
        );
        store.outbox.retry(row.id, now() + rest);
        return rest;
      }
      case "refused":
        return refused(row, end);
    }
  }

  function refused(row: OutboxRow, end: Extract<CallEnd<never>, { kind: "refused" }>): Rest {
    const { code, description } = end;
    if (end.retryAfterMs !== null || code === 429) {
      const rest = end.retryAfterMs ?? backoffMs(row.attempts + 1);
      log.warn({ event: "outbox.flood", outboxId: row.id, restMs: rest }, "Telegram asks for a pause");
      store.outbox.retry(row.id, now() + rest);
      return rest;
    }
    if (code === 401) {
      store.outbox.retry(row.id, now());
      onRejected(description);
      return backoffMs(10);
    }
    log.error(
      { event: "outbox.failed", outboxId: row.id, code, description },
      "a message cannot be delivered",
    );
    store.transaction(() => {
      store.outbox.failed(row.id);
      onFailed(row.id);
      if (row.finalOf !== null) store.work.finishIfDelivered(row.finalOf);
    });
    return 0;
  }
}

function sendOf(row: OutboxRow) {
  if (row.act.kind === "send") return row.act;
  return { kind: "send", body: row.act.body, replyTo: null, isSilent: false } as const;
}

function unchangedIsDone(end: CallEnd<number>, messageId: number): CallEnd<number> {
  const isUnchanged = end.kind === "refused" && end.description.includes("message is not modified");
  return isUnchanged ? { kind: "ok", value: messageId } : end;
}

function isGone(description: string): boolean {
  return /message to edit not found|message can't be edited|MESSAGE_ID_INVALID/.test(description);
}
