import { createHmac } from "node:crypto";
import type { Config } from "./config.ts";
import { crossCheck, type Findings } from "./cross-check.ts";
import type { Surroundings } from "./environment.ts";
import { configError } from "./faults.ts";
import { gitTokenKey } from "./git-token.ts";
import { parseSettings } from "./parse.ts";
import { gatherSettings, type RawSettings } from "./raw.ts";
import { createSecret, type Secrets } from "./secret.ts";
import { SECRET_KEYS, type Settings } from "./settings.ts";

/** What settings are loaded from: the surroundings, and the command line's `--env-file`. */
export interface LoadConfigInput extends Surroundings {
  readonly argv: { readonly envFile?: string | undefined };
}

/** The settings in use, the secrets apart from them, and what is doubtful, a sentence each and without secrets. */
export interface LoadedConfig {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly warnings: readonly string[];
  /** What tells one value of a setting from another, by the setting's name, and nothing of it without `key`. Unset ones have none. */
  readonly digestsBy: (key: string) => Readonly<Record<string, string>>;
}

/**
 * Reads the settings of product.md, section 1, from the environment and the settings file. Depends on its input and on the
 * file system alone, and changes neither. Throws one AppError `config_invalid` that names every fault, a line each:
 * the key, what was expected and what came (never a secret's value).
 */
export function loadConfig(input: LoadConfigInput): LoadedConfig {
  const raw = gatherSettings(input, input.argv.envFile ?? null);
  const { complete, sound, faults } = parseSettings({ ...raw.profile, ...raw.explicit }, raw, input.homeDir);
  const findings = crossCheck({ settings: sound, raw, surroundings: input });
  const allFaults = [
    ...raw.faults,
    ...[...faults, ...findings.faults].filter(({ key }) => !isUnread(key, raw)),
  ];
  if (allFaults.length > 0 || complete === null) {
    const secretTexts = Object.values(secretTextsOf(raw));
    throw configError(allFaults, secretTexts, raw.settingsFile ?? "no settings file");
  }
  return {
    config: buildConfig(complete, raw, findings),
    secrets: buildSecrets(complete, raw),
    warnings: [...raw.warnings, ...findings.warnings],
    digestsBy: (key) => digestsOf({ ...raw.explicit, ...raw.tracked }, key),
  };
}

/** True for a secret that is missing because its file could not be read: that is the fault to mend, and told. */
function isUnread(key: string, raw: RawSettings): boolean {
  return (
    raw.explicit[key] === undefined &&
    [...raw.faults, ...raw.exposures].some((one) => one.key === `${key}_FILE`)
  );
}

function buildConfig(settings: Settings, raw: RawSettings, findings: Findings): Config {
  return {
    environment: settings.ENVIRONMENT,
    home: findings.home,
    settingsFile: raw.settingsFile,
    approvedDirectory: findings.approvedDirectory,
    sandbox: settings.SANDBOX,
    secretFiles: settings.SECRET_FILES ?? [],
    trackedCredentials: settings.TRACK_CREDENTIALS ?? [],
    tools: settings.SANDBOX_TOOLS,
    allowedHosts: settings.SANDBOX_ALLOWED_DOMAINS ?? [],
    localPorts: settings.SANDBOX_LOCAL_PORTS ?? [],
    timeZone: settings.TIMEZONE ?? null,
    approvalTimeoutMs: settings.APPROVAL_TIMEOUT_SECONDS,
    retention: { contentMs: settings.CONTENT_RETENTION_DAYS, auditMs: settings.AUDIT_RETENTION_DAYS },
    staleAfterMs: settings.STALE_AFTER_SECONDS,
    telegram: { apiRoot: settings.TELEGRAM_API_ROOT },
    access: accessOf(settings),
    limits: {
      requestsPerWindow: settings.RATE_LIMIT_REQUESTS,
      windowMs: settings.RATE_LIMIT_WINDOW,
      burst: settings.RATE_LIMIT_BURST,
      costPerUserMicroUsd: settings.CLAUDE_MAX_COST_PER_USER,
      isCostLimitExplicit: raw.explicit.CLAUDE_MAX_COST_PER_USER !== undefined,
      costWindow: settings.CLAUDE_COST_WINDOW,
      costPerRequestMicroUsd: settings.CLAUDE_MAX_COST_PER_REQUEST,
      maxPromptChars: settings.MAX_PROMPT_CHARS,
    },
    uploads: {
      types: settings.UPLOAD_TYPES,
      maxFileBytes: settings.MAX_UPLOAD_MB,
      maxArchiveBytes: settings.MAX_ARCHIVE_MB,
    },
    claude: {
      cliPath: findings.cliPath,
      model: settings.CLAUDE_MODEL ?? null,
      fallbackModel: settings.CLAUDE_FALLBACK_MODEL ?? null,
      effort: settings.CLAUDE_EFFORT ?? null,
      permissionMode: settings.CLAUDE_PERMISSION_MODE,
      tools: settings.CLAUDE_TOOLS,
      auth: settings.CLAUDE_AUTH,
      baseUrl: settings.ANTHROPIC_BASE_URL,
      maxProcesses: settings.CLAUDE_MAX_PROCESSES,
      idleMs: settings.CLAUDE_IDLE_SECONDS,
      stallMs: settings.CLAUDE_STALL_SECONDS,
    },
    log: { level: settings.LOG_LEVEL, format: settings.LOG_FORMAT },
  };
}

function accessOf(settings: Settings): Config["access"] {
  const allowedUsers = settings.ALLOWED_USERS ?? [];
  return {
    allowedUsers,
    ownerUsers: settings.OWNER_USERS ?? allowedUsers.slice(0, 1),
    allowedChats: settings.ALLOWED_CHATS ?? [],
    takesTokens: settings.ENABLE_TOKEN_AUTH,
    needsToken: settings.REQUIRE_TOKEN,
    sessionMs: settings.AUTH_SESSION_HOURS,
  };
}

function gitTokenKeys({ explicit }: RawSettings): readonly string[] {
  return Object.keys(explicit).filter((key) => gitTokenKey(key) === key);
}

/** All secrets in clear, by the names of their settings. */
function secretTextsOf(raw: RawSettings): Readonly<Record<string, string>> {
  const keys = [...SECRET_KEYS, ...gitTokenKeys(raw)].filter((key) => raw.explicit[key] !== undefined);
  return { ...Object.fromEntries(keys.map((key) => [key, raw.explicit[key] ?? ""])), ...raw.tracked };
}

/** The credential of the other kind is kept for hiding it, never for use: who is charged does not change in silence (H30). */
function buildSecrets(settings: Settings, raw: RawSettings): Secrets {
  const isApiKey = settings.CLAUDE_AUTH === "api-key";
  const { ANTHROPIC_API_KEY: apiKey = "", CLAUDE_CODE_OAUTH_TOKEN: oauthToken = "" } = settings;
  const { AUTH_TOKEN_SECRET: tokenSecret } = settings;
  return {
    botToken: createSecret(settings.TELEGRAM_BOT_TOKEN),
    claudeCredential: { kind: settings.CLAUDE_AUTH, value: createSecret(isApiKey ? apiKey : oauthToken) },
    tokenSecret: tokenSecret === undefined ? null : createSecret(tokenSecret),
    gitTokens: new Map(
      gitTokenKeys(raw).map((key) => [key.replace(/^GIT_TOKEN_/, ""), createSecret(raw.explicit[key] ?? "")]),
    ),
    named: Object.entries(secretTextsOf(raw)).map(([name, text]) => ({
      name,
      value: createSecret(text),
      file: raw.fileOf(name),
    })),
  };
}

function digestsOf(texts: Readonly<Record<string, string>>, key: string): Readonly<Record<string, string>> {
  const digest = (name: string, text: string): string =>
    createHmac("sha256", key)
      .update(JSON.stringify([name, text]))
      .digest("base64url");
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, digest(name, text)]));
}
