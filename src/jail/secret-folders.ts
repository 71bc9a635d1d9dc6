import { existsSync } from "node:fs";
import { textOfPath } from "../domain/finding.ts";
import type { IsSecret } from "../domain/secret-files.ts";
import { bytesOf } from "./byte-paths.ts";
import type { SeenFolder } from "./walk.ts";

/** A virtual environment of Python's may be called `.env`: it is a folder of packages. */
const ENVIRONMENT = "pyvenv.cfg";

/**
 * Tells of each folder of a walk, parents before children, whether all that lies in it is secret: its own name, or that of a
 * folder above it, is on the list, such as `.envs/.production`.
 */
export function createSecretFolders(
  isSecret: IsSecret,
): (folder: Pick<SeenFolder, "path" | "entries">) => boolean {
  const known = new Set<string>();
  return ({ path, entries }) => {
    const isNamed =
      path !== "" && isSecret(textOfPath(path)) && !entries.some(({ name }) => name === ENVIRONMENT);
    const isOne = isNamed || known.has(path.slice(0, Math.max(path.lastIndexOf("/"), 0)));
    if (isOne) known.add(path);
    return isOne;
  };
}

/** The same of one path, a byte string below a project that is there, by looking at each folder above it. */
export function isInSecretFolder(project: string, path: string, isSecret: IsSecret): boolean {
  for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
    const folder = path.slice(0, end);
    if (isSecret(textOfPath(folder)) && !existsSync(bytesOf(`${project}/${folder}/${ENVIRONMENT}`)))
      return true;
  }
  return false;
}
