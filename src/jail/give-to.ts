import { chmod, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../domain/errors.ts";
import type { Identity } from "./identity.ts";
import type { Program } from "./program.ts";
import { runToEnd } from "./spawn.ts";

const CHOWN_TIMEOUT_MS = 60_000;

/**
 * Makes a folder of the daemon's, with all that is in it, that user's; does nothing when the folder is his. By chown(1), which
 * opens each folder from the one above and follows no link: what a jail left in there cannot lead it elsewhere. It takes the folder
 * itself last, so that what was cut off is done again.
 * @throws AppError `sandbox_missing` when it cannot be done.
 */
export async function giveTo(folder: string, { uid, gid }: Identity, chown: string): Promise<void> {
  const found = await stat(folder);
  if (found.uid === uid && found.gid === gid) return;
  const { code, stderr } = await runToEnd(chown, ["-hR", `${uid}:${gid}`, "--", folder], {
    timeoutMs: CHOWN_TIMEOUT_MS,
  });
  if (code === 0) return;
  throw new AppError(
    "sandbox_missing",
    `Could not make ${folder} the user ${uid}'s: ${stderr || "chown took too long"}`,
  );
}

/**
 * Lets every user connect to a socket of the daemon's; its folder keeps those out who are in no jail.
 * @throws AppError `path_invalid` when the folder is open to others.
 */
export async function letIn(socket: string): Promise<void> {
  const { mode } = await stat(socket);
  if ((mode & 0o006) === 0o006) return;
  const folder = dirname(socket);
  if (((await stat(folder)).mode & 0o077) !== 0) {
    throw new AppError(
      "path_invalid",
      `Only its owner may enter ${folder}, which holds a socket: chmod 700 it`,
    );
  }
  await chmod(socket, 0o666);
}

/**
 * Says in words what would else be an exit code inside.
 * @throws AppError `claude_missing` when that user may not run the program.
 */
export async function assertRuns(program: Program, { uid }: Identity): Promise<void> {
  const files =
    program.kind === "binary"
      ? ([[program.file, 5]] as const)
      : ([
          [program.node, 5],
          [program.file, 4],
        ] as const);
  for (const [file, needed] of files) {
    const { mode, uid: owner } = await stat(file);
    const rights = owner === uid ? mode >> 6 : mode;
    if ((rights & needed) === needed) continue;
    throw new AppError(
      "claude_missing",
      `The user ${uid}, whose the project is, may not run ${file}: chmod a+rx it`,
    );
  }
}
