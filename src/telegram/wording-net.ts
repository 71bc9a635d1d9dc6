import type { NetTarget } from "../domain/net.ts";
import type { ApprovalChoice } from "../store/approvals.ts";
import type { RichText } from "./render/entity.ts";
import { escapeInvisible } from "./render/invisible.ts";
import { bold, joinRich, plain } from "./render/rich-text.ts";

/** The keys under a question about a host. */
export const NET_LABELS = {
  once: "Once",
  project: "For this project",
  never: "Never",
  accept: "Accept for this project",
  deny: "No",
  remove: "Remove",
} as const;

/** For a member who presses what was offered him as an owner. */
export const HOSTS_FOR_OWNERS = "Only owners may take back what was said of a host.";

/** How an approval ended that was given, or refused, for good. */
export const FOR_GOOD: Readonly<Partial<Record<ApprovalChoice, string>>> = {
  project: "✅ Allowed for this project.",
  never: "⛔ Closed for this project.",
};

/** A question about a host: what is sent there is not seen by anybody here. `isOwner` = all its keys are the asker's. */
export function hostQuestion(
  { host, port }: NetTarget,
  { project, isOwner }: { readonly project: string; readonly isOwner: boolean },
): RichText {
  const name = port === 443 ? host : `${host}:${port}`;
  const whose = isOwner
    ? ""
    : "\nOnly an owner can say it for the whole project: then it holds for everybody who works in it.";
  return joinRich(
    bold(`A program in ${escapeInvisible(project)} wants to reach ${escapeInvisible(name)}`),
    plain(`\nWhatever it can read it could send there.${whose}`),
  );
}

/** A question about a repository on a git host. */
export function remoteQuestion(name: string, project: string): RichText {
  return joinRich(
    bold(`git in ${escapeInvisible(project)} wants to use ${escapeInvisible(name)}`),
    "\nThe daemon would fetch from it with its token, unasked from then on. Every push is still asked about.",
  );
}

/** What may be reached from a project. */
export function hostsText(facts: {
  readonly project: string | null;
  readonly allowed: readonly string[];
  readonly closed: readonly string[];
  readonly everywhere: readonly string[];
}): RichText {
  const { project, allowed, closed, everywhere } = facts;
  const lines = [
    everywhere.length > 0 ? `From every project (SANDBOX_ALLOWED_DOMAINS): ${everywhere.join(", ")}` : null,
    allowed.length > 0 ? `From ${project}: ${allowed.join(", ")}` : null,
    closed.length > 0 ? `Never from ${project}: ${closed.join(", ")}` : null,
  ].filter((line) => line !== null);
  const rest = "Any other host is asked about when a program wants it.";
  return plain([...lines, rest].join("\n"));
}

/** A rule for a host is gone. */
export function hostRemovedText(host: string): string {
  return `${host} is asked about again.`;
}
