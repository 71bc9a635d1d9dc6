import { isAbsolute } from "node:path";
import { findSettingsFile, readPrivateFile, readSettingsFile } from "./env-file.ts";
import type { Surroundings } from "./environment.ts";
import type { Fault } from "./faults.ts";
import { expandHome } from "./places.ts";
import { gitTokenKey, PROFILES, SECRET_KEYS, SETTING_KEYS } from "./settings.ts";

/** The settings as text, from wherever they came, before any is parsed. */
export interface RawSettings {
  /** What was set explicitly: never empty texts. */
  readonly explicit: Readonly<Record<string, string>>;
  /** Defaults of the profile, for what was not set. */
  readonly profile: Readonly<Record<string, string>>;
  readonly settingsFile: string | null;
  /** Files that hold secrets: those named by a `_FILE` setting. */
  readonly secretFiles: readonly string[];
  readonly faults: readonly Fault[];
  readonly warnings: readonly string[];
  /** Where a setting's text came from, for people: the environment or a file. */
  readonly originOf: (key: string) => string;
}

const FILE_KEYS: readonly string[] = SECRET_KEYS.map((key) => `${key}_FILE`);
const KNOWN_KEYS = [...SETTING_KEYS, ...FILE_KEYS];

/** Gathers the known keys: the real environment over the settings file, secrets also out of their own files. */
export function gatherSettings(surroundings: Surroundings, envFile: string | null): RawSettings {
  const { homeDir, cwd, programDir } = surroundings;
  const fromEnv = pickSet(surroundings.env);
  const sallyportHome = fromEnv.SALLYPORT_HOME ?? null;
  const settingsFile = findSettingsFile({ envFile, sallyportHome, cwd, programDir, homeDir });
  const file = settingsFile === null ? null : readSettingsFile(settingsFile, KNOWN_KEYS);
  const merged = { ...pickSet(file?.content ?? {}), ...fromEnv };
  const gitTokens = new Set(Object.keys(merged).flatMap((key) => gitTokenKey(key) ?? []));
  const secrets = [...SECRET_KEYS, ...gitTokens].map((key) => readSecretFile(key, merged, homeDir));
  const explicit = { ...merged, ...Object.fromEntries(secrets.flatMap(({ content }) => content.values)) };
  return {
    explicit: Object.fromEntries(Object.entries(explicit).filter(([key]) => !isFileKey(key))),
    profile:
      explicit.ENVIRONMENT?.toLowerCase() === "development" ? PROFILES.development : PROFILES.production,
    settingsFile,
    secretFiles: secrets.flatMap(({ content }) => content.paths),
    faults: [
      ...(file?.faults ?? []),
      ...secrets.flatMap(({ faults }) => faults),
      ...[...gitTokens].flatMap((key) => tokenFaults(key, explicit[key])),
    ],
    warnings: [...(file?.warnings ?? []), ...secrets.flatMap(({ warnings }) => warnings)],
    originOf: (key) => {
      if (fromEnv[key] !== undefined) return "the environment";
      return merged[key] === undefined ? `${key}_FILE` : (settingsFile ?? "the settings file");
    },
  };
}

/** The known keys that have a value; blanks round it are dropped, and an empty one counts as unset. */
function pickSet(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const keys = [...KNOWN_KEYS, ...Object.keys(values).filter((key) => gitTokenKey(key) !== null)];
  const set = keys.map((key) => [key, values[key]?.trim() ?? ""] as const);
  return Object.fromEntries(set.filter(([, value]) => value !== ""));
}

/** A token that no header can hold would fail at the first push, when nobody looks at settings. */
function tokenFaults(key: string, value: string | undefined): readonly Fault[] {
  if (value === undefined || /^[!-~]{8,}$/.test(value)) return [];
  return [
    {
      key,
      expected: "a token: at least 8 printable characters, no blanks",
      got: "something else (not shown)",
    },
  ];
}

function isFileKey(key: string): boolean {
  return FILE_KEYS.includes(key) || (key.endsWith("_FILE") && gitTokenKey(key) !== null);
}

interface SecretFile {
  readonly values: readonly (readonly [string, string])[];
  readonly paths: readonly string[];
}

function readSecretFile(key: string, merged: Readonly<Record<string, string>>, homeDir: string) {
  const fileKey = `${key}_FILE`;
  const named = merged[fileKey];
  const nothing: SecretFile = { values: [], paths: [] };
  if (named === undefined) return { content: nothing, faults: [], warnings: [] };
  if (merged[key] !== undefined) {
    const fault = { key: fileKey, expected: `either ${key} or ${fileKey}`, got: "both" };
    return { content: nothing, faults: [fault], warnings: [] };
  }
  const path = expandHome(named, homeDir);
  // The text may be the secret itself, set under the wrong name: it is not shown.
  const fault = { key: fileKey, expected: "the absolute path of a file", got: "something else (not shown)" };
  if (!isAbsolute(path)) return { content: nothing, faults: [fault], warnings: [] };
  const { content, faults, warnings } = readPrivateFile(path, fileKey);
  const value = content.trim();
  const empty = { key: fileKey, expected: "a file that holds the secret", got: `${path}, which is empty` };
  if (faults.length > 0 || value === "")
    return { content: nothing, faults: faults.length > 0 ? faults : [empty], warnings };
  return { content: { values: [[key, value] as const], paths: [path] }, faults: [], warnings };
}
