import type { Gate } from "./admit.ts";
import type { People } from "./people.ts";

interface AuthenticateDeps {
  readonly people: Pick<People, "roleOf">;
  /** Whether admitted people may use the bot in that group. */
  readonly isOpenChat: (chatId: number) => boolean;
}

/** Who may come in at all. */
export interface Authenticate {
  /**
   * Admits a person of the whitelist, or one who is logged in, in a private chat or an open group, whatever kind of update it is.
   * Denies `no_person` (channel posts, anonymous admins, bots), `not_whitelisted`, and `not_private` (any other chat).
   */
  readonly gate: Gate;
  /** True for an id that the gate would deny whatever the chat; null is an update without a person. For the poller. */
  readonly isStranger: (userId: number | null) => boolean;
}

/** Authenticates by the numeric id alone: names are reused, chats migrate. Asks `people` anew at every request. */
export function createAuthenticate({ people, isOpenChat }: AuthenticateDeps): Authenticate {
  const isStranger = (userId: number | null): boolean =>
    userId === null || !Number.isSafeInteger(userId) || userId <= 0 || people.roleOf(userId) === null;

  return {
    gate: (request) => {
      if (request.principal === null) return { kind: "deny", reason: "no_person", detail: null };
      if (isStranger(request.principal.userId))
        return { kind: "deny", reason: "not_whitelisted", detail: null };
      const isGroup = request.chatType === "group" || request.chatType === "supergroup";
      const isOpen = request.chatType === "private" || (isGroup && isOpenChat(request.conversation.chatId));
      if (!isOpen) return { kind: "deny", reason: "not_private", detail: null };
      return { kind: "admit", request };
    },
    isStranger,
  };
}
