import { constants, type Dirent } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { AppError } from "../domain/errors.ts";
import { bytesOf, isGone, placeOf } from "./byte-paths.ts";

/** A folder of a project and what is in it. Names and paths are byte strings: one character for each byte. */
export interface SeenFolder {
  /** Below the project; empty for the project itself. */
  readonly path: string;
  /** A path of the host that means this very folder for as long as it is being looked at. */
  readonly at: string;
  readonly entries: readonly Dirent[];
}

interface WalkOptions {
  /** Absolute and real. */
  readonly project: string;
  /** Called for each folder; gives the names of those in it to be looked into. */
  readonly look: (folder: SeenFolder) => readonly string[] | Promise<readonly string[]>;
  readonly maxEntries: number;
  /** Called for a folder that cannot be opened: throws, or lets it be left out. */
  readonly onShut: (path: string, cause: unknown) => Promise<void>;
  /** Told of a folder that could not be looked at, which is left out; without it, such a folder ends the walk. */
  readonly onFault?: (error: unknown) => void;
}

interface Held {
  readonly handle: FileHandle;
  readonly path: string;
  readonly depth: number;
  waiting: number;
}

interface Task {
  readonly parent: Held | null;
  readonly name: string;
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Folders looked at side by side: while one waits for the disk, another is read. */
const HANDS = 8;
/** Nothing deeper is looked into: each level keeps a file open. */
const MAX_DEPTH = 100;

/**
 * Looks through a project, folder by folder, in no order. Each is opened from its parent, which is held open: whatever
 * is renamed or exchanged meanwhile, no link is followed and nothing outside is seen. The event loop turns between folders.
 * @throws AppError `path_invalid` for more than `maxEntries` or folders too deep, and what `onShut` throws.
 */
export async function walk({ project, look, maxEntries, onShut, onFault }: WalkOptions): Promise<void> {
  const tasks: Task[] = [{ parent: null, name: "" }];
  const over = Promise.withResolvers<void>();
  const faults: unknown[] = [];
  let [seen, running] = [0, 0];

  async function visit(parent: Held | null, name: string): Promise<void> {
    const path = parent === null || parent.path === "" ? name : `${parent.path}/${name}`;
    const from = parent === null ? project : `${placeOf(parent.handle, project, parent.path)}/${name}`;
    const handle = await open(parent === null ? from : bytesOf(from), FOLDER).catch(
      async (error: unknown) => {
        if (!isGone(error)) await onShut(path, error); // else it went, or became a link, since it was listed
        return null;
      },
    );
    if (handle === null) return;
    const held: Held = { handle, path, depth: (parent?.depth ?? 0) + 1, waiting: 0 };
    try {
      const at = placeOf(handle, project, path);
      const entries = await readdir(bytesOf(at), { withFileTypes: true, encoding: "latin1" });
      seen += entries.length;
      const isTooMuch = seen > maxEntries || held.depth > MAX_DEPTH;
      if (isTooMuch) throw new AppError("path_invalid", tooMuchText(project, maxEntries));
      const names = await look({ path, at, entries });
      held.waiting = names.length;
      for (const child of names) tasks.push({ parent: held, name: child });
    } finally {
      if (held.waiting === 0) await handle.close();
    }
  }

  async function take({ parent, name }: Task): Promise<void> {
    try {
      await visit(parent, name);
      await release(parent);
    } catch (error) {
      if (onFault !== undefined && seen <= maxEntries) onFault(error);
      else faults.push(error); // what is open is closed below
      await release(parent).catch(() => undefined); // the fault that was first is told
    }
    running -= 1;
    next();
  }

  function next(): void {
    while (running < HANDS && faults.length === 0) {
      const task = tasks.pop(); // the last one first, so that few folders are open at a time
      if (task === undefined) break;
      running += 1;
      void take(task);
    }
    if (running === 0) over.resolve();
  }

  next();
  await over.promise;
  for (const { parent } of tasks) await release(parent);
  if (faults.length > 0) throw faults[0];
}

async function release(held: Held | null): Promise<void> {
  if (held === null) return;
  held.waiting -= 1;
  if (held.waiting === 0) await held.handle.close();
}

function tooMuchText(project: string, maxEntries: number): string {
  return `${project} has more than ${maxEntries} files, or folders more than ${MAX_DEPTH} deep, too many to look through: work in a smaller folder of it`;
}
