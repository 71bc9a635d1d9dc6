import { userInfo } from "node:os";
import { runToEnd } from "./spawn.ts";

/** Start-up files of shells may do much; one that hangs must not matter. */
const TIMEOUT_MS = 8_000;
const MARK = "sallyport-path:";

/**
 * The folders of the PATH that a login shell of this user has, in order: a service's own has none of a version manager's.
 * Empty when the shell hangs, fails or says nothing of use.
 */
export async function loginPath({
  home,
  shell = userInfo().shell,
  signal,
}: LoginShell): Promise<readonly string[]> {
  if (shell === null || shell === "" || /\/(?:nologin|false)$/.test(shell)) return [];
  const env = { HOME: home, USER: userInfo().username, SHELL: shell, TERM: "dumb", PATH: SYSTEM_PATH };
  const script = `printf '\\n%s%s\\n' '${MARK}' "$PATH"`;
  const { stdout } = await runToEnd(shell, ["-lic", script], {
    timeoutMs: TIMEOUT_MS,
    env,
    ...(signal === undefined ? {} : { signal }),
  });
  const line = stdout.split("\n").findLast((one) => one.startsWith(MARK));
  const folders = line?.slice(MARK.length).split(":") ?? [];
  return [...new Set(folders.filter((folder) => folder.startsWith("/")))];
}

interface LoginShell {
  readonly home: string;
  /** The user's own unless given. */
  readonly shell?: string | null;
  /** Aborted = the answer is no longer wanted. */
  readonly signal?: AbortSignal;
}

const SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";
