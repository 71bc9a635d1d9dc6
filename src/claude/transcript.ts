import { constants } from "node:fs";
import { open, readdir, realpath, rm, stat, unlink } from "node:fs/promises";
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
 * Takes out of a session on disk what the model has not seen and shall not see: results of tools since its last message began,
 * and the files in which the CLI keeps long results and those of subagents, all of them. A session in which the model has said
 * nothing is removed. No process may be at work on the session. Refuses a file that is not what the CLI makes, since a jail
 * writes here.
 * @throws AppError `path_outside`.
 */
export async function withholdResults(configDir: string, sessionId: string): Promise<void> {
  for (const folder of await foldersOf(configDir)) {
    await refuseMoved(configDir, folder);
    await rm(join(folder, sessionId), { recursive: true, force: true });
  }
  for (const path of await pathsOf(configDir, sessionId)) {
    await refuseMoved(configDir, path);
    const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
    try {
      const stats = await file.stat();
      if (!stats.isFile() || stats.nlink !== 1) refuse(path);
      const end = endOfSeen(await file.readFile());
      if (end > 0) await file.truncate(end);
      else await unlink(path); // of which the CLI could make nothing
    } finally {
      await file.close();
    }
  }
}

/**
 * Where what the model has seen or said ends, in bytes; 0 when it has said nothing. The CLI writes a line for each block of
 * a message, and runs tools before the last has come: a result between the blocks of the last message was not seen, so
 * that message is kept up to its first line of another kind.
 */
function endOfSeen(bytes: Buffer): number {
  let end = 0;
  let last: string | null = null;
  let isWhole = true;
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(10, start);
    const next = newline < 0 ? bytes.length : newline + 1;
    const id = messageOf(bytes.toString("utf8", start, next));
    if (id !== null && id !== last) [last, isWhole] = [id, true];
    if (id === null) isWhole = false;
    if (isWhole) end = next;
    start = next;
  }
  return end;
}

const answer = z.looseObject({
  type: z.literal("assistant"),
  isApiErrorMessage: z.boolean().optional(),
  isSidechain: z.boolean().optional(),
  message: z.looseObject({ id: z.string(), model: z.string() }),
});

/**
 * The id of the model's message that a line is a block of; null for any other. What the CLI says in the model's place, when
 * the API refused it, comes after results, and what a subagent's model has seen the session's has not.
 */
function messageOf(line: string): string | null {
  try {
    const { data } = answer.safeParse(JSON.parse(line));
    if (data === undefined || data.isApiErrorMessage === true || data.isSidechain === true) return null;
    return data.message.model === SYNTHETIC ? null : data.message.id;
  } catch {
    return null; // cut off in the middle when the CLI was killed
  }
}

function refuse(path: string): never {
  throw new AppError("path_outside", `Expected the CLI's own file at ${path}, found something else there`);
}

/** The session's files; there is one, or none. */
/** Through no link. */
async function refuseMoved(configDir: string, path: string): Promise<void> {
  if ((await realpath(path)) !== join(await realpath(configDir), path.slice(configDir.length))) refuse(path);
}

async function foldersOf(configDir: string): Promise<readonly string[]> {
  const projects = join(configDir, "projects");
  const folders = await readdir(projects).catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return []; // nothing was ever written here
    throw error;
  });
  return folders.map((folder) => join(projects, folder));
}

async function pathsOf(configDir: string, sessionId: string): Promise<readonly string[]> {
  const paths = (await foldersOf(configDir)).map((folder) => join(folder, `${sessionId}.jsonl`));
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
