import { randomUUID } from "node:crypto";
import type { ButtonAction, ButtonSpec } from "../domain/button.ts";
import type { HostRule } from "../domain/host-rule.ts";
import type { NetTarget } from "../domain/net.ts";
import type { Owners } from "../domain/person.ts";
import type { Request } from "../domain/request.ts";
import type { Store } from "../store/store.ts";
import { isForOwner, type RecordRequest } from "./owners-only.ts";
import type { Replies } from "./replies.ts";
import { HOSTS_FOR_OWNERS, hostRemovedText, hostsText, NET_LABELS } from "./wording-net.ts";

export interface HostsDeps {
  readonly store: Store;
  readonly replies: Replies;
  readonly owners: Owners;
  /** `SANDBOX_ALLOWED_DOMAINS`. */
  readonly allowedHosts: readonly HostRule[];
  readonly record: RecordRequest;
}

/** /hosts: what may be reached from the chosen project; owners can take back what was said. Called inside a transaction. */
export function showHosts(
  { store, replies, owners, allowedHosts }: HostsDeps,
  request: Request,
  userId: number,
): void {
  const { project } = store.conversations.at(request.conversation);
  const rules = project === null ? [] : store.hostRules.of(project);
  const named = (verdict: string) => rules.filter((rule) => rule.verdict === verdict).map(nameOf);
  const text = hostsText({
    project,
    allowed: named("allow"),
    closed: named("never"),
    everywhere: allowedHosts.map(
      ({ host, isSuffix, port }) => `${isSuffix ? "*." : ""}${nameOf({ host, port })}`,
    ),
  });
  const rows = owners.has(userId) ? rules.map((rule): ButtonSpec[] => [removal(rule)]) : [];
  replies.tell(request, text, rows.length > 0 ? replies.keys(request, `hosts:${randomUUID()}`, rows) : []);
}

/** Takes a rule back for who is still an owner, so that the host is asked about again. Called inside a transaction. */
export function removeHost(
  deps: Pick<HostsDeps, "store" | "replies" | "record" | "owners">,
  request: Request,
  { project, host, port }: Extract<ButtonAction, { kind: "host_remove" }>,
): void {
  const { store, replies, record } = deps;
  if (!isForOwner(deps, request, HOSTS_FOR_OWNERS)) return;
  if (store.hostRules.remove(project, { host, port })) {
    const who = { userId: request.principal?.userId ?? 0, conversation: request.conversation };
    record({ type: "net.ruled", project, host, port, verdict: "removed" }, who);
  }
  replies.tell(request, hostRemovedText(nameOf({ host, port })));
}

function removal({ project, host, port }: NetTarget & { readonly project: string }): ButtonSpec {
  return {
    label: `${NET_LABELS.remove} ${nameOf({ host, port })}`,
    action: { kind: "host_remove", project, host, port },
  };
}

function nameOf({ host, port }: NetTarget): string {
  if (host.includes("/")) return `${host} (git)`;
  return port === 443 ? host : `${host}:${port}`;
}
