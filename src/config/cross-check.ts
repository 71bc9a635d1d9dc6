import { join } from "node:path";
import {
  type ApprovedDirectoryAnswer,
  judgeApprovedDirectory,
  type ProtectedPlace,
} from "./approved-directory.ts";
import { checkHome, checkPrivacy } from "./check-home.ts";
import { findClaudeCli, isProgram } from "./claude-cli.ts";
import { checkTools } from "./claude-tools.ts";
import type { Surroundings } from "./environment.ts";
import { type Fault, quoted, type Remarks } from "./faults.ts";
import { realPathOf } from "./places.ts";
import type { RawSettings } from "./raw.ts";
import { EXPECTED_USERS, type SoundSettings } from "./settings.ts";

/** What the settings together, and the file system, have to say. The paths are meant only when there is no fault. */
export interface Findings {
  readonly approvedDirectory: string;
  readonly home: string;
  readonly cliPath: string | null;
  readonly faults: readonly Fault[];
  readonly warnings: readonly string[];
}

/** What is checked: the settings that are right each by itself, and where they came from. */
export interface CrossCheckInput {
  readonly settings: SoundSettings;
  readonly raw: Pick<RawSettings, "explicit" | "settingsFile" | "secretFiles" | "exposures">;
  readonly surroundings: Surroundings;
}

interface Found {
  readonly home: string;
  readonly cliPath: string | null;
}

const DAY_MS = 86_400_000;

const NOTHING: Remarks = { faults: [], warnings: [] };

/** By `CLAUDE_AUTH`: the credential that pays, and the one that never does. */
const CREDENTIAL_KEYS = {
  subscription: ["CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_API_KEY"],
  "api-key": ["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"],
} as const;

/** Checks what no setting shows alone. A setting that is missing here has its fault already and is passed over. */
export function crossCheck(input: CrossCheckInput): Findings {
  const { settings, raw, surroundings } = input;
  const home = settings.SALLYPORT_HOME === undefined ? "" : realPathOf(settings.SALLYPORT_HOME);
  const cliPath =
    settings.CLAUDE_CLI_PATH ?? findClaudeCli(surroundings.env.PATH ?? "", surroundings.homeDir);
  const approved = checkApproved(input, { home, cliPath });
  const remarks = [
    checkPlatform(surroundings.platform),
    checkHome(home, surroundings.homeDir),
    checkPrivacy({ settings, exposures: raw.exposures, home, userId: surroundings.userId }),
    checkCli(settings.CLAUDE_CLI_PATH),
    checkTools(settings.CLAUDE_TOOLS),
    checkAccess(settings, raw.explicit),
    checkOwners(settings, raw.explicit),
    checkCredential(settings, raw.explicit),
    checkSharing(settings),
    checkSandbox(settings),
    checkRetention(settings),
    approved,
  ];
  return {
    approvedDirectory: approved.realPath,
    home,
    cliPath,
    faults: remarks.flatMap(({ faults }) => faults),
    warnings: remarks.flatMap(({ warnings }) => warnings),
  };
}

function fault(key: string, expected: string, got: string): Remarks {
  return { faults: [{ key, expected, got }], warnings: [] };
}

function warning(text: string): Remarks {
  return { faults: [], warnings: [text] };
}

function checkPlatform(platform: string): Remarks {
  if (platform === "darwin" || platform === "linux") return NOTHING;
  return fault("platform", "macOS or Linux, where there is a jail", platform);
}

function checkCli(path: string | undefined): Remarks {
  if (path === undefined || isProgram(path)) return NOTHING;
  return fault("CLAUDE_CLI_PATH", "a program that this user may run", `${quoted(path)}, which is none`);
}

/** Without a whitelist and without tokens nobody could use the bot (H04). */
function checkAccess(settings: SoundSettings, explicit: RawSettings["explicit"]): Remarks {
  const { ENABLE_TOKEN_AUTH: takesTokens, REQUIRE_TOKEN: needsToken } = settings;
  const isClosed = takesTokens === false && explicit.ALLOWED_USERS === undefined;
  const isKeyless = (takesTokens || needsToken) && explicit.AUTH_TOKEN_SECRET === undefined;
  const whose = takesTokens ? "ENABLE_TOKEN_AUTH" : "REQUIRE_TOKEN";
  const closed = fault("ALLOWED_USERS", EXPECTED_USERS, "nothing");
  const keyless = fault("AUTH_TOKEN_SECRET", `a secret, as ${whose} is true`, "nothing");
  return {
    faults: [...(isClosed ? closed.faults : []), ...(isKeyless ? keyless.faults : [])],
    warnings: [],
  };
}

function checkOwners(settings: SoundSettings, explicit: RawSettings["explicit"]): Remarks {
  const { ALLOWED_USERS: sound, OWNER_USERS: owners } = settings;
  const allowed = sound ?? (explicit.ALLOWED_USERS === undefined ? [] : null);
  const strangers = allowed && owners ? owners.filter((id) => !allowed.includes(id)) : [];
  if (strangers.length === 0) return NOTHING;
  return fault(
    "OWNER_USERS",
    "ids that stand in ALLOWED_USERS too",
    `${strangers.join(", ")}, not admitted there`,
  );
}

/**
 * The credential must be the one that CLAUDE_AUTH names. One of the other kind, often exported by a shell, is told and
 * never used: who is charged does not change in silence (H30).
 */
function checkCredential({ CLAUDE_AUTH: auth }: SoundSettings, explicit: RawSettings["explicit"]): Remarks {
  if (auth === undefined) return NOTHING;
  const [wanted, other] = CREDENTIAL_KEYS[auth];
  if (explicit[wanted] === undefined) {
    const got = explicit[other] === undefined ? "nothing" : `only ${other}`;
    return fault(wanted, `a credential, as CLAUDE_AUTH is ${auth}`, got);
  }
  if (explicit[other] === undefined) return NOTHING;
  return warning(`${other} is set and will not be used: CLAUDE_AUTH is ${auth}`);
}

function checkSharing(settings: SoundSettings): Remarks {
  const { CLAUDE_AUTH: auth, ALLOWED_USERS: allowed = [], ENABLE_TOKEN_AUTH: takesTokens } = settings;
  if (auth !== "subscription" || (allowed.length < 2 && takesTokens !== true)) return NOTHING;
  if (takesTokens === true)
    return warning(
      "A subscription speaks for one person, and ENABLE_TOKEN_AUTH lets more in: CLAUDE_AUTH=api-key is meant for several",
    );
  return warning(
    `A subscription speaks for one person, and ALLOWED_USERS names ${allowed.length}: CLAUDE_AUTH=api-key is meant for several`,
  );
}

function checkSandbox({ SANDBOX: sandbox, ENVIRONMENT: environment }: SoundSettings): Remarks {
  if (sandbox !== "off" || environment === undefined) return NOTHING;
  if (environment === "production") return fault("SANDBOX", "require, as ENVIRONMENT is production", '"off"');
  return warning("SANDBOX is off: Claude's commands run with all your rights, outside any jail");
}

/** What was said is no longer kept than that it was said. */
function checkRetention(settings: SoundSettings): Remarks {
  const { CONTENT_RETENTION_DAYS: contentMs, AUDIT_RETENTION_DAYS: auditMs } = settings;
  if (contentMs === undefined || auditMs === undefined || contentMs <= auditMs) return NOTHING;
  const [content, audit] = [contentMs, auditMs].map((ms) => ms / DAY_MS);
  return fault(
    "CONTENT_RETENTION_DAYS",
    `at most the ${audit} days of AUDIT_RETENTION_DAYS`,
    String(content),
  );
}

/** Without a known environment there is a fault already; the mild rules then add no second one that may be none. */
function checkApproved(
  { settings, raw, surroundings }: CrossCheckInput,
  found: Found,
): ApprovedDirectoryAnswer {
  const path = settings.APPROVED_DIRECTORY;
  if (path === undefined) return { realPath: "", ...NOTHING };
  const { homeDir, programDir } = surroundings;
  const environment = settings.ENVIRONMENT ?? "development";
  return judgeApprovedDirectory({
    path,
    environment,
    homeDir,
    programDir,
    protectedPlaces: protectedPlaces(),
  });

  function protectedPlaces(): ProtectedPlace[] {
    const places: (readonly [string, string | null])[] = [
      ["SALLYPORT_HOME", found.home || null],
      ["the program's own folder", programDir],
      ["the settings file in use", raw.settingsFile],
      ...raw.secretFiles.map((file) => ["a file that holds a secret", file] as const),
      ["the Node binary", surroundings.nodePath],
      ["the Claude CLI", found.cliPath],
      ["~/.ssh", join(homeDir, ".ssh")],
      ["~/.claude", join(homeDir, ".claude")],
      ["the program's compile cache", join(homeDir, ".cache", "sallyport")],
    ];
    return places.flatMap(([what, place]) => (place === null ? [] : { what, path: place }));
  }
}
