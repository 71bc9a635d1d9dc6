import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "../domain/errors.ts";

/**
 * True when the CLI has the session on disk (`projects/<folder>/<id>.jsonl` in its config folder): then, and only then,
 * `--resume` finds it and `--session-id` refuses it. It is written with some delay, so a process that was killed early
 * leaves none.
 */
export async function hasTranscript(configDir: string, sessionId: string): Promise<boolean> {
  const projects = join(configDir, "projects");
  const folders = await readdir(projects).catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return []; // nothing was ever written here
    throw error;
  });
  const found = await Promise.all(
    folders.map((folder) => isFile(join(projects, folder, `${sessionId}.jsonl`))),
  );
  return found.includes(true);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR")) return false;
    throw error;
  }
}
