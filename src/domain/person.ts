/** What an admitted person may do: members work, owners also invite, revoke, lock and decide for others. */
export type Role = "owner" | "member";

/** Who owns the bot just now: read anew at every call, since logins come and go. */
export interface Owners {
  readonly has: (userId: number) => boolean;
  readonly all: () => readonly number[];
}

/** Why a token admits nobody. */
export type TokenRefusal = "unknown" | "used" | "expired" | "revoked";

/** Why a login ended, other than by a revocation. `replaced` = by a further login of the same person. */
export type LogoutCause = "asked" | "expired" | "idle" | "replaced" | "locked";
