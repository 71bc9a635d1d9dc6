import { homedir } from "node:os";
import { join } from "node:path";
import { createClaudeRunner } from "./claude/runner.ts";
import type { ClaudeRunner } from "./claude/types.ts";
import type { LoadedConfig } from "./config/load.ts";
import type { Now } from "./domain/clock.ts";
import { createPriceTable } from "./egress/prices.ts";
import { createCredentialProxy } from "./egress/proxy.ts";
import { findProgram } from "./jail/find-program.ts";
import type { Jail } from "./jail/jail.ts";
import { openJail } from "./jail/open-jail.ts";
import type { Logger } from "./log/logger.ts";
import type { Home } from "./store/home.ts";

/** How long a stopped turn may take to end by itself before its jail is killed. */
const STOP_GRACE_MS = 700;

interface ClaudeSideDeps {
  readonly loaded: LoadedConfig;
  readonly home: Home;
  readonly log: Logger;
  readonly now: Now;
  /** What runs in the CLI's place; else the CLI is looked for. */
  readonly program: string | undefined;
}

/** The CLI with all that stands round it: its jail, and the proxy that pays for it. */
export interface ClaudeSide {
  readonly claude: ClaudeRunner;
  readonly sandbox: Jail["kind"];
  /** How tool calls are decided. */
  readonly mode: "ask" | "plan";
}

/** Opens the jail, the credential proxy and the runner, in this order; `scope` closes them in reverse. */
export async function openClaude(scope: AsyncDisposableStack, deps: ClaudeSideDeps): Promise<ClaudeSide> {
  const { loaded, home, log, now } = deps;
  const { config, secrets } = loaded;
  // Settings have looked for the CLI already: null means that there is none, which the search then says.
  const places = { explicit: config.claude.cliPath ?? undefined, path: "", home: homedir() };
  const program = deps.program ?? (await findProgram("claude", places));

  const { sandbox } = config;
  const jail = await openJail({ sandbox, platform: process.platform, scratchDir: home.jail, log });
  scope.defer(() => jail.close());

  const proxy = await createCredentialProxy({
    socketPath: join(home.run, "api.sock"),
    upstream: config.claude.baseUrl,
    credential: secrets.claudeCredential,
    prices: createPriceTable(),
    log,
    now,
  });
  scope.defer(() => proxy.close());

  // No jail counts as proved yet, so whatever is set, what changes anything is asked.
  const mode = config.claude.permissionMode === "plan" ? "plan" : "ask";
  const settings = { ...config.claude, program, permissionMode: mode, stopGraceMs: STOP_GRACE_MS } as const;
  const { socketPath: apiSocket, openLease } = proxy;
  const claude = createClaudeRunner({ jail, settings, apiSocket, openLease, log, now });
  scope.defer(() => claude.close());
  return { claude, sandbox: jail.kind, mode };
}
