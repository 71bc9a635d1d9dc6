import type { Risk } from "./audit-event.ts";

/** What a press does. Stored beside its nonce; nothing of it travels through Telegram. */
export type ButtonAction =
  | {
      readonly kind: "approve";
      readonly approvalId: number;
      readonly decision: "allow" | "allow_project" | "deny" | "never";
    }
  | {
      readonly kind: "answer";
      readonly approvalId: number;
      readonly question: number;
      readonly option: number;
      /** Ticks or unticks: may be pressed again, and uses up no other button. */
      readonly isTick: boolean;
    }
  | { readonly kind: "answers_done"; readonly approvalId: number; readonly question: number }
  | { readonly kind: "stop"; readonly workId: number }
  | { readonly kind: "queue"; readonly workId: number; readonly choice: "now" | "drop" }
  | {
      readonly kind: "recover";
      readonly workId: number;
      readonly choice: "continue" | "again" | "more" | "drop";
    }
  | { readonly kind: "offered"; readonly workId: number; readonly choice: "run" | "show" | "drop" }
  /** All of those that were offered when the button was made. */
  | { readonly kind: "offered_all"; readonly workIds: readonly number[]; readonly choice: "run" | "drop" }
  | { readonly kind: "edited"; readonly workId: number; readonly text: string }
  | { readonly kind: "host_remove"; readonly project: string; readonly host: string; readonly port: number }
  /** Hides a file that was shown; `root` is the project's real path. */
  | { readonly kind: "expose_hide"; readonly root: string; readonly path: string }
  /** Those of them that still wait for an owner's word. */
  | { readonly kind: "quarantine"; readonly ids: readonly number[]; readonly choice: "accept" | "drop" }
  /** The rows of the audit before that one, by the same filter. */
  | {
      readonly kind: "audit_page";
      readonly beforeId: number;
      readonly sinceMs: number;
      readonly risk: Risk;
      readonly userId: number | null;
    }
  | { readonly kind: "dismiss" }
  | { readonly kind: "repo"; readonly project: string }
  | { readonly kind: "repo_page"; readonly page: number };

/** A button to be shown: its label and what it does. */
export interface ButtonSpec {
  readonly label: string;
  readonly action: ButtonAction;
}

/** Why a press does nothing. */
export type PressRefusal = "unknown" | "used" | "expired" | "not_yours" | "elsewhere";

/** What became of a press. */
export type Press =
  | { readonly kind: "accepted"; readonly action: ButtonAction }
  | { readonly kind: "refused"; readonly reason: PressRefusal };

/** True for a button that may be pressed again and uses up no other of its group: a tick, a look. */
export function isReusable(action: ButtonAction): boolean {
  if (action.kind === "answer") return action.isTick;
  return action.kind === "offered" && action.choice === "show";
}
