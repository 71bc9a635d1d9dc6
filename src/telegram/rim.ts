import type { Update } from "grammy/types";
import { hideTokens, tokenIn } from "../domain/login-token.ts";
import type { Request } from "../domain/request.ts";
import type { GroupDoor } from "./group-door.ts";
import { isAddressed, type Me, moveIn } from "./group-update.ts";
import { requestOf } from "./request.ts";
import { isFarewell, LOGIN_DIGEST, messageIn } from "./update-parts.ts";

/** An update as it may be kept, with its JSON. */
export interface KeptUpdate {
  readonly update: Update;
  readonly body: string;
}

interface RimDeps {
  readonly isStranger: (userId: number | null) => boolean;
  /** Whether a login of that stranger would be looked at. */
  readonly isOpenFor: (userId: number) => boolean;
  readonly digestOf: (token: string) => string;
  /** Whether the bot may be used in that group. */
  readonly isOpenChat: (chatId: number) => boolean;
  readonly groups: GroupDoor;
  readonly me: () => Me | null;
  /** Told of each update of a person who is not admitted. */
  readonly onStranger: (request: Request) => void;
}

/**
 * What of the updates goes any further: of groups what is said to the bot in an open one, of strangers nothing but a well-formed `/login` in a private chat. No login token gets
 * past here: the one of a `/login` goes on as its digest, and where one stands in any other text there are asterisks (H35).
 */
export function createRim(deps: RimDeps) {
  const { isStranger, isOpenFor, digestOf, onStranger } = deps;

  /** Of groups: what is said in an open one to the bot. */
  function isForBot(update: Update, { chatType, conversation: { chatId } }: Request): boolean {
    if (chatType === "private") return true;
    const move = moveIn(update);
    if (move !== null && deps.isOpenChat(move.from)) {
      deps.groups.move(move);
      return false;
    }
    if (!deps.isOpenChat(chatId)) {
      if (!isFarewell(update)) deps.groups.leave(chatId);
      return false;
    }
    const me = deps.me();
    return me !== null && isAddressed(update, me);
  }

  function isTaken(request: Request, token: string | null): boolean {
    const userId = request.principal?.userId ?? null;
    if (!isStranger(userId)) return true;
    return userId !== null && token !== null && request.chatType === "private" && isOpenFor(userId);
  }

  return (update: Update): KeptUpdate | null => {
    const request = requestOf(update);
    const token = tokenIn(messageIn(update.message)?.text ?? "");
    if (!isForBot(update, request)) return null;
    if (!isTaken(request, token)) {
      onStranger(request);
      return null;
    }
    const digest = token === null ? null : digestOf(token);
    const { [LOGIN_DIGEST]: _, ...sent }: Update & { [LOGIN_DIGEST]?: unknown } = update; // nobody else's
    const body = JSON.stringify(digest === null ? sent : { ...sent, [LOGIN_DIGEST]: digest });
    const hidden = hideTokens(body);
    return { update: hidden === body && digest === null ? sent : JSON.parse(hidden), body: hidden };
  };
}
