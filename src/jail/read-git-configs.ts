import { AppError } from "../domain/errors.ts";
import { type ConfigVariable, type GitConfigPaths, gitConfigPaths } from "./git-config.ts";

/** Runs a command in a sandbox that shows that project read-only, and gives what it printed. */
export type RunReading = (
  project: string,
  argv: readonly string[],
) => Promise<{ readonly code: number | null; readonly stdout: string }>;

/** Gives what a config takes from other places. */
export type ReadGitConfig = (file: string) => Promise<GitConfigPaths>;

/** The environment of that command, beside PATH and HOME: no config but the one that is read. */
export const READING_ENV = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  LC_ALL: "C.UTF-8",
} as const;

const NO_GIT = 9;
/** After the variables of each file: a record that no variable has. What git cannot read, no git obeys: it has none. */
const SCRIPT = `command -v git >/dev/null || exit ${NO_GIT}
for file; do git config --file "$file" --no-includes --null --list 2>/dev/null; printf '\\n\\0'; done`;
/** So many files fit on a command line, whatever their paths. */
const MAX_FILES = 200;

/**
 * A reader of git configs for one look at a project. Configs are what somebody else wrote: they are read by git itself, so that
 * there is one opinion of what they say, and by git in a sandbox, so that nothing of theirs is parsed on the host (H18).
 * `files` are those that will be asked for, as far as they are known; they are read at one go. Rejects with `sandbox_missing`.
 */
export async function createGitConfigReader(
  project: string,
  files: readonly string[],
  run: RunReading,
): Promise<ReadGitConfig> {
  const known = new Map<string, GitConfigPaths>();

  async function read(some: readonly string[]): Promise<void> {
    const { code, stdout } = await run(project, ["/bin/sh", "-c", SCRIPT, "sh", ...some]);
    const told = filesOf(stdout);
    if (code !== 0 || told.length !== some.length) throw new AppError("sandbox_missing", faultText(code));
    for (const [index, file] of some.entries()) known.set(file, gitConfigPaths(told[index] ?? []));
  }

  for (let at = 0; at < files.length; at += MAX_FILES) await read(files.slice(at, at + MAX_FILES));
  return async (file) => {
    if (!known.has(file)) await read([file]);
    return known.get(file) ?? gitConfigPaths([]);
  };
}

/** The variables of each file that was told to its end. */
function filesOf(stdout: string): readonly (readonly ConfigVariable[])[] {
  const files: ConfigVariable[][] = [[]];
  for (const record of stdout.split("\0").slice(0, -1)) {
    const [key = "", ...lines] = record.split("\n");
    if (record === "\n") files.push([]);
    else files.at(-1)?.push({ key, value: lines.join("\n") });
  }
  return files.slice(0, -1);
}

function faultText(code: number | null): string {
  if (code === NO_GIT)
    return "git was not found in the sandbox, which reads a project's git config with it: install git with the system's package manager";
  return `The git config of a project could not be read in the sandbox (exit code ${code}): try again, and see the log`;
}
