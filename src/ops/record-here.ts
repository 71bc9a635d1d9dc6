import type { AuditEvent } from "../domain/audit-event.ts";
import { systemNow } from "../domain/clock.ts";
import { redactShapes } from "../log/redact.ts";
import { createAudit } from "../security/audit.ts";
import type { AuditWriter } from "../store/audit-writer.ts";

/** The audit tells what a command did; it writes no log beside that of the daemon. */
const silent = { info: () => undefined, warn: () => undefined };

/** Puts on record what was done at the machine, in the transaction under way. Throws when it cannot: then it must not be done. */
export function recordHere(store: Pick<AuditWriter, "audit" | "afterCommit">): (event: AuditEvent) => void {
  const { append } = store.audit;
  const { afterCommit } = store;
  const audit = createAudit({
    append,
    afterCommit,
    redactText: redactShapes,
    log: silent,
    now: systemNow,
  });
  return (event) => audit.record(event, { userId: null, conversation: null });
}
