import { textsOf } from "../../store/texts.ts";
import type { Leak, ScanPart } from "./leak.ts";
import { createSearch, type Needles } from "./search.ts";

/** Looks through all that the database says: prompts, answers and what was asked about stand there in clear until they are forgotten. */
export function scanDatabase(path: string, needles: Needles): ScanPart {
  const rows = new Map<string, Leak & { readonly count: number }>();
  let bytes = 0;
  for (const { table, text } of textsOf(path)) {
    const search = createSearch(needles);
    const value = Buffer.from(text);
    bytes += value.length;
    search.push(value);
    for (const credential of search.found().keys()) {
      const key = JSON.stringify([credential, table]);
      const count = (rows.get(key)?.count ?? 0) + 1;
      rows.set(key, { credential, place: `the database: ${count} in the table ${table}`, count });
    }
  }
  return { leaks: [...rows.values()].map(({ count: _count, ...leak }) => leak), files: 0, bytes, notes: [] };
}
