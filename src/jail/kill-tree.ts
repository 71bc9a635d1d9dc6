import { setTimeout as delay } from "node:timers/promises";
import { isErrno } from "../domain/errors.ts";
import type { ListedProcess } from "./list-processes.ts";

const ROUND_MS = 10;
const WITHIN_MS = 5_000;

/** Where no namespace holds a program's descendants together: the program, and how to list processes with its mark. */
export interface Tree {
  readonly root: number;
  readonly list: () => Promise<readonly ListedProcess[]>;
}

/** What an earlier life of the daemon left running. `list` marks what belongs to it. */
export interface Orphans {
  readonly list: Tree["list"];
  readonly withinMs?: number;
}

/**
 * Kills a program with all its descendants, until none is found any more. Found are: children of what was found before,
 * members of the program's process group, and whatever carries the mark. A process that left the group, lost its parent
 * and wiped its environment is not found: only a namespace holds that one.
 * Gives false when something was still alive after 5 s.
 */
export async function endTree({ root, list }: Tree): Promise<boolean> {
  const known = new Set([root]);
  const left = await killAll(WITHIN_MS, async () => {
    const alive = membersOf(await list(), { root, known });
    for (const pid of alive) known.add(pid);
    return alive;
  });
  return left.length === 0;
}

/**
 * Kills all marked processes with their descendants, and tells how many that were and which were still there after
 * `withinMs` (5 s). Every round looks anew at what is marked: no pid is remembered, so none can mean another process (H44).
 */
export async function endOrphans({
  list,
  withinMs = WITHIN_MS,
}: Orphans): Promise<{ readonly found: number; readonly left: readonly number[] }> {
  const found = new Set<number>();
  const left = await killAll(withinMs, async () => {
    const alive = orphansOf(await list(), process.pid);
    for (const pid of alive) found.add(pid);
    return alive;
  });
  return { found: found.size, left };
}

/** Kills what `look` gives, and looks again, until it gives nothing; gives what it still gave after `withinMs`. */
async function killAll(withinMs: number, look: () => Promise<readonly number[]>): Promise<readonly number[]> {
  for (let waitedMs = 0; ; waitedMs += ROUND_MS) {
    const alive = await look();
    if (alive.length === 0 || waitedMs > withinMs) return alive;
    alive.forEach(killQuietly);
    await delay(ROUND_MS);
  }
}

/** The pids that belong to the tree: `root`'s group, marked ones, and descendants of them or of a `known` one. */
export function membersOf(
  rows: readonly ListedProcess[],
  { root, known }: { readonly root: number; readonly known: ReadonlySet<number> },
): readonly number[] {
  const members = new Set(
    rows
      .filter(({ pid, group, isMarked }) => pid === root || group === root || isMarked)
      .map(({ pid }) => pid),
  );
  for (let size = -1; size !== members.size; ) {
    size = members.size;
    for (const { pid, parent } of rows) if (members.has(parent) || known.has(parent)) members.add(pid);
  }
  return [...members].filter((pid) => pid > 1 && pid !== process.pid);
}

/**
 * The pids of marked processes and their descendants. Neither `self` nor what it descends from, in case a daemon was started
 * from inside a jail of the life before, nor what `self` has started.
 */
export function orphansOf(rows: readonly ListedProcess[], self: number): readonly number[] {
  const parents = new Map(rows.map(({ pid, parent }) => [pid, parent]));
  const spared = new Set([1]);
  for (let pid: number | undefined = self; pid !== undefined && !spared.has(pid); pid = parents.get(pid))
    spared.add(pid);
  const orphans = new Set(
    rows.filter(({ pid, isMarked }) => isMarked && !spared.has(pid)).map(({ pid }) => pid),
  );
  for (let size = -1; size !== orphans.size; ) {
    size = orphans.size;
    for (const { pid, parent } of rows) if (orphans.has(parent) && !spared.has(pid)) orphans.add(pid);
  }
  return [...orphans];
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // Gone already, or a set-uid child that another user owns: the next round sees what is left.
    if (!isErrno(error, "ESRCH") && !isErrno(error, "EPERM")) throw error;
  }
}
