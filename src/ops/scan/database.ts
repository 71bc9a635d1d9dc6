import { messageOf } from "../../domain/errors.ts";
import type { StoredText } from "../../store/texts.ts";
import type { Leak } from "./leak.ts";
import { createSearch, type Needles } from "./search.ts";

/** What a look through a database gave, up to what ended it. */
export interface DatabaseRead {
  readonly leaks: readonly Leak[];
  readonly bytes: number;
  /** Why it was not read to its end; null when it was. */
  readonly fault: string | null;
}

/** Looks through all that a database says: prompts, answers and what was asked about stand there in clear until they are forgotten. */
export function scanDatabase(texts: Iterable<StoredText>, title: string, needles: Needles): DatabaseRead {
  const rows = new Map<string, Leak & { readonly count: number }>();
  let bytes = 0;
  let fault: string | null = null;
  try {
    for (const { table, text } of texts) {
      const search = createSearch(needles);
      const value = Buffer.from(text);
      bytes += value.length;
      search.push(value);
      for (const credential of search.found().keys()) {
        const key = JSON.stringify([credential, table]);
        const count = (rows.get(key)?.count ?? 0) + 1;
        rows.set(key, { credential, place: `${title}: ${count} in the table ${table}`, count });
      }
    }
  } catch (error) {
    fault = messageOf(error);
  }
  return { leaks: [...rows.values()].map(({ count: _count, ...leak }) => leak), bytes, fault };
}
