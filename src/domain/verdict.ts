import type { SentFileReason } from "./attachment.ts";
import type { MicroUsd } from "./money.ts";
import type { Request } from "./request.ts";

/** Why a request was refused for good: asking again later changes nothing. */
export type DenyReason =
  | "not_whitelisted"
  | "no_person"
  | "not_private"
  | "empty"
  | "too_long"
  | `file_${SentFileReason}`
  | "unsupported_content";

/** A gate's answer. `admit` carries the request on, as the gate left it. */
export type Verdict =
  | { readonly kind: "admit"; readonly request: Request }
  | { readonly kind: "deny"; readonly reason: DenyReason; readonly detail: string | null }
  /** An owner has locked the bot, at that time (ms since the epoch): nobody's work comes in. */
  | { readonly kind: "locked"; readonly since: number }
  | { readonly kind: "wait"; readonly retryAfterMs: number; readonly isFirstInWindow: boolean }
  | {
      readonly kind: "spent";
      readonly spentMicroUsd: MicroUsd;
      readonly limitMicroUsd: MicroUsd;
      readonly returnsAt: number | null;
      /** The amounts are what the API would have charged: a subscription pays. */
      readonly isEquivalent: boolean;
    };
