import { readFile, readlink } from "node:fs/promises";
import { AppError, messageOf } from "../domain/errors.ts";
import { bwrapOptions } from "./bwrap-options.ts";
import { startBwrap } from "./bwrap-process.ts";
import { INSIDE } from "./inside-paths.ts";
import type { Mark } from "./mark.ts";
import type { Tenant } from "./tenants.ts";

/** Of the kernel's names in /proc/<pid>/ns; a jail whose program becomes another user has no user namespace. */
const NAMESPACES = ["pid", "mnt", "net", "ipc"];

/** linux/capability.h */
const CAP_SETFCAP = 31n;

/** What the trial needs. */
export interface TrialDeps {
  readonly bwrap: string;
  readonly scratchDir: string;
  readonly mark: Mark;
  readonly tenant: Tenant;
}

/**
 * Makes one empty jail and runs nothing in it, so that a system that cannot make jails is known at the start.
 * @throws AppError `sandbox_missing` with the cause and the mend in one line; for a tenant of his own, with the cause alone.
 */
export async function tryBwrap({ bwrap, scratchDir, mark, tenant }: TrialDeps): Promise<void> {
  const { identity, system, become } = tenant;
  const kinds = identity === null ? ["user", ...NAMESPACES] : NAMESPACES;
  try {
    const options = bwrapOptions({
      system,
      identity,
      binds: [],
      protectedPaths: [],
      env: { PATH: INSIDE.path },
      cwd: "/",
    });
    const trial = await startBwrap({
      bwrap,
      scratchDir,
      mark,
      options,
      become,
      argv: ["/bin/sh", "-c", ":"],
      check: async (pid) => {
        await checkNamespaces(pid, kinds);
        await tenant.moveIn(pid);
      },
    });
    const { code } = await trial.exited;
    if (code !== 0) throw new Error(`its program ended with ${code}`);
  } catch (error) {
    if (identity !== null) throw error; // what is wrong there is not what the mends are about
    const found = await restrictions();
    throw new AppError("sandbox_missing", mendFor(messageOf(error), found), { cause: error });
  }
}

/** A wrapper called bwrap that only runs its command would let everything through. */
async function checkNamespaces(pid: number, kinds: readonly string[]): Promise<void> {
  for (const name of kinds) {
    if ((await readlink(`/proc/${pid}/ns/${name}`)) !== (await readlink(`/proc/self/ns/${name}`))) continue;
    throw new Error(`bwrap made no ${name} namespace of its own`);
  }
}

/**
 * What forbids a process namespaces of its own: kernel switches that are set so, and a root without the capability that the
 * kernel asks of it to write the map of its users (CAP_SETFCAP, since Linux 5.12).
 */
export type Restriction = "setfcap" | "apparmor" | "clone" | "max";

/** One line for the owner: what is wrong with the sandbox and what to do. */
export function mendFor(words: string, restricted: readonly Restriction[]): string {
  if (/unknown option/i.test(words)) {
    return `The sandbox needs bubblewrap 0.8.0 or newer, and this one is older (${words}). Upgrade the bubblewrap package`;
  }
  const [first] = restricted;
  if (first !== undefined) {
    return `The sandbox cannot be made, because this system restricts unprivileged user namespaces (${words}). Allow them: ${MENDS[first]}`;
  }
  if (/namespace|uid map|not permitted|permission denied/i.test(words)) {
    return `The sandbox cannot be made, because this system restricts unprivileged user namespaces (${words}). Inside a container, start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined; else ask its administrator to allow them`;
  }
  return `The sandbox does not work here: ${words}`;
}

const MENDS: Readonly<Record<Restriction, string>> = {
  setfcap:
    "this root lacks the capability CAP_SETFCAP. Run the daemon as an ordinary user, or start its container with --cap-add SETFCAP",
  apparmor:
    "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (or an AppArmor profile for bwrap with `userns,`)",
  clone: "sudo sysctl -w kernel.unprivileged_userns_clone=1",
  max: "sudo sysctl -w user.max_user_namespaces=15000",
};

const SWITCHES: readonly {
  readonly file: string;
  readonly bad: string;
  readonly restriction: Restriction;
}[] = [
  { file: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", bad: "1", restriction: "apparmor" },
  { file: "/proc/sys/kernel/unprivileged_userns_clone", bad: "0", restriction: "clone" },
  { file: "/proc/sys/user/max_user_namespaces", bad: "0", restriction: "max" },
];

async function restrictions(): Promise<readonly Restriction[]> {
  const values = await Promise.all(
    SWITCHES.map(({ file }) => readFile(file, "utf8").catch(() => "")), // not every kernel has every switch
  );
  const switched = SWITCHES.filter(({ bad }, index) => values[index]?.trim() === bad).map(
    ({ restriction }) => restriction,
  );
  const status = await readFile("/proc/self/status", "utf8");
  return [...(lacksSetfcap(status) ? ["setfcap" as const] : []), ...switched];
}

/** True for a root without CAP_SETFCAP, by its /proc/self/status (proc(5)). */
export function lacksSetfcap(status: string): boolean {
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1];
  const effective = /^CapEff:\s+([0-9a-f]+)/m.exec(status)?.[1] ?? "0";
  return uid === "0" && ((BigInt(`0x${effective}`) >> CAP_SETFCAP) & 1n) === 0n;
}
