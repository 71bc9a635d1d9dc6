import type { AuditEvent, Risk } from "../domain/audit-event.ts";

/** Risk by type. A type that is missing here does not compile. `riskOf` raises some of them. */
export const RISK_OF_TYPE = {
  "auth.failure": "medium",
  "auth.attempt": "low",
  "auth.login": "medium",
  "auth.logout": "low",
  "auth.invite": "medium",
  "auth.revoke": "medium",
  "auth.lockout": "high",
  "chat.left": "medium",
  "chat.moved": "medium",
  "request.admitted": "low",
  "request.refused": "low",
  "file.received": "low",
  "file.refused": "medium",
  "command.run": "low",
  "tool.asked": "low",
  "tool.answered": "low",
  "tool.left": "low",
  "tool.refused": "low",
  "tool.allowed": "low",
  "tool.denied": "high",
  "turn.started": "low",
  "turn.finished": "low",
  "turn.stopped": "low",
  "turn.interrupted": "medium",
  "net.allowed": "low",
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
  "cost.granted": "medium",
  "violation.forged_callback": "high",
  "violation.replay": "medium",
  "violation.path_traversal": "high",
  "violation.symlink_escape": "high",
  "violation.injection": "high",
  "violation.project_unseen": "high",
  "project.quarantined": "high",
  "project.accepted": "high",
  "project.left_out": "low",
  "violation.sandbox": "critical",
  "webhook.accepted": "low",
  "webhook.refused": "medium",
  "job.made": "medium",
  "job.started": "low",
  "job.missed": "low",
  "job.removed": "low",
  "file.sent": "medium",
  "daemon.started": "low",
  "daemon.stopped": "low",
  "config.changed": "medium",
  "credential.changed": "medium",
  "audit.trimmed": "medium",
  "database.copied": "medium",
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
] as const);

const RANK: readonly Risk[] = ["low", "medium", "high", "critical"];

/** How much an event matters: that of its type, raised by what it is about. */
export function riskOf(event: AuditEvent): Risk {
  const risk = RISK_OF_TYPE[event.type];
  if (event.type === "daemon.started" && event.sandbox === "none") return "critical";
  // Whoever owns the bot may decide for everybody.
  if ((event.type === "auth.login" || event.type === "auth.invite") && event.role === "owner") return "high";
  return "tool" in event ? higher(risk, RISK_OF_TOOL.get(event.tool) ?? "high") : risk;
}

/** That risk and all above it; null for a word that is no risk. */
export function risksFrom(word: string): readonly Risk[] | null {
  const least = RANK.find((risk) => risk === word.toLowerCase());
  return least === undefined ? null : RANK.slice(RANK.indexOf(least));
}

function higher(one: Risk, other: Risk): Risk {
  return RANK.indexOf(one) >= RANK.indexOf(other) ? one : other;
}
