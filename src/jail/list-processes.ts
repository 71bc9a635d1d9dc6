import { readFile, stat } from "node:fs/promises";
import { readProcesses } from "./process-table.ts";
import { runToEnd } from "./spawn.ts";

/** A process as far as it matters for ending it. Zombies are none. */
export interface ListedProcess {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Its environment holds the mark that was looked for, and it is the user's whose processes count. */
  readonly isMarked: boolean;
}

/** Which processes are marked: by an entry `NAME=value` of their environment and, unless null, only those of that user. */
export interface Wanted {
  readonly isIn: (entry: string) => boolean;
  readonly uid: number | null;
}

/** All processes of the machine; none on a system that is neither Linux nor macOS. */
export async function listProcesses(
  platform: NodeJS.Platform,
  wanted: Wanted,
): Promise<readonly ListedProcess[]> {
  if (platform === "darwin") return listDarwin(wanted);
  return platform === "linux" ? listLinux(wanted) : [];
}

/** From /proc: what the environment was when the program began. */
async function listLinux(wanted: Wanted): Promise<readonly ListedProcess[]> {
  const rows = (await readProcesses()).filter(({ isZombie }) => !isZombie);
  return Promise.all(rows.map(async (row) => ({ ...row, isMarked: await isWanted(row.pid, wanted) })));
}

async function isWanted(pid: number, { isIn, uid }: Wanted): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => ""); // gone, or another user's
  if (!environment.split("\0").some(isIn)) return false;
  if (uid === null) return true;
  const owner = await stat(`/proc/${pid}`).catch(() => null); // gone meanwhile
  return owner?.uid === uid;
}

const FIELDS = "pid=,ppid=,pgid=,uid=,state=,command=";

/** From ps(1), which shows environments for the own user's processes only. */
async function listDarwin(wanted: Wanted): Promise<readonly ListedProcess[]> {
  const plain = await ps("-axww");
  return parsePs({ plain, full: await ps("-axEww") }, wanted);
}

async function ps(options: string): Promise<string> {
  return (await runToEnd("/bin/ps", [options, "-o", FIELDS], { timeoutMs: 5_000 })).stdout;
}

/**
 * Reads two listings of ps: `full` has the environment after the command, `plain` has not, so that what stands in the
 * arguments is not taken for environment. One that began another program between the two counts as not marked.
 */
export function parsePs(
  { plain, full }: { readonly plain: string; readonly full: string },
  { isIn, uid }: Wanted,
): readonly ListedProcess[] {
  const commands = new Map(linesOf(plain).map(({ pid, command }) => [pid, command]));
  return linesOf(full).map(({ pid, parent, group, owner, command }) => {
    const bare = commands.get(pid);
    const environment = bare !== undefined && command.startsWith(bare) ? command.slice(bare.length) : "";
    const isOwners = uid === null || owner === uid;
    return { pid, parent, group, isMarked: isOwners && environment.split(/\s+/).some(isIn) };
  });
}

function linesOf(text: string) {
  return text.split("\n").flatMap((line) => {
    const fields = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s*(.*)$/.exec(line);
    if (fields === null || fields[5]?.startsWith("Z")) return [];
    const [pid = 0, parent = 0, group = 0, owner = 0] = fields.slice(1, 5).map(Number);
    return [{ pid, parent, group, owner, command: (fields[6] ?? "").trimEnd() }];
  });
}
