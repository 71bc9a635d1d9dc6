import type { Dirent } from "node:fs";
import { join } from "node:path";
import { AppError } from "../domain/errors.ts";
import { type ProjectEntry, textOfPath } from "../domain/finding.ts";
import { createIsSecret } from "../domain/secret-files.ts";
import { byteString } from "./byte-paths.ts";
import { planBareRepository, planRepository } from "./git-repository.ts";
import { MAX_ENTRIES, refuseShut } from "./look-through.ts";
import { isInPackages } from "./package-folders.ts";
import { createEntryFinder } from "./project-entries.ts";
import { createPlan, lstatOrNull, type PlanBuilder, type ProtectionPlan } from "./protection.ts";
import { createGitConfigReader, type RunReading } from "./read-git-configs.ts";
import { createSecretFolders } from "./secret-folders.ts";
import { createSecretLinks, type SecretLinks } from "./secret-links.ts";
import { walk } from "./walk.ts";

/** A plan, with what was there of the kind that is told when a turn makes it. */
export interface SurveyedPlan extends ProtectionPlan {
  readonly entries: readonly ProjectEntry[];
}

interface PlanOptions {
  /** Runs git for what is to be read of configs. */
  readonly run: RunReading;
  /** The owner's additions to the list of secrets. */
  readonly additions?: readonly string[];
  /** Secrets that are shown all the same. */
  readonly exposed?: readonly string[];
  readonly maxEntries?: number;
}

/**
 * Looks through a project for what the jail has to protect: repositories, settings that run code, `.env*` files. Links
 * are never followed, but for one that gives files of the project the names of secrets (`.env`, `.ssh`): they are masked.
 * Holds for what exists now, not for what is made later.
 * @throws AppError `path_invalid` or `path_outside`, saying what cannot be protected and what to do.
 */
export async function planProtection(
  project: string,
  { run, additions = [], exposed = [], maxEntries = MAX_ENTRIES }: PlanOptions,
): Promise<SurveyedPlan> {
  const isSecret = createIsSecret(additions);
  const links = createSecretLinks(byteString(project), additions);
  const find = createEntryFinder();
  const entries: ProjectEntry[] = [];
  const secrets: { readonly path: string; readonly entry: Dirent }[] = [];
  const isInSecret = createSecretFolders(isSecret);
  await walk({
    project,
    maxEntries,
    look: async (folder) => {
      const found = await find(folder);
      entries.push(...found.entries);
      for (const name of found.folders) readable(project, below(folder.path, name));
      if (isInPackages(folder.path) || isInGit(folder.path)) return found.folders;
      const isAllSecret = isInSecret(folder);
      for (const entry of folder.entries) {
        const path = below(folder.path, entry.name);
        const at = textOfPath(path);
        const isOne = entry.isSymbolicLink()
          ? links.isOne(`${byteString(project)}/${path}`)
          : isAllSecret || isSecret(at);
        if (isOne && !exposed.includes(join(project, at))) secrets.push({ path, entry });
      }
      return found.folders;
    },
    onShut: (path, cause) => refuseShut(project, path, cause),
  });
  const plan = createPlan(project);
  await planEntries(entries, plan, run);
  for (const { path, entry } of secrets) {
    if (entry.isDirectory()) continue; // what lies in it is looked at file by file
    const files = entry.isSymbolicLink() ? filesBehind(project, path, links) : [path];
    for (const file of files) {
      const at = readable(project, file);
      if (!exposed.includes(at)) plan.mask(at);
    }
  }
  return { ...plan.build(), entries };
}

/** Repositories with a work tree before bare ones: such a folder may be the repository of a work tree elsewhere. */
async function planEntries(
  entries: readonly ProjectEntry[],
  plan: PlanBuilder,
  run: RunReading,
): Promise<void> {
  const paths = entries.map((entry) => ({ ...entry, at: readable(plan.project, entry.path) }));
  paths.sort((a, b) => (a.at < b.at ? -1 : 1));
  const named = paths.flatMap(({ at }) => configOf(at) ?? []);
  const isThere = await Promise.all(named.map(async (file) => (await lstatOrNull(file))?.isFile() === true));
  const configs = named.filter((_, index) => isThere[index]);
  const survey = { plan, readConfig: await createGitConfigReader(plan.project, configs, run) };
  for (const { at, kind } of paths) {
    if (at.endsWith("/.git")) await planRepository(join(at, ".."), survey);
    const isSetting = kind === "settings" && !at.endsWith("/.gitmodules");
    if (isSetting && !plan.isReadonly(at)) plan.protect(at);
  }
  for (const { at } of paths) if (at.endsWith("/HEAD")) await planBareRepository(join(at, ".."), survey);
}

/** Where the config of a repository lies that is known by this entry, unless a link leads elsewhere. */
function configOf(at: string): string | null {
  if (at.endsWith("/.git")) return join(at, "config");
  return at.endsWith("/HEAD") ? join(at, "../config") : null;
}

/** The files of the project that a link gives the names of secrets, below the project. */
function filesBehind(project: string, path: string, links: SecretLinks): readonly string[] {
  const root = byteString(project);
  try {
    return links.filesBehind(`${root}/${path}`).map((file) => file.slice(root.length + 1));
  } catch (error) {
    throw new AppError(
      "path_invalid",
      `Cannot look through where the link ${join(project, textOfPath(path))} leads: put the real folder there, or remove it`,
      { cause: error },
    );
  }
}

/** The path on the host of something in the project; no mount can be put over a name that is no UTF-8. */
function readable(project: string, path: string): string {
  const text = textOfPath(path);
  if (byteString(text) === path) return join(project, text);
  throw new AppError(
    "path_invalid",
    `${join(project, text)} cannot be protected: its name is no UTF-8. Rename it, or remove it`,
  );
}

function below(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

function isInGit(path: string): boolean {
  return path.split("/").includes(".git");
}
