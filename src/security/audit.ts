import type { SentFileReason } from "../domain/attachment.ts";
import type { AuditEntry, AuditEvent, GateName } from "../domain/audit-event.ts";
import type { Now } from "../domain/clock.ts";
import { safeFileName } from "../domain/file-name.ts";
import type { ConversationRef, Request } from "../domain/request.ts";
import type { DenyReason } from "../domain/verdict.ts";
import type { Refusal } from "./admit.ts";
import { createContactThrottle, recordContact } from "./contact-throttle.ts";
import { riskOf } from "./risk.ts";
import { shorten } from "./visible.ts";

/** The longest text in an event; what is put on record says what was done, not what it was done with. */
const MAX_TEXT = 500;

/** Who did it and where; null where there is none. */
interface AuditWho {
  readonly userId: number | null;
  readonly conversation: ConversationRef | null;
}

interface AuditDeps {
  /** Stores the entry, in the transaction of the act it is about. Throws when it cannot: then the act must not happen. */
  readonly append: (entry: AuditEntry) => void;
  /** Runs the act once the transaction under way is committed, so that the log tells nothing that was undone. */
  readonly afterCommit: (act: () => void) => void;
  /** Takes secrets out of a text: of every text of every event, here and nowhere else, before it is stored or logged. */
  readonly redactText: (text: string) => string;
  /** A pino logger will do. */
  readonly log: {
    readonly info: (fields: object, message: string) => void;
    readonly warn: (fields: object, message: string) => void;
  };
  readonly now: Now;
}

/** Puts acts on record: in the store, and as a line in the log for those who watch it. */
export interface Audit {
  readonly record: (event: AuditEvent, who: AuditWho) => void;
  /** For the end of the chain. */
  readonly admitted: (request: Request) => void;
  /** For the guard's `onRefused`: judged at once, put on record by what it gives. */
  readonly refused: (request: Request, gate: GateName, refusal: Refusal) => () => void;
  /** For what is set aside, since handling it failed. */
  readonly setAside: (request: Request) => void;
  /** A contact of somebody who may not come in: the first goes on record, the further ones of the hour are counted. */
  readonly contact: (who: AuditWho, reason: DenyReason) => void;
}

export function createAudit({ append, afterCommit, redactText, log, now }: AuditDeps): Audit {
  const judgeContact = createContactThrottle(now);
  const clean = (text: string): string => shorten(redactText(text), MAX_TEXT);

  const record = (raw: AuditEvent, { userId, conversation }: AuditWho): void => {
    const event = withTexts(raw, clean);
    const entry: AuditEntry = { at: now(), risk: riskOf(event), userId, conversation, event };
    append(entry);
    afterCommit(() => {
      const isGrave = entry.risk === "high" || entry.risk === "critical";
      log[isGrave ? "warn" : "info"](fieldsOf(entry), "audit");
    });
  };

  const contact = (who: AuditWho, reason: DenyReason): (() => void) => {
    const verdict = judgeContact(who.userId);
    return () => {
      if (verdict.kind === "record")
        record({ type: "auth.failure", reason, unrecorded: verdict.unrecorded }, who);
    };
  };

  return {
    record,
    admitted: (request) => record({ type: "request.admitted", ...factsOf(request) }, whoOf(request)),
    refused: (request, gate, refusal) => {
      const who = whoOf(request);
      if (gate === "authenticate" && refusal.kind === "deny") return contact(who, refusal.reason);
      const reason = refusal.kind === "deny" ? refusal.reason : null;
      return () => {
        record({ type: "request.refused", ...factsOf(request), gate, verdict: refusal.kind, reason }, who);
        for (const event of filesRefused(request, refusal)) record(event, who);
        if (refusal.kind !== "spent") return;
        const { spentMicroUsd, limitMicroUsd } = refusal;
        record({ type: "cost.refused", stage: "gate", spentMicroUsd, limitMicroUsd }, who);
      };
    },
    setAside: (request) => {
      const refusal = { gate: "handler", verdict: "deny", reason: "fault" } as const;
      record({ type: "request.refused", ...factsOf(request), ...refusal }, whoOf(request));
    },
    contact: (who, reason) =>
      recordContact(judgeContact(who.userId), (unrecorded) =>
        record({ type: "auth.failure", reason, unrecorded }, who),
      ),
  };
}

/** What is refused for a file is on record as that too: by the name that it was sent under, made safe. */
function filesRefused({ body }: Request, refusal: Refusal): readonly AuditEvent[] {
  const reason = refusal.kind === "deny" ? FILE_REASONS.get(refusal.reason) : undefined;
  if (reason === undefined || body.kind !== "prompt") return [];
  return (body.files ?? []).map(({ name, bytes }) => ({
    type: "file.refused",
    workId: null,
    name: safeFileName(name),
    bytes,
    reason,
  }));
}

const FILE_REASONS: ReadonlyMap<DenyReason, SentFileReason> = new Map([
  ["file_too_large", "too_large"],
  ["file_type", "type"],
  ["file_other_archive", "other_archive"],
  ["file_secret", "secret"],
]);

function whoOf({ principal, conversation }: Request): AuditWho {
  return { userId: principal?.userId ?? null, conversation };
}

function factsOf({ origin, kind, body, dedupeKey }: Request) {
  return { origin, kind, body: body.kind, dedupeKey };
}

/** What whoever watches the log gets: the same facts as in the audit, which hold no prompt, answer or secret. */
function fieldsOf({ event, userId, risk }: AuditEntry) {
  const { type: _type, ...facts } = event;
  const isViolation = event.type.startsWith("violation.");
  return {
    security: true,
    event: event.type,
    userId,
    risk,
    facts,
    ...(isViolation ? { violationType: event.type.slice("violation.".length) } : {}),
  };
}

/** The event with every text in it changed, but for its type, by the way of the JSON as which it is stored anyway. */
function withTexts(event: AuditEvent, change: (text: string) => string): AuditEvent {
  const text = JSON.stringify(event, (key, value: unknown) =>
    typeof value === "string" && key !== "type" ? change(value) : value,
  );
  const changed: AuditEvent = JSON.parse(text);
  return changed;
}
