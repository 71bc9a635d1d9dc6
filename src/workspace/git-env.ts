import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { ApprovedPath } from "../domain/approved-path.ts";
import type { Git } from "./git.ts";

/** Where git in a jail finds the daemon's gate; see `egress/net-gate.ts`. */
const GATE = "http://git.gate";

/** Gives the variables that lead the git of a project's jail to the gate. Looks at the project anew when its config has changed. */
export function createGitEnv(git: Pick<Git, "remotes">) {
  const known = new Map<string, { readonly state: string; readonly hosts: readonly string[] }>();

  async function hostsOf(project: ApprovedPath): Promise<readonly string[]> {
    const state = await stateOf(project);
    if (state === null) return [];
    const before = known.get(project);
    if (before?.state === state) return before.hosts;
    const hosts = [...new Set((await git.remotes(project)).map(({ host }) => host))];
    known.set(project, { state, hosts });
    return hosts;
  }

  return async (project: ApprovedPath): Promise<Readonly<Record<string, string>>> =>
    gitEnv(await hostsOf(project));
}

/**
 * Rewrites addresses of these hosts, by https and ssh, to the gate (git-config(1), `url.<base>.insteadOf`), and keeps git from
 * asking for a password that nobody could type.
 */
function gitEnv(hosts: readonly string[]): Readonly<Record<string, string>> {
  const pairs = hosts.flatMap((host) =>
    [`https://${host}/`, `ssh://git@${host}/`, `git@${host}:`].map(
      (address) => [`url.${GATE}/${host}/.insteadOf`, address] as const,
    ),
  );
  const config = [
    ["safe.directory", "*"] as const,
    ["credential.helper", ""] as const,
    ["http.proxyAuthMethod", "basic"] as const,
    ...pairs,
  ];
  return {
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "/bin/false",
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(
      config.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

/** Changes whenever the config does; null where there is none. A work tree's or submodule's own config changes its link. */
async function stateOf(project: ApprovedPath): Promise<string | null> {
  for (const name of [join(".git", "config"), ".git"]) {
    const stats = await stat(join(project, name)).catch(() => null); // not there, which is an answer
    if (stats !== null) return `${name} ${stats.ino} ${stats.mtimeMs} ${stats.size}`;
  }
  return null;
}
