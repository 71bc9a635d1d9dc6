import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { isErrno } from "../domain/errors.ts";
import { readProcesses } from "./process-table.ts";
import { runToEnd } from "./spawn.ts";

const ROUND_MS = 10;
const MAX_ROUNDS = 500;

/** A process as far as it matters for ending a tree. `isMarked`: its environment holds the jail's mark. */
export interface TreeRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly isMarked: boolean;
}

/** Where no namespace holds a program's descendants together: the program, and how to list processes with its mark. */
export interface Tree {
  readonly root: number;
  readonly list: () => Promise<readonly TreeRow[]>;
}

/**
 * Kills a program with all its descendants, until none is found any more. Found are: children of what was found before,
 * members of the program's process group, and whatever carries the mark. A process that left the group, lost its parent
 * and wiped its environment is not found: only a namespace holds that one.
 * Gives false when something was still alive after 5 s.
 */
export async function endTree({ root, list }: Tree): Promise<boolean> {
  const known = new Set([root]);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const alive = membersOf(await list(), { root, known });
    if (alive.length === 0) return true;
    for (const pid of alive) {
      known.add(pid);
      killQuietly(pid);
    }
    await delay(ROUND_MS);
  }
  return false;
}

/** The pids that belong to the tree: `root`'s group, marked ones, and descendants of them or of a `known` one. */
export function membersOf(
  rows: readonly TreeRow[],
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

/** Linux: from /proc. Zombies are left out. */
export async function listLinux(mark: string): Promise<readonly TreeRow[]> {
  const rows = (await readProcesses()).filter(({ isZombie }) => !isZombie);
  return Promise.all(rows.map(async (row) => ({ ...row, isMarked: await carries(row.pid, mark) })));
}

async function carries(pid: number, mark: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => ""); // gone, or another user's
  return environment.split("\0").includes(mark);
}

/** macOS: from ps(1). Its environments show for the own user's processes only. */
export async function listDarwin(mark: string): Promise<readonly TreeRow[]> {
  const { stdout } = await runToEnd("/bin/ps", ["-axEww", "-o", "pid=,ppid=,pgid=,state=,command="], {
    timeoutMs: 5_000,
  });
  return parsePs(stdout, mark);
}

/** Reads the lines of `ps -o pid=,ppid=,pgid=,state=,command=`, with the environment after the command. */
export function parsePs(text: string, mark: string): readonly TreeRow[] {
  return text.split("\n").flatMap((line) => {
    const fields = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s*(.*)$/.exec(line);
    if (fields === null || fields[4]?.startsWith("Z")) return [];
    const isMarked = ` ${fields[5] ?? ""} `.includes(` ${mark} `);
    return [{ pid: Number(fields[1]), parent: Number(fields[2]), group: Number(fields[3]), isMarked }];
  });
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // Gone already, or a set-uid child that another user owns: the next round sees what is left.
    if (!isErrno(error, "ESRCH") && !isErrno(error, "EPERM")) throw error;
  }
}
