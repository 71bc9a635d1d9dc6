import type { Request } from "../domain/request.ts";
import type { Store } from "../store/store.ts";
import { worksStartedBy } from "./press-works.ts";

interface TokensOfDeps {
  readonly store: Pick<Store, "buttons" | "conversations" | "work">;
  readonly isOwner: (userId: number) => boolean;
}

/**
 * How many tokens a request takes: a press one for each work that it would start, none where it will be refused or comes too
 * late; the correction of a message that still waits none, since without it the old words would run; all else of work or of
 * looking one, and other control none. Changes nothing.
 */
export function createTokensOf({ store, isOwner }: TokensOfDeps): (request: Request) => number {
  function ofPress(nonce: string, { principal, conversation }: Request): number {
    const userId = principal?.userId ?? 0;
    const press = store.buttons.judge({ nonce, conversation, userId, isOwner: isOwner(userId) });
    if (press.kind === "refused") return 0;
    return worksStartedBy(press.action, (workId) => store.work.get(workId)?.state ?? null);
  }

  function isOfWaiting({ conversation, messageId }: Request): boolean {
    const where = store.conversations.find(conversation);
    if (where === null || messageId === null) return false;
    const state = store.work.ofMessage(where.id, messageId)?.state;
    return state === "queued" || state === "offered";
  }

  return (request) => {
    if (request.body.kind === "button") return ofPress(request.body.nonce, request);
    if (request.body.kind === "edit") return isOfWaiting(request) ? 0 : 1;
    return request.kind === "control" ? 0 : 1;
  };
}
