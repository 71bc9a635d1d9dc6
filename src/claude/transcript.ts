import { constants } from "node:fs";
import { open, readdir, realpath, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { AppError, isErrno } from "../domain/errors.ts";

/** What the CLI puts in the place of a model when it speaks itself. */
const SYNTHETIC = "<synthetic>";

/**
 * True when the CLI has the session on disk (`projects/<folder>/<id>.jsonl` in its config folder): then, and only then,
 * `--resume` finds it and `--session-id` refuses it. It is written with some delay, so a process that was killed early
 * leaves none.
 */
export async function hasTranscript(configDir: string, sessionId: string): Promise<boolean> {
  return (await pathsOf(configDir, sessionId)).length > 0;
}

/**
 * Takes out of a session on disk what came after the model's last message: results of tools that it has not seen and shall not
 * see. A session in which it has said nothing is removed. No process may be at work on the session. Refuses a file that is not what the CLI makes, since a jail writes here.
 * @throws AppError `path_outside`.
 */
export async function withholdResults(configDir: string, sessionId: string): Promise<void> {
  for (const path of await pathsOf(configDir, sessionId)) {
    if ((await realpath(path)) !== join(await realpath(configDir), path.slice(configDir.length)))
      refuse(path);
    const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
    try {
      const stats = await file.stat();
      if (!stats.isFile() || stats.nlink !== 1) refuse(path);
      const end = endOfLastAnswer(await file.readFile());
      if (end > 0) await file.truncate(end);
      else await unlink(path); // of which the CLI could make nothing
    } finally {
      await file.close();
    }
  }
}

/** Where the line of the model's last message ends, in bytes; 0 when it has said nothing. */
function endOfLastAnswer(bytes: Buffer): number {
  let end = 0;
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(10, start);
    const next = newline < 0 ? bytes.length : newline + 1;
    if (isAnswer(bytes.toString("utf8", start, next))) end = next;
    start = next;
  }
  return end;
}

const answer = z.looseObject({
  type: z.literal("assistant"),
  isApiErrorMessage: z.boolean().optional(),
  message: z.looseObject({ model: z.string() }),
});

/** True for words of the model's; what the CLI says in its place, when the API refused it, comes after the results. */
function isAnswer(line: string): boolean {
  try {
    const { data } = answer.safeParse(JSON.parse(line));
    return data !== undefined && data.isApiErrorMessage !== true && data.message.model !== SYNTHETIC;
  } catch {
    return false; // cut off in the middle when the CLI was killed
  }
}

function refuse(path: string): never {
  throw new AppError("path_outside", `Expected the CLI's own file at ${path}, found something else there`);
}

/** The session's files; there is one, or none. */
async function pathsOf(configDir: string, sessionId: string): Promise<readonly string[]> {
  const projects = join(configDir, "projects");
  const folders = await readdir(projects).catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return []; // nothing was ever written here
    throw error;
  });
  const paths = folders.map((folder) => join(projects, folder, `${sessionId}.jsonl`));
  const found = await Promise.all(paths.map(isFile));
  return paths.filter((_path, index) => found[index]);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR")) return false;
    throw error;
  }
}
