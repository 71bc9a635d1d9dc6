import type { NetRefused } from "../domain/net.ts";
import type { Work } from "../domain/work.ts";
import type { Store } from "../store/store.ts";
import type { RecordWork } from "./settle.ts";

/** In a turn: a program may try as many names as it likes, and the record is kept for good. */
const MAX_RECORDED = 100;

/** Puts on record what the gates refuse to the programs of one turn: each once by place and reason, a hundred in all. */
export function createRefusalRecord(deps: {
  readonly store: Pick<Store, "lightly">;
  readonly record: RecordWork;
  readonly work: Work;
}): (refused: NetRefused) => void {
  const told = new Set<string>();
  return ({ host, port, reason }) => {
    const key = `${host}:${port} ${reason}`;
    if (told.has(key) || told.size >= MAX_RECORDED) return;
    told.add(key);
    deps.store.lightly(() => deps.record({ type: "net.refused", host, port, reason }, { work: deps.work }));
  };
}
