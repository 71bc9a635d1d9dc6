import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "../store/store.ts";

interface ClearDeps {
  readonly store: Pick<Store, "quarantine">;
  /** Where it lies, a folder each. */
  readonly folder: string;
  /** What was found before this and is neither accepted nor on its way is deleted. */
  readonly before: number;
}

const ROWS = 50;

/** Deletes what lay in the quarantine for too long, files before rows; gives how many. Ends early when aborted. */
export async function clearQuarantine(
  { store, folder, before }: ClearDeps,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  for (;;) {
    const ids = store.quarantine.due(before, ROWS);
    for (const id of ids) {
      if (signal.aborted) return count;
      await rm(join(folder, String(id)), { recursive: true, force: true });
      store.quarantine.remove(id);
      count += 1;
    }
    if (ids.length === 0) return count;
  }
}
