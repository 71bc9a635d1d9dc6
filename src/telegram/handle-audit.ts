import { randomUUID } from "node:crypto";
import type { Risk } from "../domain/audit-event.ts";
import type { ButtonAction } from "../domain/button.ts";
import type { Now } from "../domain/clock.ts";
import type { Owners } from "../domain/person.ts";
import type { Request } from "../domain/request.ts";
import { risksFrom } from "../security/risk.ts";
import type { Store } from "../store/store.ts";
import { isForOwner, type RecordRequest } from "./owners-only.ts";
import type { Replies } from "./replies.ts";
import { AUDIT_WORDS, type AuditAsk, auditText } from "./wording-audit.ts";

/** Rows in one message. */
const PAGE = 12;
const HOUR_MS = 3_600_000;
const DEFAULT_HOURS = 24;

export interface AuditViewDeps {
  readonly store: Pick<Store, "audit">;
  readonly replies: Replies;
  readonly owners: Owners;
  readonly record: RecordRequest;
  readonly now: Now;
}

/** /audit: what is on record, newest first, for owners in their private chats. Called inside a transaction. */
export function showAudit(deps: AuditViewDeps, request: Request, argument: string): void {
  const ask = parseAsk(argument, deps.now());
  if (!isForHim(deps, request)) return;
  if (ask === null) deps.replies.tell(request, AUDIT_WORDS.usage);
  else tellPage(deps, request, ask);
}

/** The page before one that was shown. Called inside a transaction. */
export function turnAuditPage(
  deps: AuditViewDeps,
  request: Request,
  { kind: _kind, ...ask }: Extract<ButtonAction, { kind: "audit_page" }>,
): void {
  if (isForHim(deps, request)) tellPage(deps, request, ask);
}

/** Whoever may not is told so, and that he asked is on record. */
function isForHim(deps: AuditViewDeps, request: Request): boolean {
  if (!isForOwner(deps, request, AUDIT_WORDS.ownersOnly)) return false;
  if (request.chatType !== "private") deps.replies.tell(request, AUDIT_WORDS.privateOnly);
  return request.chatType === "private";
}

function tellPage(
  { store, replies }: AuditViewDeps,
  request: Request,
  { beforeId, ...ask }: AuditAsk & { readonly beforeId?: number },
): void {
  const { risk, userId, sinceMs } = ask;
  const page = store.audit.newest({
    ...(beforeId === undefined ? {} : { beforeId }),
    risks: risksFrom(risk) ?? [],
    userId,
    sinceMs,
    limit: PAGE,
  });
  const action = { kind: "audit_page", risk, userId, sinceMs } as const;
  const keys =
    page.nextBefore === null
      ? []
      : replies.keys(request, `audit:${randomUUID()}`, [
          [{ label: AUDIT_WORDS.earlier, action: { ...action, beforeId: page.nextBefore } }],
        ]);
  replies.tell(request, auditText(ask, page.rows), keys);
}

/** Null for what says none of the three. */
function parseAsk(argument: string, now: number): AuditAsk | null {
  let [risk, userId, hours]: [Risk | null, number | null, number | null] = [null, null, null];
  for (const word of argument.split(/\s+/).filter((part) => part !== "")) {
    const [, digits = "", unit = ""] = /^(\d{1,15})([hd]?)$/i.exec(word) ?? [];
    const number = Number(digits);
    const isHours = unit !== "" || number < 10_000;
    if (digits !== "" && isHours && hours === null) hours = unit.toLowerCase() === "d" ? number * 24 : number;
    else if (digits !== "" && !isHours && userId === null) userId = number;
    else if (risk === null && digits === "") risk = risksFrom(word)?.[0] ?? null;
    else return null;
    if (digits === "" && risk === null) return null;
  }
  const sinceMs = now - (hours ?? DEFAULT_HOURS) * HOUR_MS;
  return { risk: risk ?? "medium", userId, sinceMs: Math.max(0, sinceMs) };
}
