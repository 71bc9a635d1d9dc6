import type { OutboxAct, OutboxRow } from "../domain/outbox.ts";
import type { Store } from "../store/store.ts";
import type { CallEnd } from "./call.ts";
import type { ScreenCalls, Target } from "./screen-call.ts";

/**
 * How often a message is sent when nobody can tell whether it arrived: a placeholder is no loss, a question is rather asked
 * twice than not at all, and of an answer the second copy, which comes for sure, is an edit.
 */
const MOST_SENDS = { placeholder: 1, answer: 1, other: 2 } as const;

/** The row as it may do better. */
type Form = Pick<OutboxRow, "act" | "conversation">;

type Refusal = Extract<CallEnd<never>, { kind: "refused" }>;

/**
 * How an attempt ended. An edit ends as its call did. After a send nobody knows whether it came: `doubtful` may be sent once
 * more; the others may be there as often as they may, of which an answer is `unsure`, so that it is to be brought without
 * doubt, and anything else `lost`. After `reformed` the same is to be tried in another form: Telegram refused this one.
 */
export type AttemptEnd =
  | CallEnd<number | null>
  | { readonly kind: "doubtful" | "unsure" | "lost"; readonly cause: string }
  | { readonly kind: "reformed"; readonly form: Form; readonly description: string };

/** Makes one attempt at a row: one call at most, so that each is paced and on record. */
export function createAttempt(
  store: Pick<Store, "outbox">,
  calls: ScreenCalls,
): (row: OutboxRow) => Promise<AttemptEnd> {
  async function edit(row: OutboxRow, act: Extract<OutboxAct, { kind: "edit" }>): Promise<AttemptEnd> {
    const target = targetOf(store.outbox.get(act.target));
    if (target === null) return act.orSend ? send(row, anew(act)) : { kind: "ok", value: null };
    const end = await calls.edit(row.conversation, target, act.body);
    if (end.kind !== "refused" || end.code !== 400) return end;
    const form = otherForm(row, end);
    if (form) return { kind: "reformed", form, description: end.description };
    // Whatever Telegram has against this edit: what may be sent anew is not lost with it.
    if (act.orSend) {
      return { kind: "reformed", form: { ...row, act: anew(act) }, description: end.description };
    }
    return isGone(end.description) ? { kind: "ok", value: null } : end;
  }

  /** May be done as often as it likes. */
  async function remove({ conversation }: OutboxRow, messageId: number): Promise<AttemptEnd> {
    const end = await calls.remove(conversation.chatId, messageId);
    if (end.kind === "ok") return { kind: "ok", value: null };
    const isGoneAlready =
      end.kind === "refused" && /message to delete not found|MESSAGE_ID_INVALID/.test(end.description);
    return isGoneAlready ? { kind: "ok", value: null } : end;
  }

  /** Sends a new message, unless it may be there as often as it may. */
  async function send(
    row: OutboxRow,
    act: Exclude<OutboxAct, { kind: "edit" | "delete" }>,
  ): Promise<AttemptEnd> {
    const kind =
      act.kind === "send" && act.isProgress ? "placeholder" : row.finalOf === null ? "other" : "answer";
    const most = MOST_SENDS[kind];
    const atMost = kind !== "answer" ? "lost" : act.kind === "send" ? "unsure" : "doubtful";
    if (row.attempts >= most && atMost !== "doubtful")
      return { kind: atMost, cause: "an earlier life ended while it was being sent" };
    const end = await (act.kind === "send"
      ? calls.send(row.conversation, act)
      : calls.document(row.conversation, act));
    if (end.kind === "ambiguous")
      return { kind: row.attempts + 1 < most ? "doubtful" : atMost, cause: end.cause };
    const form = end.kind === "refused" && end.code === 400 ? otherForm(row, end) : null;
    if (end.kind === "refused" && form) return { kind: "reformed", form, description: end.description };
    return end;
  }

  return async (row) => {
    const { act } = row;
    if (act.kind === "delete") return remove(row, act.messageId);
    return act.kind === "edit" ? edit(row, act) : send(row, act);
  };
}

/** The message on the screen; null when it has not come there. */
export function targetOf(row: OutboxRow | null): Target | null {
  if (row?.messageId == null) return null;
  return { messageId: row.messageId, isDocument: row.act.kind === "document" };
}

/** A topic that is gone: in the chat itself. Formatting that is refused: as plain text, without which all would be lost. */
function otherForm({ act, conversation }: OutboxRow, { description }: Refusal): Form | null {
  if (conversation.threadId !== null && description.includes("message thread not found"))
    return { act, conversation: { ...conversation, threadId: null } };
  const isButton = /button/i.test(description);
  const { body } = act;
  const isPlain = body.entities.length === 0 && (!isButton || body.buttons.length === 0);
  if (isPlain || !/entit|button/i.test(description)) return null;
  const plain = { ...body, entities: [], buttons: isButton ? [] : body.buttons };
  return { act: { ...act, body: plain }, conversation };
}

function anew({ body }: OutboxAct): Extract<OutboxAct, { kind: "send" }> {
  return { kind: "send", body, replyTo: null, isSilent: false };
}

function isGone(description: string): boolean {
  return /message to edit not found|message can't be edited|MESSAGE_ID_INVALID/.test(description);
}
