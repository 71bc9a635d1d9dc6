import { readdir, readFile, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { AppError, isErrno } from "../domain/errors.ts";
import { wordsOf } from "./git-config.ts";
import { isWithin } from "./inside-paths.ts";
import { lstatOrNull, type PlanBuilder } from "./protection.ts";
import type { ReadGitConfig } from "./read-git-configs.ts";

/** As git itself. */
const MAX_INCLUDE_DEPTH = 10;
const MAX_FILE_BYTES = 1_000_000n;

/** A plan that is being made, and what reads the configs that it depends on. */
export interface GitSurvey {
  readonly plan: PlanBuilder;
  readonly readConfig: ReadGitConfig;
}

/**
 * Plans the protection of the repository whose work tree is `root`: what its git would obey on the host - config, hooks,
 * and where it looks for them - cannot be changed, replaced or made anew from inside (H31, H22; mechanisms of git:
 * gitrepository-layout(5)). Objects, refs, index and logs stay writable, so that committing works.
 * @throws AppError `path_outside` when the project's own repository lies elsewhere, `path_invalid` for one that points
 * to something missing.
 */
export async function planRepository(root: string, survey: GitSurvey): Promise<void> {
  const { plan } = survey;
  const dotGit = join(root, ".git");
  const stats = await lstatOrNull(dotGit);
  if (stats === null || plan.isReadonly(dotGit)) return;
  if (stats.isDirectory()) return planGitDir(dotGit, root, survey);
  plan.protect(dotGit); // a rewritten link would lead the host's git to a config of the model's
  if (!stats.isFile()) return;
  const target = /^gitdir: (.*?)\r?\n?$/s.exec((await readIfFile(dotGit)) ?? "")?.[1];
  if (target === undefined) return; // no repository to git either
  const gitDir = await follow(dotGit, resolve(root, target), plan);
  if (gitDir !== null) return planGitDir(gitDir, root, survey);
  if (root === plan.project) {
    throw new AppError(
      "path_outside",
      `${root} is a git worktree or submodule whose repository lies outside, at ${resolve(root, target)}: work in the folder that holds both`,
    );
  }
}

/** The same for a folder that is a repository itself, with no work tree round it: git obeys it from inside. */
export async function planBareRepository(folder: string, survey: GitSurvey): Promise<void> {
  if (!survey.plan.isReadonly(folder)) await planGitDir(folder, folder, survey);
}

async function planGitDir(gitDir: string, root: string, survey: GitSurvey): Promise<void> {
  const { plan } = survey;
  const ownConfig = join(gitDir, "config.worktree");
  if (plan.isReadonly(ownConfig)) return; // planned before, or a submodule's below .git/modules
  plan.pin(gitDir);
  plan.guard({ path: ownConfig, content: "" });
  const commonLink = join(gitDir, "commondir");
  const common = (await readIfFile(commonLink))?.trim() ?? ".";
  if (common !== ".") {
    plan.protect(commonLink);
    plan.protect(join(gitDir, "gitdir"));
    const commonDir = await follow(commonLink, resolve(gitDir, common), plan);
    if (commonDir !== null) return planGitDir(commonDir, root, survey);
    throw new AppError(
      "path_outside",
      `The repository of ${root} shares one that lies outside the project, at ${resolve(gitDir, common)}: work in the folder that holds both`,
    );
  }
  plan.guard({ path: commonLink, content: ".\n" });
  plan.guard({ path: join(gitDir, "config"), content: "" });
  plan.guard({ path: join(gitDir, "hooks"), content: null });
  if ((await lstatOrNull(join(gitDir, "modules"))) !== null) plan.protect(join(gitDir, "modules"));
  await planLinkedWorktrees(join(gitDir, "worktrees"), plan);
  for (const config of [join(gitDir, "config"), ownConfig])
    await planConfig({ config, root, survey, depth: 0 });
}

/** The entries of the repository's other work trees: each holds a link that its git obeys. */
async function planLinkedWorktrees(folder: string, plan: PlanBuilder): Promise<void> {
  const stats = await lstatOrNull(folder);
  if (stats === null) return;
  if (!stats.isDirectory()) return plan.protect(folder);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const worktree = join(folder, entry.name);
    if (!entry.isDirectory()) continue;
    plan.pin(worktree);
    plan.protect(join(worktree, "commondir"));
    plan.protect(join(worktree, "gitdir"));
    plan.guard({ path: join(worktree, "config.worktree"), content: "" });
  }
}

interface ConfigStep {
  readonly config: string;
  readonly root: string;
  readonly survey: GitSurvey;
  readonly depth: number;
}

/** Protects what the owner's config takes from the work tree: a hooks folder, programs that git runs, included configs. */
async function planConfig({ config, root, survey, depth }: ConfigStep): Promise<void> {
  if (depth > MAX_INCLUDE_DEPTH || !(await isReadable(config))) return;
  const { plan } = survey;
  const { hooksPaths, includes, commands } = await survey.readConfig(config);
  for (const path of hooksPaths) await protectNamed(config, fromHome(path, root), plan);
  for (const command of commands) await protectProgram(config, { command, root }, plan);
  for (const path of includes) {
    const included = fromHome(path, resolve(config, ".."));
    await protectNamed(config, included, plan);
    if (isWithin(included, plan.project))
      await planConfig({ config: included, root, survey, depth: depth + 1 });
  }
}

interface NamedCommand {
  readonly command: string;
  readonly root: string;
}

/** The files of the work tree that a command of the config names; git runs it at the top of the work tree. */
async function protectProgram(
  config: string,
  { command, root }: NamedCommand,
  plan: PlanBuilder,
): Promise<void> {
  const [program = "", ...others] = wordsOf(command);
  if (program.includes("/")) await protectNamed(config, fromHome(program, root), plan);
  for (const word of [program, ...others]) {
    const path = fromHome(word, root);
    const isOurs = isWithin(path, plan.project) && !plan.isReadonly(path);
    if (isOurs && (await lstatOrNull(path))?.isFile()) plan.protect(path);
  }
}

async function protectNamed(config: string, path: string, plan: PlanBuilder): Promise<void> {
  if (!isWithin(path, plan.project) || plan.isReadonly(path)) return;
  if (path === plan.project || (await lstatOrNull(path)) === null) {
    throw new AppError(
      "path_invalid",
      `${config} names ${path}, which is not there to be protected: create that file or folder, or take the line out`,
    );
  }
  plan.protect(path);
}

/** The real path that a link file leads to, or null when it is outside the project. */
async function follow(link: string, target: string, plan: PlanBuilder): Promise<string | null> {
  const real = await realpath(target).catch((error: unknown) => {
    if (isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR") || isErrno(error, "EACCES")) return null;
    throw error;
  });
  if (real !== null) return isWithin(real, plan.project) && real !== plan.project ? real : null;
  if (!isWithin(target, plan.project)) return null;
  throw new AppError(
    "path_invalid",
    `${link} leads to ${target}, which does not exist: mend the repository or remove it`,
  );
}

function fromHome(path: string, base: string): string {
  if (path.startsWith("~/")) return join(homedir(), path.slice(2));
  return isAbsolute(path) ? path : resolve(base, path);
}

/** The text of a link of git's: `.git`, `commondir`. */
async function readIfFile(path: string): Promise<string | null> {
  return (await isReadable(path)) ? readFile(path, "utf8") : null;
}

/** True for a file of a size that git's own have. */
async function isReadable(path: string): Promise<boolean> {
  const stats = await lstatOrNull(path);
  if (!stats?.isFile()) return false;
  if (stats.size <= MAX_FILE_BYTES) return true;
  throw new AppError(
    "path_invalid",
    `${path} is ${stats.size} bytes long, which no file of git's is: look at it`,
  );
}
