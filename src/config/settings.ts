import { z } from "zod";
import { optional, required, secret, standard } from "./about.ts";
import { claudeTools } from "./claude-tools.ts";
import { uploadSettings } from "./upload-settings.ts";
import {
  absolutePath,
  chatIds,
  chosenSecret,
  days,
  dollars,
  flag,
  givenSecret,
  hostRules,
  hours,
  oneOf,
  ports,
  seconds,
  serviceUrl,
  text,
  timeZone,
  toolsSetting,
  userIds,
  wholeNumber,
  wordList,
} from "./values.ts";

const DAY_SECONDS = 86_400;
/** Under the 24 days that a timer can wait. */
const MAX_APPROVAL_SECONDS = 14 * DAY_SECONDS;
const MAX_RETENTION_DAYS = 36_500;
/** A year. */
const MAX_SESSION_HOURS = 8_760;
/** Telegram keeps a message for a bot for a day; what waits in the queue may be older. */
const MAX_STALE_SECONDS = 7 * DAY_SECONDS;
const DEFAULT_TOOLS = "Bash,Read,Edit,Write,Agent,AskUserQuestion,EnterPlanMode,ExitPlanMode";

/** Said of `ALLOWED_USERS` where it is wrong, and where it is missing. */
export const EXPECTED_USERS =
  "numeric Telegram user ids separated by commas (without them nobody may use the bot)";

/** Defaults that a profile puts in place of the general ones. Whatever is set explicitly wins (H29). */
export const PROFILES = { production: {}, development: { LOG_LEVEL: "debug" } } as const;

/** The settings that are secrets; each may come as `<name>_FILE` instead, a path to a file that holds it. */
export const SECRET_KEYS = [
  "TELEGRAM_BOT_TOKEN",
  "AUTH_TOKEN_SECRET",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "ANTHROPIC_API_KEY",
] as const;

/** What other programs may call a secret of theirs. */
const TRACKED_NAME = /^[A-Za-z_]\w{0,99}$/;

/** The names in the text of `TRACK_CREDENTIALS`, those that are none left out. */
export function trackedNames(text: string | undefined): readonly string[] {
  const words = (text ?? "").split(",").map((word) => word.trim());
  return [...new Set(words)].filter((word) => TRACKED_NAME.test(word));
}

/** The schema of the settings as they stand in the environment: one text per key, an absent key is unset. */
export function settingsSchema(homeDir: string) {
  const path = () => absolutePath(homeDir);
  return z.object({
    TELEGRAM_BOT_TOKEN: required(
      givenSecret(
        "a bot token as @BotFather gives it (digits, a colon, at least 30 letters)",
        /^\d+:[\w-]{30,}$/,
      ),
      secret("The bot's token, from @BotFather."),
    ),
    TELEGRAM_API_ROOT: standard("https://api.telegram.org", serviceUrl(), {
      meaning: "Where the Bot API is: Telegram's own, or a server that you run.",
    }),
    APPROVED_DIRECTORY: required(path(), {
      meaning: "The folder that holds the projects. Claude works in it and nowhere else.",
    }),
    ALLOWED_USERS: optional(userIds(EXPECTED_USERS), {
      meaning:
        "Telegram user ids that may use the bot, separated by commas. May be empty only with ENABLE_TOKEN_AUTH.",
    }),
    OWNER_USERS: optional(
      userIds("numeric Telegram user ids separated by commas, each also in ALLOWED_USERS"),
      {
        meaning: "Those of ALLOWED_USERS who own the bot. Without it: the first of ALLOWED_USERS.",
      },
    ),
    ALLOWED_CHATS: optional(
      chatIds("numeric ids of Telegram groups separated by commas, each with its minus"),
      {
        meaning:
          "Ids of groups in which admitted people may use the bot, separated by commas. The bot leaves any other group.",
      },
    ),
    ENABLE_TOKEN_AUTH: standard("false", flag(), {
      meaning:
        "true: who gets an invite token from an owner may log in with it, without being in ALLOWED_USERS.",
    }),
    REQUIRE_TOKEN: standard("false", flag(), {
      meaning:
        "true: people of ALLOWED_USERS must log in with a token as well. The first comes from `sallyport token create --role owner`.",
    }),
    AUTH_TOKEN_SECRET: optional(
      chosenSecret(32),
      secret("The key under which tokens are hashed. For ENABLE_TOKEN_AUTH and REQUIRE_TOKEN."),
    ),
    AUTH_SESSION_HOURS: standard("168", hours(1, MAX_SESSION_HOURS), {
      meaning: "How long a login lasts; one that is not used ends after a quarter of it.",
      unit: "hours",
    }),
    RATE_LIMIT_REQUESTS: standard("20", wholeNumber(1, 10_000), {
      meaning: "Requests that a user gets back in each RATE_LIMIT_WINDOW.",
      unit: "requests",
    }),
    RATE_LIMIT_WINDOW: standard("60", seconds(1, DAY_SECONDS), {
      meaning: "The span over which RATE_LIMIT_REQUESTS are given back.",
      unit: "seconds",
    }),
    RATE_LIMIT_BURST: standard("10", wholeNumber(1, 10_000), {
      meaning: "Requests that a user may send at once.",
      unit: "requests",
    }),
    CLAUDE_MAX_COST_PER_USER: standard("10.0", dollars(100_000), {
      meaning:
        "A user's budget in each CLAUDE_COST_WINDOW. With a subscription owners have none unless this is set.",
      unit: "US dollars",
    }),
    CLAUDE_COST_WINDOW: standard("day", oneOf(["day", "month", "total"]), {
      meaning: "The span of a user's budget: day, month or total.",
    }),
    CLAUDE_MAX_COST_PER_REQUEST: standard("5.0", dollars(100_000), {
      meaning: "What one request may cost before its turn is ended.",
      unit: "US dollars",
    }),
    TIMEZONE: optional(timeZone(), {
      meaning:
        "The owner's time zone by its IANA name, such as Europe/Berlin: budgets begin anew by its days and months, and times are told in it. Without it: the system's.",
    }),
    MAX_PROMPT_CHARS: standard("16000", wholeNumber(1, 1_000_000), {
      meaning: "The longest prompt that is accepted.",
      unit: "characters",
    }),
    ...uploadSettings(),
    STALE_AFTER_SECONDS: standard("900", seconds(10, MAX_STALE_SECONDS), {
      meaning: "A message that is older than this when the bot gets to it is kept and offered, not run.",
      unit: "seconds",
    }),
    CLAUDE_CLI_PATH: optional(path(), {
      meaning: "The claude program. Without it: the one on PATH or in the usual places.",
    }),
    CLAUDE_MODEL: optional(
      text("a model's name or alias, such as opus", /^[A-Za-z0-9][\w.:@/[\]-]{0,199}$/),
      {
        meaning: "The model. Without it: the CLI's own choice.",
      },
    ),
    CLAUDE_FALLBACK_MODEL: optional(
      text("a model's name or alias, such as sonnet", /^[A-Za-z0-9][\w.:@/[\]-]{0,199}$/),
      {
        meaning: "The model that answers when the chosen one is overloaded. Without it: none ever does.",
      },
    ),
    CLAUDE_EFFORT: optional(oneOf(["low", "medium", "high", "xhigh", "max"]), {
      meaning: "The effort: low, medium, high, xhigh or max. Without it: the CLI's own choice.",
    }),
    CLAUDE_PERMISSION_MODE: standard("jail", oneOf(["jail", "ask", "plan"]), {
      meaning:
        "jail: edits in the project and commands run unasked inside the sandbox, every way out of it is asked about; without a sandbox it is as ask. ask: every change is asked about. plan: plans only.",
    }),
    CLAUDE_TOOLS: standard(DEFAULT_TOOLS, claudeTools, {
      meaning:
        "The tools that Claude is offered at all, separated by commas. WebSearch is not to be had: the API's own machines do it, where no filter of this program sees what leaves.",
    }),
    CLAUDE_AUTH: required(oneOf(["subscription", "api-key"]), {
      meaning:
        "What pays: subscription (CLAUDE_CODE_OAUTH_TOKEN) or api-key (ANTHROPIC_API_KEY). The other is never used.",
    }),
    CLAUDE_CODE_OAUTH_TOKEN: optional(
      givenSecret(
        "a subscription token as `claude setup-token` prints it, and no API key",
        /^(?!sk-ant-api)[!-~]{8,}$/,
      ),
      secret("The token of a Claude subscription, from `claude setup-token`. For CLAUDE_AUTH=subscription."),
    ),
    ANTHROPIC_API_KEY: optional(
      givenSecret(
        "an API key of the Anthropic console, and no subscription token",
        /^(?!sk-ant-oat)[!-~]{8,}$/,
      ),
      secret("The API key of the Anthropic console. For CLAUDE_AUTH=api-key."),
    ),
    ANTHROPIC_BASE_URL: standard("https://api.anthropic.com", serviceUrl(), {
      meaning: "Where Claude's requests are sent on to.",
    }),
    CLAUDE_MAX_PROCESSES: standard("4", wholeNumber(1, 64), {
      meaning: "Claude processes at most, each with about 100 MB.",
      unit: "processes",
    }),
    CLAUDE_IDLE_SECONDS: standard("600", seconds(1, DAY_SECONDS), {
      meaning: "How long a Claude process without work is kept for the next message.",
      unit: "seconds",
    }),
    CLAUDE_STALL_SECONDS: standard("900", seconds(1, DAY_SECONDS), {
      meaning: "Silence of Claude that ends a turn. Waiting for a person does not count.",
      unit: "seconds",
    }),
    TRACK_CREDENTIALS: optional(
      wordList(
        "names of further secrets separated by commas, such as META_ACCESS_TOKEN,OPENROUTER_API_KEY",
        TRACKED_NAME,
      ),
      {
        meaning:
          "Names of further secrets that stand in this file for other programs, separated by commas. They are never used, passed on or printed: only kept out of the log, aged and looked for by `sallyport credentials`.",
      },
    ),
    SANDBOX: standard("require", oneOf(["require", "off"]), {
      meaning: "require: no jail, no start. off: Claude runs unjailed; only with ENVIRONMENT=development.",
    }),
    SECRET_FILES: optional(
      wordList(
        "names of files or ends of paths separated by commas, such as *.vault or config/keys.json",
        /^[^/\s][^\s]*[^/\s]$/,
      ),
      {
        meaning:
          "Files that hold secrets beside those that Sallyport knows: names or ends of paths separated by commas, with * for any characters. The sandbox shows them empty.",
      },
    ),
    SANDBOX_TOOLS: standard("auto", toolsSetting(homeDir), {
      meaning:
        "Toolchains that the sandbox shows, read-only. auto: those that a login shell of yours finds (node, python, cargo, go and the like). none: only the system's. Else: absolute paths of folders, separated by commas.",
    }),
    SANDBOX_ALLOWED_DOMAINS: optional(
      hostRules("names of hosts separated by commas, such as api.example.com or *.example.com"),
      {
        meaning:
          "Hosts that programs in the sandbox may reach unasked, separated by commas. Each can carry data out. Without it: every host is asked about.",
      },
    ),
    SANDBOX_LOCAL_PORTS: optional(ports("port numbers separated by commas, such as 5432"), {
      meaning:
        "Loopback ports of this machine that programs in the sandbox may reach, such as a database's, separated by commas.",
    }),
    APPROVAL_TIMEOUT_SECONDS: standard("3600", seconds(1, MAX_APPROVAL_SECONDS), {
      meaning: "How long a question to a person stays open; then it counts as denied.",
      unit: "seconds",
    }),
    CONTENT_RETENTION_DAYS: standard("30", days(1, MAX_RETENTION_DAYS), {
      meaning: "How long prompts, answers and what was asked about are kept; at most AUDIT_RETENTION_DAYS.",
      unit: "days",
    }),
    AUDIT_RETENTION_DAYS: standard("365", days(1, MAX_RETENTION_DAYS), {
      meaning: "How long it stays on record that something was done, by whom, and what it cost.",
      unit: "days",
    }),
    LOG_LEVEL: standard("info", oneOf(["trace", "debug", "info", "warn", "error", "fatal"]), {
      meaning:
        "The least important lines to log: trace, debug, info, warn, error, fatal; security events are logged whatever it is. In development: debug.",
    }),
    LOG_FORMAT: standard("auto", oneOf(["auto", "json", "pretty"]), {
      meaning: "json, pretty, or auto: pretty on a terminal, else json.",
    }),
    ENVIRONMENT: standard("production", oneOf(["production", "development"]), {
      meaning:
        "production or development: the defaults, and how strict the checks are. Explicit settings win.",
    }),
    SALLYPORT_HOME: standard("~/.sallyport", path(), {
      meaning: "The program's own folder: database, logs, Claude's sessions.",
    }),
  });
}

/** The parsed settings, keyed as in the environment. */
export type Settings = z.infer<ReturnType<typeof settingsSchema>>;

/** The settings that are right, where others may be missing or wrong. */
export type SoundSettings = { readonly [K in keyof Settings]?: Settings[K] | undefined };

/** The names of all settings, without the `_FILE` forms. */
export const SETTING_KEYS: readonly string[] = Object.keys(settingsSchema("/").shape);
