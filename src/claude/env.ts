import type { InsidePaths } from "../jail/jail.ts";
import type { ClaudeSettings } from "./types.ts";

/** More would make a bad key take minutes to be told; see the CLI's own back-off. */
const MAX_API_RETRIES = "4";

interface EnvRequest {
  readonly inside: InsidePaths;
  readonly auth: ClaudeSettings["auth"];
  /** The proxy's placeholder, never a credential: every child of the CLI can read it. */
  readonly token: string;
}

/** The CLI's whole environment. Built from nothing: whatever the daemon was started with stays with the daemon (H06, H36). */
export function claudeEnv({ inside, auth, token }: EnvRequest): Readonly<Record<string, string>> {
  return {
    PATH: inside.path,
    HOME: inside.home,
    TMPDIR: inside.tmp,
    CLAUDE_CODE_TMPDIR: inside.tmp,
    CLAUDE_CONFIG_DIR: inside.configDir,
    LANG: "C.UTF-8",
    TERM: "dumb",
    ANTHROPIC_UNIX_SOCKET: inside.apiSocket,
    ANTHROPIC_BASE_URL: "http://localhost",
    [auth === "api-key" ? "ANTHROPIC_API_KEY" : "CLAUDE_CODE_OAUTH_TOKEN"]: token,
    DISABLE_TELEMETRY: "1",
    DISABLE_AUTOUPDATER: "1",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    CLAUDE_CODE_DISABLE_FILE_MENTIONS: "1",
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: "1",
    // A background task that ends makes the CLI start a turn by itself: unasked for, unseen and paid by nobody.
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "1",
    CLAUDE_CODE_MAX_RETRIES: MAX_API_RETRIES,
    ...proxyEnv(inside.proxyPort, token),
  };
}

/** Where programs find the way to the network, and how they show whose they are. */
function proxyEnv(port: number | null, token: string): Readonly<Record<string, string>> {
  if (port === null) return {};
  const proxy = `http://jail:${token}@127.0.0.1:${port}`;
  const local = "localhost,127.0.0.1,::1";
  return {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    http_proxy: proxy,
    https_proxy: proxy,
    NO_PROXY: local,
    no_proxy: local,
    NODE_USE_ENV_PROXY: "1",
  };
}
