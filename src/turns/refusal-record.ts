import type { AuditEvent } from "../domain/audit-event.ts";
import type { NetRefused } from "../domain/net.ts";

/** In a turn: a program may try as many names as it likes, and the record is kept for good. */
const MAX_RECORDED = 100;

/** Puts on record what the gates refuse to the programs of one turn: each once by place and reason, a hundred in all. */
export function createRefusalRecord(put: (event: AuditEvent) => void): (refused: NetRefused) => void {
  const told = new Set<string>();
  return ({ host, port, reason }) => {
    const key = `${host}:${port} ${reason}`;
    if (told.has(key) || told.size >= MAX_RECORDED) return;
    told.add(key);
    put({ type: "net.refused", host, port, reason });
  };
}
