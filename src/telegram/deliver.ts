import type { Now } from "../domain/clock.ts";
import type { OutboxRow } from "../domain/outbox.ts";
import type { Logger } from "../log/logger.ts";
import type { Store } from "../store/store.ts";
import { type AttemptEnd, createAttempt } from "./attempt.ts";
import { backoffMs } from "./backoff.ts";
import type { CallEnd } from "./call.ts";
import type { Rest } from "./lanes.ts";
import { aheadOf, noteOf } from "./notes.ts";
import { isShut, type Parking } from "./parking.ts";
import type { ScreenCalls } from "./screen-call.ts";
import { WORDS } from "./wording.ts";

/** Before the second try, in milliseconds: long enough for a passing fault of Telegram's to pass. */
const DOUBT_REST_MS = 2_000;
/** Before the further tries of an answer's file, which may come more than twice. */
const FILE_REST_MS = 300_000;

interface DeliverDeps {
  readonly store: Store;
  readonly calls: ScreenCalls;
  readonly parking: Parking;
  readonly now: Now;
  readonly log: Logger;
  /** True once the daemon is ending and the store may be closed: a call that ends after that is not recorded. */
  readonly isOver: () => boolean;
  /** Telegram does not know the token any more. */
  readonly onRejected: (description: string) => void;
  /** A row was refused for good, or given up. Called inside the transaction that records it. */
  readonly onFailed: (outboxId: number) => void;
}

type Refusal = Extract<CallEnd<never>, { kind: "refused" }>;

interface Deliver {
  /** Makes one attempt at a row, or at what must go before it, and records how it ended. */
  readonly row: (row: OutboxRow) => Promise<Rest>;
  /** Learns for the whole chat from a call that is not stored. */
  readonly learn: (chatId: number, end: CallEnd<unknown>) => Rest;
}

/**
 * Delivers outbox rows. What surely was not sent, and an edit, is tried again for ever; what may or may not have been sent,
 * once more, a placeholder not at all. An answer is never given up, and never there more than twice: after a send of which
 * nobody knows, a small message goes ahead, as often as it takes, and the answer is an edit of it, which cannot be doubled;
 * only its file is sent until it is known to have come. What else is given up, or refused by Telegram for good, is recorded as failed. An end that cannot be
 * recorded (a full disk) is kept: the next call for its row only records it.
 */
export function createDeliver(deps: DeliverDeps): Deliver {
  const { store, parking, now, log, isOver, onRejected, onFailed } = deps;
  const attempt = createAttempt(store, deps.calls);
  const unrecorded = new Map<number, AttemptEnd>();
  /** Failures in a row, by chat. */
  const failures = new Map<number, number>();

  /** Before an edit goes the message that it changes, and what was to change that before. */
  function first(row: OutboxRow): OutboxRow {
    if (row.act.kind !== "edit") return row;
    const target = store.outbox.get(row.act.target);
    if (target?.state === "queued" || target?.state === "sending") return target;
    return store.outbox.nextEdit(row.act.target) ?? row;
  }

  async function deliver(row: OutboxRow): Promise<Rest> {
    const known = unrecorded.get(row.id);
    // A loss of power may undo it: then the message may be there once more, as after any call that nobody knows the end of.
    if (!known) store.lightly(() => store.outbox.begin(row.id));
    const end = known ?? (await attempt(row));
    if (isOver()) return 0; // the row stays begun, and the next life sends it again
    unrecorded.set(row.id, end);
    // As its begin: a message that ends nothing, and whose end is forgotten, is one that nobody knows the end of.
    const write = row.finalOf === null ? store.lightly : store.transaction;
    const rest = write(() => record(row, end));
    unrecorded.delete(row.id);
    return rest;
  }

  function record(row: OutboxRow, end: AttemptEnd): Rest {
    const { chatId } = row.conversation;
    switch (end.kind) {
      case "ok":
        store.outbox.sent(row.id, end.value);
        if (row.finalOf !== null) store.work.finishIfDelivered(row.finalOf);
        failures.delete(chatId);
        return 0;
      case "unsent":
      case "ambiguous":
      case "doubtful": {
        const isDoubtful = end.kind === "doubtful";
        store.outbox[isDoubtful ? "doubt" : "retry"](row.id);
        log.warn(
          { event: "outbox.again", outboxId: row.id, end: end.kind, cause: end.cause },
          "will be sent again",
        );
        if (!isDoubtful) return backOff(chatId);
        return row.act.kind === "document" && row.attempts > 0 ? FILE_REST_MS : DOUBT_REST_MS;
      }
      case "unsure":
        makeSure(row);
        log.warn(
          { event: "outbox.unsure", outboxId: row.id, cause: end.cause },
          "will be brought as an edit",
        );
        return DOUBT_REST_MS;
      case "reformed":
        reform(row, end);
        return 0;
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

  function refused(row: OutboxRow, end: Refusal): Rest {
    const isKept = isPause(end) || end.code === 401 || (isShut(end) && row.finalOf !== null);
    if (isKept) store.outbox.retry(row.id);
    const known = learnRefusal(row.conversation.chatId, end);
    if (known !== null) return known;
    if (end.code === 403 && row.finalOf !== null) {
      store.outbox.retry(row.id); // in words that nobody knows yet: an answer is rather kept
      parking.park(row.conversation.chatId, end.description);
      return 0;
    }
    const isMoving = /upgraded to a supergroup/.test(end.description); // the update that says to where is on its way
    if (isMoving || (end.code !== 400 && end.code !== 403)) {
      // Nothing that Telegram has against a message: of a method or a server that is not there just now.
      store.outbox.retry(row.id);
      log.warn(
        { event: "outbox.again", outboxId: row.id, code: end.code },
        "refused for no reason of its own",
      );
      return backOff(row.conversation.chatId);
    }
    fail(row);
    if (row.finalOf !== null) store.outbox.put(noteOf(row.conversation, WORDS.partRefused));
    log.error(
      { event: "outbox.failed", outboxId: row.id, code: end.code, description: end.description },
      "a message cannot be delivered",
    );
    return 0;
  }

  /** What a refusal says of the chat or of everything; null when it is about the one call. */
  function learnRefusal(chatId: number, end: Refusal): Rest | null {
    if (isPause(end)) {
      const rest = end.retryAfterMs ?? backOff(chatId);
      store.chats.rest(chatId, now() + rest);
      log.warn({ event: "outbox.flood", chatId, restMs: rest }, "Telegram asks for a pause");
      return rest;
    }
    if (end.code === 401) {
      onRejected(end.description);
      return backoffMs(10);
    }
    if (!isShut(end)) return null;
    parking.park(chatId, end.description);
    return 0;
  }

  function reform(row: OutboxRow, end: Extract<AttemptEnd, { kind: "reformed" }>): void {
    store.outbox.rewrite(row.id, end.form);
    if (end.form.conversation.threadId !== row.conversation.threadId) tellTopicGone(row);
    log.warn(
      { event: "outbox.reformed", outboxId: row.id, description: end.description },
      "refused in this form: will be tried in another",
    );
  }

  /** Once a topic: what follows comes to the chat itself, and people wonder why. */
  function tellTopicGone({ conversation }: OutboxRow): void {
    if (!store.conversations.loseTopic(store.conversations.at(conversation).id)) return;
    store.outbox.put(noteOf({ ...conversation, threadId: null }, WORDS.topicGone));
  }

  function makeSure({ id, conversation, act: { body } }: OutboxRow): void {
    const target = store.outbox.put(aheadOf(conversation));
    store.outbox.bringBy(id, { kind: "edit", target, body, orSend: true });
  }

  function backOff(chatId: number): number {
    const count = (failures.get(chatId) ?? 0) + 1;
    failures.set(chatId, count);
    return backoffMs(count);
  }

  function fail(row: OutboxRow): void {
    store.outbox.failed(row.id);
    onFailed(row.id);
    if (row.finalOf !== null) store.work.finishIfDelivered(row.finalOf);
  }

  return {
    row: (row) => deliver(first(row)),
    learn: (chatId, end) => {
      if (isOver() || end.kind !== "refused") return 0;
      return learnRefusal(chatId, end) ?? 0;
    },
  };
}

function isPause({ code, retryAfterMs }: Refusal): boolean {
  return code === 429 || retryAfterMs !== null;
}
