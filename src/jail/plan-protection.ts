import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError, isErrno } from "../domain/errors.ts";
import { createIsSecret } from "../domain/secret-files.ts";
import { planRepository } from "./git-repository.ts";
import { isWithin } from "./inside-paths.ts";
import { createPlan, isForeign, type PlanBuilder, type ProtectionPlan } from "./protection.ts";

/** Settings that make tools of the owner's run something; protected wherever they exist in the project (H22). */
const SETTINGS = [".mcp.json", ".claude", ".vscode", ".idea", ".husky"];
/** Not looked into: too large, and `.git` has rules of its own. */
const SKIPPED = ["node_modules", ".git"];
const isSecret = createIsSecret();
/** A tree larger than this is refused, since what was not looked at could not be masked. */
const MAX_ENTRIES = 500_000;

/**
 * Looks through a project for what the jail has to protect: repositories, settings that run code, `.env*` files. Links
 * are never followed, but for a `.env` that is one: its target is masked when it lies in the project.
 * Holds for what exists now, not for what is made later.
 * @throws AppError `path_invalid` or `path_outside`, saying what cannot be protected and what to do.
 */
export async function planProtection(project: string, maxEntries = MAX_ENTRIES): Promise<ProtectionPlan> {
  const plan = createPlan(project);
  const folders = [project];
  let seen = 0;
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const entries = await list(folder);
    seen += entries.length;
    if (seen > maxEntries) {
      throw new AppError(
        "path_invalid",
        `${project} has more than ${maxEntries} files outside node_modules, too many to look through for secrets: work in a smaller folder of it`,
      );
    }
    if (entries.some(({ name }) => name === ".git")) await planRepository(folder, plan);
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (SETTINGS.includes(entry.name) && !plan.isReadonly(path)) plan.protect(path);
      if (isSecret(path)) await maskSecret(path, entry, plan);
      if (entry.isDirectory() && !SKIPPED.includes(entry.name)) folders.push(path);
    }
  }
  return plan.build();
}

async function maskSecret(path: string, entry: Dirent, plan: PlanBuilder): Promise<void> {
  if (entry.isDirectory()) return; // a virtual environment called .env: looked into like any folder
  if (!entry.isSymbolicLink()) return plan.mask(path);
  const target = await realpath(path).catch((error: unknown) => {
    if (isErrno(error, "ENOENT") || isErrno(error, "ELOOP") || isErrno(error, "ENOTDIR")) return null;
    throw error;
  });
  // A target outside the project does not exist in the jail.
  if (target === null || !isWithin(target, plan.project) || (await stat(target)).isDirectory()) return;
  plan.mask(target);
}

async function list(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, "ENOENT") && !folder.includes("\uFFFD")) return []; // gone since its parent was listed
    if (isErrno(error, "EACCES") && (await isForeign(folder))) return []; // closed to the jail as well
    throw new AppError(
      "path_invalid",
      `Cannot look for secrets in ${folder}: its name or its permissions are in the way`,
      {
        cause: error,
      },
    );
  }
}
