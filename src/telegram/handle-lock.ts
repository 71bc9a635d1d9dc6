import type { Now } from "../domain/clock.ts";
import type { Owners } from "../domain/person.ts";
import type { ConversationRef, Request } from "../domain/request.ts";
import type { Access } from "../security/invitations.ts";
import type { Lock } from "../security/lock.ts";
import type { Turns } from "../turns/turns.ts";
import { isForOwner, type RecordRequest } from "./owners-only.ts";
import { escapeInvisible } from "./render/invisible.ts";
import type { Replies } from "./replies.ts";
import { LOCK_WORDS, lockDoneText, lockedText } from "./wording-lock.ts";
import { lateCommandText } from "./wording-recovery.ts";

export interface LockDeps {
  readonly lock: Lock;
  readonly access: Access;
  readonly turns: Pick<Turns, "halt">;
  readonly replies: Replies;
  readonly owners: Owners;
  readonly record: RecordRequest;
  readonly now: Now;
}

/**
 * /lock: ends all that runs and every login, of everybody, and lets no work in until it is undone at the machine. Everybody whom it touches is
 * told, and every owner who did it. One that comes late does so too, but for one that was sent before the last unlocking. Called inside a transaction.
 */
export function lockBot(deps: LockDeps, request: Request): void {
  const { lock, access, turns, replies, owners, record } = deps;
  const { principal, conversation } = request;
  const before = lock.state();
  if (before) {
    replies.tell(request, lockedText(before.since));
    return;
  }
  if (principal === null || !isForOwner(deps, request, LOCK_WORDS.isForOwners)) return;
  const { userId } = principal;
  const { isStale, sentAt } = request;
  if (isStale && sentAt !== null && sentAt <= (lock.openedAt() ?? Number.NEGATIVE_INFINITY)) {
    replies.tell(request, lateCommandText("lock", deps.now() - sentAt));
    return;
  }
  lock.close(userId);
  const others = owners.all();
  access.endAll({ userId, conversation });
  const { ended, waiting } = turns.halt();
  const event = { type: "daemon.locked", endedTurns: ended.length, waitingWorks: waiting.length } as const;
  record(event, { userId, conversation });
  replies.alert(conversation, lockDoneText(ended.length, waiting.length, null));

  const told = new Set([conversation.chatId]);
  const tellOnce = (where: ConversationRef, text: string): void => {
    if (told.has(where.chatId)) return;
    told.add(where.chatId);
    replies.alert(where, text);
  };
  const by = `${escapeInvisible(principal.displayName)} (${userId})`;
  for (const owner of others)
    tellOnce({ chatId: owner, threadId: null }, lockDoneText(ended.length, waiting.length, by));
  for (const work of [...ended, ...waiting]) tellOnce(work.conversation, LOCK_WORDS.endedHere);
}
