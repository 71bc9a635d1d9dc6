import type { Gate } from "./admit.ts";

interface AuthenticateDeps {
  /** Numeric Telegram user ids. Read at every request and never copied: who is taken out is out at once. */
  readonly allowedUsers: ReadonlySet<number>;
}

/** Who may come in at all. */
export interface Authenticate {
  /**
   * Admits a person on the whitelist in a private chat, whatever kind of update it is. Denies `no_person` (channel
   * posts, anonymous admins, bots), `not_whitelisted`, and `not_private` (groups are not open yet).
   */
  readonly gate: Gate;
  /** True for an id that the gate would deny whatever the chat; null is an update without a person. For the poller. */
  readonly isStranger: (userId: number | null) => boolean;
}

/** Authenticates by the numeric id alone: names are reused, chats migrate. An empty whitelist admits nobody. */
export function createAuthenticate({ allowedUsers }: AuthenticateDeps): Authenticate {
  const isStranger = (userId: number | null): boolean =>
    userId === null || !Number.isSafeInteger(userId) || userId <= 0 || !allowedUsers.has(userId);

  return {
    gate: (request) => {
      if (request.principal === null) return { kind: "deny", reason: "no_person", detail: null };
      if (isStranger(request.principal.userId))
        return { kind: "deny", reason: "not_whitelisted", detail: null };
      if (request.chatType !== "private") return { kind: "deny", reason: "not_private", detail: null };
      return { kind: "admit", request };
    },
    isStranger,
  };
}
