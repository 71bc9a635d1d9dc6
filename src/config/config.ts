import type { HostRule } from "../domain/host-rule.ts";
import type { MicroUsd } from "../domain/money.ts";
import type { UploadTypes } from "../domain/upload-types.ts";
import type { Settings } from "./settings.ts";

/** Everything the program was told, checked. Holds no secret. Paths are absolute and without links. */
export interface Config {
  readonly environment: Settings["ENVIRONMENT"];
  /** The program's own folder; it may not exist yet. */
  readonly home: string;
  /** The settings file in use, null when all came from the environment. */
  readonly settingsFile: string | null;
  readonly approvedDirectory: string;
  readonly sandbox: Settings["SANDBOX"];
  /** The owner's additions to the list of secret files. */
  readonly secretFiles: readonly string[];
  /** Names of secrets of other programs, set or not. */
  readonly trackedCredentials: readonly string[];
  /** Toolchains that a jail shows. */
  readonly tools: Settings["SANDBOX_TOOLS"];
  /** Hosts that a jail may reach unasked. */
  readonly allowedHosts: readonly HostRule[];
  /** Loopback ports of this machine that a jail may reach. */
  readonly localPorts: readonly number[];
  /** IANA name of the owner's zone; null for the system's. */
  readonly timeZone: string | null;
  readonly approvalTimeoutMs: number;
  readonly retention: RetentionConfig;
  /** What is older than this when the daemon gets to it does not run by itself. */
  readonly staleAfterMs: number;
  readonly telegram: { readonly apiRoot: string };
  readonly access: AccessConfig;
  readonly limits: LimitsConfig;
  readonly uploads: UploadsConfig;
  readonly claude: ClaudeConfig;
  readonly log: { readonly level: Settings["LOG_LEVEL"]; readonly format: Settings["LOG_FORMAT"] };
}

/** Who is admitted by the settings: Telegram user ids, every owner also allowed. Others log in, where tokens are taken. */
interface AccessConfig {
  readonly allowedUsers: readonly number[];
  readonly ownerUsers: readonly number[];
  /** Groups in which admitted people may use the bot. */
  readonly allowedChats: readonly number[];
  /** A token admits who is not on the whitelist. */
  readonly takesTokens: boolean;
  /** Who is on the whitelist must log in as well. */
  readonly needsToken: boolean;
  /** A login's longest life; unused it ends after a quarter of it. */
  readonly sessionMs: number;
}

/** What a user may ask and spend. */
interface LimitsConfig {
  readonly requestsPerWindow: number;
  readonly windowMs: number;
  readonly burst: number;
  readonly costPerUserMicroUsd: MicroUsd;
  /** True when the budget was set and is no default: with a subscription it then holds for owners too. */
  readonly isCostLimitExplicit: boolean;
  readonly costWindow: Settings["CLAUDE_COST_WINDOW"];
  readonly costPerRequestMicroUsd: MicroUsd;
  readonly maxPromptChars: number;
}

/** Which files are taken from people. */
interface UploadsConfig {
  readonly types: UploadTypes;
  readonly maxFileBytes: number;
  /** Of what an archive holds, unpacked. */
  readonly maxArchiveBytes: number;
}

/** How long things are kept in the database; content never longer than the audit. */
interface RetentionConfig {
  readonly contentMs: number;
  readonly auditMs: number;
}

/** How Claude is run. */
interface ClaudeConfig {
  /** The CLI, as set or as found on PATH or in the usual places, links unresolved so that upgrades are followed; null when there is none. */
  readonly cliPath: string | null;
  /** Null leaves the choice to the CLI. */
  readonly model: string | null;
  readonly fallbackModel: string | null;
  readonly effort: Exclude<Settings["CLAUDE_EFFORT"], undefined> | null;
  readonly permissionMode: Settings["CLAUDE_PERMISSION_MODE"];
  readonly tools: readonly string[];
  readonly auth: Settings["CLAUDE_AUTH"];
  readonly baseUrl: string;
  readonly maxProcesses: number;
  readonly idleMs: number;
  readonly stallMs: number;
}
