import type { Request } from "../domain/request.ts";
import type { Store } from "../store/store.ts";
import { worksStartedBy } from "./press-works.ts";

interface StartedByDeps {
  readonly store: Pick<Store, "buttons" | "work">;
  readonly isOwner: (userId: number) => boolean;
}

/** How many works the press of a request would start: none where it would be refused, or comes too late. Changes nothing. */
export function createStartedBy({ store, isOwner }: StartedByDeps): (request: Request) => number {
  return ({ body, principal, conversation }) => {
    if (body.kind !== "button" || principal === null) return 0;
    const { userId } = principal;
    const { nonce } = body;
    const press = store.buttons.judge({ nonce, conversation, userId, isOwner: isOwner(userId) });
    if (press.kind === "refused") return 0;
    return worksStartedBy(press.action, (workId) => store.work.get(workId)?.state ?? null);
  };
}
