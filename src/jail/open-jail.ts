import { access, chmod, constants, mkdir, readdir, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../domain/errors.ts";
import { createBwrapJail } from "./bwrap-jail.ts";
import { tryBwrap } from "./bwrap-trial.ts";
import { createHostJail } from "./host-process.ts";
import type { Jail, JailLog } from "./jail.ts";
import { listProcesses } from "./list-processes.ts";
import { createMarks, type Marks } from "./mark.ts";
import { openDrop } from "./open-drop.ts";
import { reap } from "./reap.ts";
import { createSeatbeltJail, loadWrap, trySeatbelt } from "./seatbelt-jail.ts";
import { createSecretWatcher } from "./secret-watch.ts";
import { systemBinds } from "./system-binds.ts";
import { createTenants, type Tenant } from "./tenants.ts";

/** Only the system's own folders: a PATH may hold folders that others write to. */
const BWRAP_FOLDERS = ["/usr/bin", "/usr/local/bin", "/bin", "/run/current-system/sw/bin"];

const LEFTOVER = /^(options-[0-9a-f-]{36}|jail-[0-9a-f]{8})$/;

/** What a jail is opened with. */
export interface OpenJailDeps {
  readonly sandbox: "require" | "off";
  readonly platform: NodeJS.Platform;
  /**
   * The daemon's own folder for its jails; made if missing, closed to others. One jail at a time: what bears the mark of
   * this folder when it is opened is what an earlier life left running, and is ended.
   */
  readonly scratchDir: string;
  readonly log: JailLog;
  /** The owner's additions to the list of secrets. */
  readonly secretFiles?: readonly string[];
  /** The absolute path of a system program, or null. */
  readonly findOnPath?: (name: string) => Promise<string | null>;
}

/**
 * Opens the jail of this system, after a trial run of its sandbox: bubblewrap on Linux, Seatbelt on macOS. `off` gives
 * a jail of kind `none`, which keeps the environment and the processes apart and nothing else.
 * @throws AppError `sandbox_missing` with the line to mend it; `orphans_left` when processes of an earlier life do not end.
 */
export async function openJail(deps: OpenJailDeps): Promise<Jail> {
  const { sandbox, platform, log } = deps;
  await mkdir(deps.scratchDir, { recursive: true, mode: 0o700 });
  await chmod(deps.scratchDir, 0o700);
  const scratchDir = await realpath(deps.scratchDir);
  const marks = createMarks(scratchDir);
  const wanted = { isIn: marks.isIn, uid: process.getuid?.() ?? null };
  await reap({ list: () => listProcesses(platform, wanted), log });
  await sweep(scratchDir);
  if (sandbox === "off") {
    log.warn({ event: "jail.off" }, "SANDBOX=off: programs run with all the rights of this user");
    const command = async ({ argv }: { readonly argv: readonly string[] }) => ({
      file: argv[0] ?? "",
      argv: argv.slice(1),
    });
    return createHostJail({
      kind: "none",
      scratchDir,
      marks,
      platform,
      log,
      command,
      siftCommand: command,
    });
  }
  if (platform === "linux") return openBwrap({ scratchDir, marks }, deps);
  if (platform === "darwin") {
    await trySeatbelt();
    const emptyDir = join(scratchDir, "nothing");
    await mkdir(emptyDir, { recursive: true, mode: 0o500 });
    return createSeatbeltJail({
      scratchDir,
      marks,
      log,
      platform,
      wrap: await loadWrap(emptyDir),
      ...(deps.secretFiles === undefined ? {} : { secretFiles: deps.secretFiles }),
    });
  }
  throw new AppError(
    "sandbox_missing",
    `There is a sandbox for Linux and macOS only, and this is ${platform}`,
  );
}

async function openBwrap(
  { scratchDir, marks }: { readonly scratchDir: string; readonly marks: Marks },
  { log, secretFiles = [], findOnPath = findSystemProgram }: OpenJailDeps,
): Promise<Jail> {
  const bwrap = await findOnPath("bwrap");
  if (bwrap === null) {
    throw new AppError(
      "sandbox_missing",
      "The sandbox needs bubblewrap. Install it: sudo apt-get install -y bubblewrap",
    );
  }
  const system = await systemBinds(scratchDir);
  const own: Tenant = { identity: null, system, become: [], moveIn: async () => undefined };
  await tryBwrap({ bwrap, scratchDir, mark: marks.next(), tenant: own });
  const tools = await openDrop({ bwrap, scratchDir, marks, log, findOnPath });
  const socat = await findOnPath("socat");
  if (socat === null)
    log.warn(
      { event: "jail.no_network" },
      "no socat, so programs in the jail have no network. Install it: sudo apt-get install -y socat",
    );
  log.info({ event: "jail.open", kind: "bwrap", bwrap, socat }, "sandbox works");
  const secrets = createSecretWatcher(scratchDir, secretFiles);
  const tenants = createTenants({ own, scratchDir, tools, log });
  const jail = createBwrapJail({ bwrap, scratchDir, marks, tenants, socat, secrets, secretFiles, log });
  return { ...jail, dropsRoot: tools !== null };
}

/** Removes what a killed daemon left: private folders of its programs, a jail's options. */
async function sweep(scratchDir: string): Promise<void> {
  for (const name of await readdir(scratchDir)) {
    if (LEFTOVER.test(name)) await rm(join(scratchDir, name), { recursive: true, force: true });
  }
}

/** A program in the system's own folders, whatever PATH says; null when it is in none. */
export async function findSystemProgram(name: string): Promise<string | null> {
  for (const folder of BWRAP_FOLDERS) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false, // the answer asked for
    );
    if (isThere) return path;
  }
  return null;
}
