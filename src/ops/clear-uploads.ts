import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "../store/store.ts";

interface ClearDeps {
  readonly store: Pick<Store, "attachments" | "uploadFolders">;
  /** Holds the folders of all uploads. */
  readonly root: string;
  /** What was sent before this and belongs to no work that is still under way is deleted. */
  readonly before: number;
}

const ROWS = 50;

/**
 * Deletes what people sent too long ago, files before rows; then what lies there as long and no row names, which a crash left
 * between the two. Folders stay: they are as many as people and projects. Gives how many went. Ends early when aborted.
 */
export async function clearUploads({ store, root, before }: ClearDeps, signal: AbortSignal): Promise<number> {
  let count = 0;
  const remove = async (path: string): Promise<void> => {
    await rm(path, { recursive: true, force: true });
    count += 1;
  };

  for (;;) {
    const due = store.attachments.due(before, ROWS);
    for (const { id, folder, name } of due) {
      if (signal.aborted) return count;
      // A work that was run again has rows of its own for the same file.
      const isLast = folder !== null && name !== null && store.attachments.uses(folder, name) === 1;
      if (isLast) await rm(join(root, folder, name), { recursive: true, force: true });
      store.attachments.remove(id);
      count += 1;
    }
    if (due.length === 0) break;
  }

  for (const folder of store.uploadFolders.names()) {
    const path = join(root, folder);
    for (const name of await readdir(path).catch(() => [])) {
      if (signal.aborted) return count;
      const { ctimeMs } = await lstat(join(path, name));
      if (ctimeMs < before && store.attachments.uses(folder, name) === 0) await remove(join(path, name));
    }
  }
  return count;
}
