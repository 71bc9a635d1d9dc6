import type { ApprovedPath } from "../domain/approved-path.ts";
import { parseHostName } from "../domain/host-rule.ts";
import type { GitRemote, RefUpdate } from "../domain/net.ts";
import { collectOutput } from "../jail/collect-output.ts";
import type { Jail } from "../jail/jail.ts";

const TIMEOUT_MS = 20_000;
const MAX_BYTES = 1024 * 1024;
/** Commits that a person is shown; that there are more is said. */
const MAX_COMMITS = 200;
const MAX_REMOTE_IDS = 1_000;
const ZERO = /^0+$/;

/**
 * git takes an object of a repository for what its name says, and a jail could have put another one there, with another parent or
 * another message. Copied in a pack, each is named anew by its content: what was put in a false place is then not found.
 */
const COPY = `copy=/tmp/copy; ids=$1; shift
git init -q --bare "$copy" || exit 3
printf '%s\n' "$ids" | git -c core.commitGraph=false pack-objects -q --revs --stdout --filter=tree:0 2>/dev/null |
  git -C "$copy" index-pack --stdin >/dev/null 2>&1 || exit 3
exec git -C "$copy" --no-pager "$@" 2>/dev/null`;

/** What git says of a project. It runs in a jail of its own: what stands in the repository runs nothing outside (H18). */
export interface Git {
  /** The repositories on git hosts that the project's remotes name, by https or ssh. Empty for no repository. */
  readonly remotes: (project: ApprovedPath) => Promise<readonly GitRemote[]>;
  /** A line for each commit that a push brings; null when the repository cannot say, as for an object that is not there. */
  readonly commits: (project: ApprovedPath, update: RefUpdate) => Promise<readonly string[] | null>;
  /** True when the new commit does not carry on from the old one, or that cannot be known. */
  readonly isForced: (project: ApprovedPath, update: RefUpdate) => Promise<boolean>;
}

/** What runs git in jails. */
export interface GitDeps {
  readonly jail: Pick<Jail, "start">;
  /** A folder of the daemon's own, 0700, and one of its listening sockets: a jail wants both. */
  readonly configDir: string;
  readonly apiSocket: string;
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
}

export function createGit({ jail, configDir, apiSocket }: GitDeps): Git {
  const run = (project: ApprovedPath, argv: readonly string[]): Promise<Ran> =>
    runScript(project, 'exec git --no-pager "$@" 2>/dev/null', argv);

  /** The same in a repository of commits alone, copied by their content from what these ids lead to. */
  const runOnCopy = (project: ApprovedPath, ids: readonly string[], argv: readonly string[]): Promise<Ran> =>
    runScript(project, COPY, [ids.join("\n"), ...argv]);

  async function runScript(project: ApprovedPath, script: string, argv: readonly string[]): Promise<Ran> {
    const jailed = await jail.start({
      project,
      program: "/bin/sh",
      configDir,
      apiSocket,
      args: () => ["-c", script, "sh", ...argv],
      env: ({ path, home, tmp }) => ({ ...GIT_ENV, PATH: path, HOME: home, TMPDIR: tmp }),
    });
    return collectOutput(jailed, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES });
  }

  /** What the project's remote branches were when it last heard of them. */
  async function remoteIds(project: ApprovedPath): Promise<readonly string[]> {
    const { code, stdout } = await run(project, ["for-each-ref", "--format=%(objectname)", "refs/remotes"]);
    return code === 0
      ? [...new Set(stdout.split("\n").filter((id) => id !== ""))].slice(0, MAX_REMOTE_IDS)
      : [];
  }

  return {
    remotes: async (project) => {
      const { code, stdout } = await run(project, [
        "config",
        "--local",
        "--get-regexp",
        "^remote\\..*\\.(push)?url$",
      ]);
      if (code !== 0) return [];
      const urls = stdout.split("\n").map((line) => line.slice(line.indexOf(" ") + 1));
      return urls.flatMap((url) => parseRemote(url) ?? []);
    },
    commits: async (project, { oldId, newId }) => {
      if (ZERO.test(newId)) return [];
      const known = ZERO.test(oldId) ? await remoteIds(project) : [oldId];
      const format = [
        "--format=%h %an: %s",
        "--no-show-signature",
        "--no-mailmap",
        `--max-count=${MAX_COMMITS + 1}`,
      ];
      const range = [newId, ...known.map((id) => `^${id}`)];
      const { code, stdout } = await runOnCopy(project, [newId, ...known], ["log", ...format, ...range]);
      if (code !== 0) return null;
      const lines = stdout.split("\n").filter((line) => line !== "");
      return lines.length > MAX_COMMITS ? [...lines.slice(0, MAX_COMMITS), "… and more"] : lines;
    },
    isForced: async (project, { oldId, newId }) => {
      if (ZERO.test(oldId) || ZERO.test(newId)) return false;
      const argv = ["merge-base", "--is-ancestor", oldId, newId];
      const { code } = await runOnCopy(project, [oldId, newId], argv);
      return code !== 0;
    },
  };
}

/** Nothing of a person's own, and nothing of the repository's that could show a history other than the one that is sent. */
export const GIT_ENV = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_GRAFT_FILE: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  GIT_CONFIG_COUNT: "2",
  GIT_CONFIG_KEY_0: "safe.directory",
  GIT_CONFIG_VALUE_0: "*",
  GIT_CONFIG_KEY_1: "core.fsmonitor",
  GIT_CONFIG_VALUE_1: "false",
  LC_ALL: "C.UTF-8",
} as const;

/** `https://host/owner/name.git`, `ssh://git@host/owner/name` or `git@host:owner/name`; null for any other place. */
export function parseRemote(url: string): GitRemote | null {
  const [, name = "", path = ""] =
    /^https:\/\/(?:[^@/]*@)?([^/:]+)(?::443)?\/(.+)$/i.exec(url) ??
    /^ssh:\/\/(?:[^@/]*@)?([^/:]+)(?::22)?\/(.+)$/i.exec(url) ??
    /^(?:[^@/:]+@)([^/:]+):(?!\/)(.+)$/.exec(url) ??
    [];
  const host = parseHostName(name);
  const repository = path.replace(/\/+$/, "").replace(/\.git$/, "");
  return host === null || !/^[\w.-]+(?:\/[\w.-]+)+$/.test(repository) ? null : { host, repository };
}
