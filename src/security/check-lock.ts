import type { ButtonAction } from "../domain/button.ts";
import type { Request } from "../domain/request.ts";
import type { Gate } from "./admit.ts";
import type { Lock } from "./lock.ts";

interface CheckLockDeps {
  readonly lock: Pick<Lock, "state">;
  /** What the button of that nonce does; null for one that is unknown. */
  readonly actionOf: (nonce: string) => ButtonAction | null;
}

/** Commands that only tell or end. */
const OPEN_COMMANDS: readonly string[] = [
  "start",
  "help",
  "status",
  "stop",
  "lock",
  "logout",
  "revoke",
  "users",
];

/**
 * While the bot is locked, lets in what only tells or ends something, and refuses the rest to everybody, owners too. What
 * is unknown is let through to where it is refused as such.
 */
export function createCheckLock({ lock, actionOf }: CheckLockDeps): Gate {
  return (request) => {
    const state = lock.state();
    if (state === null || isOpen(request, actionOf)) return { kind: "admit", request };
    return { kind: "locked", since: state.since };
  };
}

function isOpen({ body }: Request, actionOf: CheckLockDeps["actionOf"]): boolean {
  switch (body.kind) {
    case "prompt":
    case "edit":
    case "login":
      return false;
    case "command":
      return OPEN_COMMANDS.includes(body.name);
    case "button": {
      const action = actionOf(body.nonce);
      return action === null || !isBeginning(action);
    }
    case "unsupported":
      return true;
  }
}

/** True for a button that lets work begin or go on. */
function isBeginning(action: ButtonAction): boolean {
  switch (action.kind) {
    case "quarantine":
      return action.choice === "accept";
    case "approve":
      return action.decision === "allow" || action.decision === "allow_project";
    case "queue":
      return action.choice === "now";
    case "recover":
    case "offered_all":
      return action.choice !== "drop";
    case "offered":
      return action.choice === "run";
    case "answer":
    case "answers_done":
    case "edited":
    case "repo":
    case "repo_page":
    case "audit_page":
      return true;
    case "stop":
    case "host_remove":
    case "expose_hide":
    case "dismiss":
      return false;
  }
}
