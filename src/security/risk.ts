import type { AuditEvent, Risk } from "../domain/audit-event.ts";

/** Risk by type. A type that is missing here does not compile. `riskOf` raises some of them. */
const RISK_OF_TYPE = {
  "auth.failure": "medium",
  "request.admitted": "low",
  "request.refused": "low",
  "command.run": "low",
  "tool.asked": "low",
  "tool.answered": "low",
  "tool.allowed": "low",
  "tool.denied": "medium",
  "turn.started": "low",
  "turn.finished": "low",
  "turn.stopped": "low",
  "turn.interrupted": "medium",
  "net.connected": "low",
  "net.refused": "medium",
  "git.pushed": "medium",
  "net.ruled": "medium",
  "turn.fell_back": "medium",
  "violation.secret_access": "high",
  "secret.exposed": "high",
  "secret.hidden": "low",
  "cost.unknown_model": "medium",
  "violation.unchosen_model": "high",
  "cost.settled": "low",
  "cost.refused": "medium",
  "violation.forged_callback": "high",
  "violation.replay": "medium",
  "violation.path_traversal": "high",
  "violation.project_unseen": "high",
  "project.quarantined": "high",
  "project.accepted": "high",
  "project.left_out": "low",
  "violation.sandbox": "critical",
  "daemon.started": "low",
  "daemon.stopped": "low",
  "audit.trimmed": "low",
  "database.restored": "high",
  "daemon.locked": "high",
  "daemon.unlocked": "high",
} as const satisfies Readonly<Record<AuditEvent["type"], Risk>>;

/** What a tool can do at worst inside the jail. Those that are not here, being unknown, count as high. */
const RISK_OF_TOOL: ReadonlyMap<string, Risk> = new Map([
  ["Read", "low"],
  ["Glob", "low"],
  ["Grep", "low"],
  ["Agent", "low"],
  ["Task", "low"],
  ["TodoWrite", "low"],
  ["AskUserQuestion", "low"],
  ["EnterPlanMode", "low"],
  ["ExitPlanMode", "low"],
  ["Edit", "medium"],
  ["MultiEdit", "medium"],
  ["Write", "medium"],
  ["NotebookEdit", "medium"],
  ["Bash", "medium"],
  ["WebFetch", "medium"],
  ["WebSearch", "medium"],
] as const);

const RANK: readonly Risk[] = ["low", "medium", "high", "critical"];

/** How much an event matters: that of its type, raised by what it is about. */
export function riskOf(event: AuditEvent): Risk {
  const risk = RISK_OF_TYPE[event.type];
  if (event.type === "daemon.started" && event.sandbox === "none") return "critical";
  if (event.type === "tool.denied" && event.by === "policy") return "high";
  return "tool" in event ? higher(risk, RISK_OF_TOOL.get(event.tool) ?? "high") : risk;
}

function higher(one: Risk, other: Risk): Risk {
  return RANK.indexOf(one) >= RANK.indexOf(other) ? one : other;
}
