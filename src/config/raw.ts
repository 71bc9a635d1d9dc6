import { isAbsolute } from "node:path";
import { type FileRead, findSettingsFile, readPrivateFile, readSettingsFile } from "./env-file.ts";
import type { Surroundings } from "./environment.ts";
import type { Fault } from "./faults.ts";
import { gitTokenKey, hostlessFault, suggestGitToken } from "./git-token.ts";
import { nearMissOf } from "./nearest.ts";
import { expandHome } from "./places.ts";
import type { Exposure } from "./private-path.ts";
import { PROFILES, SECRET_KEYS, SETTING_KEYS, trackedNames } from "./settings.ts";
import { isPlaceholder } from "./strength.ts";

type Texts = Readonly<Record<string, string | undefined>>;

/** The settings as text, from wherever they came, before any is parsed. */
export interface RawSettings {
  /** What was set explicitly: never empty texts. */
  readonly explicit: Readonly<Record<string, string>>;
  /** Defaults of the profile, for what was not set. */
  readonly profile: Readonly<Record<string, string>>;
  readonly settingsFile: string | null;
  /** Secrets of other programs, by name: those that `TRACK_CREDENTIALS` names and that are set. */
  readonly tracked: Readonly<Record<string, string>>;
  /** Files that hold secrets: those named by a `_FILE` setting. */
  readonly secretFiles: readonly string[];
  readonly faults: readonly Fault[];
  /** How others get at the settings file and at files that hold secrets. */
  readonly exposures: readonly Exposure[];
  readonly warnings: readonly string[];
  /** The file in which a setting or tracked secret stands; null for the environment. */
  readonly fileOf: (key: string) => string | null;
  /** Where a setting's text came from, for people: the environment or a file. */
  readonly originOf: (key: string) => string;
}

/** A secret is a line; this keeps a wrong path from filling the memory. */
const MAX_SECRET_BYTES = 16_384;
const MIN_TRACKED_CHARS = 8;
const TRACKING = "TRACK_CREDENTIALS";
const FILE_KEYS: readonly string[] = SECRET_KEYS.map((key) => `${key}_FILE`);
const KNOWN_KEYS = [...SETTING_KEYS, ...FILE_KEYS];

/** Gathers the known keys: the real environment over the settings file, secrets also out of their own files. */
export function gatherSettings(surroundings: Surroundings, envFile: string | null): RawSettings {
  const { homeDir, cwd, programDir, userId } = surroundings;
  const fromEnv = pickSet(surroundings.env);
  const sallyportHome = fromEnv.SALLYPORT_HOME ?? null;
  const settingsFile = findSettingsFile({ envFile, sallyportHome, cwd, programDir, homeDir });
  const known = (values: Texts) => [...KNOWN_KEYS, ...trackedNames({ ...values, ...fromEnv }[TRACKING])];
  const file = settingsFile === null ? null : readSettingsFile(settingsFile, known, userId);
  const inFile = file?.content ?? {};
  const merged = { ...pickSet(inFile), ...fromEnv };
  const tracking = trackedNames(merged[TRACKING]);
  const tracked = pick(tracking, { ...inFile, ...pick(tracking, surroundings.env) });
  const gitTokens = new Set(Object.keys(merged).flatMap((key) => gitTokenKey(key) ?? []));
  const secrets = [...SECRET_KEYS, ...gitTokens].map((key) => readSecretFile(key, merged, surroundings));
  const explicit = { ...merged, ...Object.fromEntries(secrets.flatMap(({ content }) => content.values)) };
  return {
    explicit: Object.fromEntries(Object.entries(explicit).filter(([key]) => !isFileKey(key))),
    profile:
      explicit.ENVIRONMENT?.toLowerCase() === "development" ? PROFILES.development : PROFILES.production,
    settingsFile,
    tracked,
    secretFiles: secrets.flatMap(({ content }) => content.paths),
    faults: [
      ...(file?.faults ?? []),
      ...secrets.flatMap(({ faults }) => faults),
      ...[...gitTokens].flatMap((key) => tokenFaults(key, explicit[key])),
      ...setNames(surroundings.env).flatMap((name) =>
        tracking.includes(name) ? [] : (hostlessFault(name) ?? []),
      ),
      ...tracking.flatMap(trackingFaults),
      ...Object.entries(tracked).flatMap(([key, value]) => shortFaults(key, value)),
    ],
    exposures: [...(file?.exposures ?? []), ...secrets.flatMap(({ exposures }) => exposures)],
    warnings: nearMisses(surroundings.env),
    fileOf: (key) => {
      if (fromEnv[key] !== undefined || (tracking.includes(key) && isSet(surroundings.env[key]))) return null;
      const named = merged[`${key}_FILE`];
      return named === undefined ? settingsFile : expandHome(named, homeDir);
    },
    originOf: (key) => {
      if (fromEnv[key] !== undefined) return "the environment";
      return merged[key] === undefined ? `${key}_FILE` : (settingsFile ?? "the settings file");
    },
  };
}

/** The known keys that have a value. */
function pickSet(values: Texts): Record<string, string> {
  return pick([...KNOWN_KEYS, ...Object.keys(values).filter((key) => gitTokenKey(key) !== null)], values);
}

/** Those of the keys that have a value; blanks round it are dropped, and an empty one counts as unset. */
function pick(keys: readonly string[], values: Texts): Record<string, string> {
  const set = keys.map((key) => [key, values[key]?.trim() ?? ""] as const);
  return Object.fromEntries(set.filter(([, value]) => value !== ""));
}

function setNames(env: Surroundings["env"]): readonly string[] {
  return Object.keys(env).filter((name) => isSet(env[name]));
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== "";
}

/** What is shorter cannot be told from an ordinary word, so that no log could hide it and no scan find it. */
function shortFaults(key: string, value: string): readonly Fault[] {
  if (value.length >= MIN_TRACKED_CHARS || trackingFaults(key).length > 0) return [];
  const expected = `a secret of at least ${MIN_TRACKED_CHARS} characters, or not to be named in ${TRACKING}`;
  return [{ key, expected, got: "something shorter (not shown)" }];
}

/** What is a setting is read already, and a setting it is not to be taken for. */
function trackingFaults(name: string): readonly Fault[] {
  if (!KNOWN_KEYS.includes(name) && gitTokenKey(name) === null) return [];
  const expected = "names of secrets that are no settings";
  return [{ key: TRACKING, expected, got: `${name}, which is one` }];
}

/**
 * The real environment is other programs' too, so that what is unknown there is no fault. A name that is a slip of the pen away
 * from a setting's is told, as is one with this program's own name in it: a unit file or a container has no other place to be right.
 */
function nearMisses(env: Surroundings["env"]): readonly string[] {
  return setNames(env)
    .filter((name) => !KNOWN_KEYS.includes(name) && !name.startsWith("GIT_TOKEN_"))
    .flatMap((name) => {
      const near = /^git_token_/i.test(name) ? suggestGitToken(name) : nearMissOf(name, KNOWN_KEYS);
      if (near !== null) return [`${name} of the environment is no setting: did you mean ${near}?`];
      return name.startsWith("SALLYPORT_") ? [`${name} of the environment is no setting`] : [];
    });
}

/** A token that no header can hold would fail at the first push, when nobody looks at settings. */
function tokenFaults(key: string, value: string | undefined): readonly Fault[] {
  if (value === undefined || (/^[!-~]{8,}$/.test(value) && !isPlaceholder(value))) return [];
  const expected = "a token: at least 8 printable characters, no blanks, no placeholder of an example";
  return [{ key, expected, got: "something else (not shown)" }];
}

function isFileKey(key: string): boolean {
  return FILE_KEYS.includes(key) || (key.endsWith("_FILE") && gitTokenKey(key) !== null);
}

interface SecretFile {
  readonly values: readonly (readonly [string, string])[];
  readonly paths: readonly string[];
}

function readSecretFile(
  key: string,
  merged: Readonly<Record<string, string>>,
  { homeDir, userId }: Pick<Surroundings, "homeDir" | "userId">,
): FileRead<SecretFile> {
  const fileKey = `${key}_FILE`;
  const named = merged[fileKey];
  const nothing: SecretFile = { values: [], paths: [] };
  const refuse = (...faults: readonly Fault[]): FileRead<SecretFile> => ({
    content: nothing,
    faults,
    exposures: [],
  });
  if (named === undefined) return refuse();
  if (merged[key] !== undefined)
    return refuse({ key: fileKey, expected: `either ${key} or ${fileKey}`, got: "both" });
  const path = expandHome(named, homeDir);
  // The text may be the secret itself, set under the wrong name: it is not shown.
  if (!isAbsolute(path))
    return refuse({
      key: fileKey,
      expected: "the absolute path of a file",
      got: "something else (not shown)",
    });
  const file = readPrivateFile({ path, key: fileKey, maxBytes: MAX_SECRET_BYTES }, userId);
  const { content, faults, exposures } = file;
  const value = content.trim();
  const isRead = faults.length === 0 && !exposures.some(({ refused }) => refused === "always");
  if (!isRead) return { content: nothing, faults, exposures };
  if (value === "")
    return refuse({ key: fileKey, expected: "a file that holds the secret", got: `${path}, which is empty` });
  return { content: { values: [[key, value] as const], paths: [path] }, faults, exposures };
}
