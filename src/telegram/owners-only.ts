import type { AuditEvent } from "../domain/audit-event.ts";
import type { Owners } from "../domain/person.ts";
import type { ConversationRef, Request } from "../domain/request.ts";
import type { Replies } from "./replies.ts";

/** Puts an act of a person on record, inside the transaction that is under way. */
export type RecordRequest = (
  event: AuditEvent,
  who: { readonly userId: number; readonly conversation: ConversationRef },
) => void;

interface OwnersOnlyDeps {
  readonly owners: Pick<Owners, "has">;
  readonly replies: Pick<Replies, "tell">;
  readonly record: RecordRequest;
}

/** Whether an owner asks. A member is told `text`, and that he asked is put on record. Called inside a transaction. */
export function isForOwner(
  { owners, record, replies }: OwnersOnlyDeps,
  request: Request,
  text: string,
): boolean {
  const { principal, conversation, origin, kind, body, dedupeKey } = request;
  if (principal !== null && owners.has(principal.userId)) return true;
  const refusal = { gate: "command", verdict: "deny", reason: "owners_only" } as const;
  record(
    { type: "request.refused", origin, kind, body: body.kind, dedupeKey, ...refusal },
    { userId: principal?.userId ?? 0, conversation },
  );
  replies.tell(request, text);
  return false;
}
