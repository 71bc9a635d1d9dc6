import type { ButtonAction } from "../domain/button.ts";

/** How many requests to Claude a press starts. */
export function worksStartedBy(action: ButtonAction): number {
  switch (action.kind) {
    case "recover":
      return action.choice === "drop" ? 0 : 1;
    case "offered":
      return action.choice === "run" ? 1 : 0;
    case "offered_all":
      return action.choice === "run" ? action.workIds.length : 0;
    case "edited":
      return 1;
    case "queue": // what waits there has taken its token
    case "approve":
    case "answer":
    case "answers_done":
    case "stop":
    case "host_remove":
    case "expose_hide":
    case "quarantine":
    case "audit_page":
    case "dismiss":
    case "repo":
    case "repo_page":
      return 0;
  }
}
