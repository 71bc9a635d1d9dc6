/** What keeps updates from coming: Telegram does not give them, or another program takes them. */
export type Trouble = "unreachable" | "rival";

/** From when to when it did, in milliseconds since the epoch. */
export interface TroubleSpan {
  readonly trouble: Trouble;
  readonly since: number;
  readonly until: number;
}
