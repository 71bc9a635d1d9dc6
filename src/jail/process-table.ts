import { readdir, readFile } from "node:fs/promises";

/** A process of the host, as /proc/<pid>/stat tells (proc(5)). `startedAt` (clock ticks since boot) tells a reused pid. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly isZombie: boolean;
  readonly startedAt: string;
}

/** The row of one process, or null when it is gone. Linux only. */
export async function readProcess(pid: number): Promise<ProcessRow | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null); // gone, or going while it is read
  return text === null ? null : parseStat(text);
}

/** All processes of the host. Linux only. */
export async function readProcesses(): Promise<readonly ProcessRow[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const rows = await Promise.all(pids.map(readProcess));
  return rows.filter((row) => row !== null);
}

/** Reads one /proc/<pid>/stat. The name in the second field may hold anything, parentheses and blanks too. */
export function parseStat(text: string): ProcessRow | null {
  const end = text.lastIndexOf(")");
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(end + 2).split(" ");
  const [state, parent, group, session] = fields;
  const startedAt = fields[19];
  if (end < 0 || Number.isNaN(pid) || startedAt === undefined) return null;
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    isZombie: state === "Z" || state === "X",
    startedAt,
  };
}
