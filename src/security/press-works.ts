import type { ButtonAction } from "../domain/button.ts";
import type { WorkState } from "../domain/work.ts";

/** How many requests to Claude an accepted press starts. `stateOf` gives null for a work that is not there any more. */
export function worksStartedBy(action: ButtonAction, stateOf: (workId: number) => WorkState | null): number {
  const offered = (ids: readonly number[]): number => ids.filter((id) => stateOf(id) === "offered").length;
  switch (action.kind) {
    case "recover":
      return action.choice === "drop" || stateOf(action.workId) === null ? 0 : 1;
    case "offered":
      return action.choice === "run" ? offered([action.workId]) : 0;
    case "offered_all":
      return action.choice === "run" ? offered(action.workIds) : 0;
    case "edited":
      return stateOf(action.workId) === null ? 0 : 1;
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
