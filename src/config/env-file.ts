import { readFileSync, type Stats, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { parse } from "dotenv";
import { isErrno, messageOf } from "../domain/errors.ts";
import type { Fault } from "./faults.ts";
import { nearestName } from "./nearest.ts";
import { expandHome, realPathOf } from "./places.ts";
import { gitTokenKey } from "./settings.ts";

/** Settings files and secret files are a few lines; this keeps a wrong path from filling the memory. */
const MAX_BYTES = 1_048_576;
/** What dotenv takes for an assignment. */
const ASSIGNMENT = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=|:\s+)(.*)$/;

/** What was read from a file, with what is wrong or doubtful about it. */
export interface FileRead<T> {
  readonly content: T;
  readonly faults: readonly Fault[];
  readonly warnings: readonly string[];
}

/** What decides which settings file is in use. Paths are absolute; `envFile` may be relative to `cwd`. */
export interface SettingsFileQuestion {
  readonly envFile: string | null;
  readonly sallyportHome: string | null;
  readonly cwd: string;
  readonly programDir: string;
  readonly homeDir: string;
}

/**
 * The settings file: `--env-file`, else `$SALLYPORT_HOME/.env`, else `./.env` when `cwd` is the program's own folder (a
 * hostile folder must not configure the daemon: H33). Null when there is none. A named file is given back unseen.
 */
export function findSettingsFile(question: SettingsFileQuestion): string | null {
  const { envFile, sallyportHome, cwd, programDir, homeDir } = question;
  if (envFile !== null) return resolve(cwd, envFile);
  const home = expandHome(sallyportHome ?? "~/.sallyport", homeDir);
  const atHome = join(home, ".env");
  if (isAbsolute(home) && isThere(atHome)) return atHome;
  const inCheckout = join(cwd, ".env");
  return realPathOf(cwd) === realPathOf(programDir) && isThere(inCheckout) ? inCheckout : null;
}

/** Reads a settings file. Lines that are no assignment, keys that are not `known`, doubled keys and lost text are faults. */
export function readSettingsFile(path: string, known: readonly string[]): FileRead<Record<string, string>> {
  const { content, faults, warnings } = readPrivateFile(path, "settings file");
  const text = content.replace(/^\uFEFF/, "");
  const values = parse(text);
  return {
    content: values,
    warnings,
    faults: [...faults, ...lineFaults(text, path), ...keyFaults(values, known)],
  };
}

/** Reads a file that others should not read: open to them is a warning, writable by everybody a fault. Empty when unread. */
export function readPrivateFile(path: string, key: string): FileRead<string> {
  try {
    const stats = statSync(path);
    const refusal = refusalOf(stats);
    if (refusal)
      return { content: "", faults: [{ key, ...refusal, got: `${path} ${refusal.got}` }], warnings: [] };
    const isOpen = (stats.mode & 0o077) !== 0;
    const warnings = isOpen ? [`${path} can be read by others than its owner: chmod 600 ${path}`] : [];
    return { content: readFileSync(path, "utf8"), faults: [], warnings };
  } catch (error) {
    const got = isErrno(error, "ENOENT") ? `${path}, which does not exist` : messageOf(error);
    return { content: "", faults: [{ key, expected: "a file that can be read", got }], warnings: [] };
  }
}

function refusalOf(stats: Stats): Omit<Fault, "key"> | null {
  if (!stats.isFile()) return { expected: "a regular file", got: "which is none" };
  if (stats.size > MAX_BYTES)
    return { expected: `at most ${MAX_BYTES} bytes`, got: `of ${stats.size} bytes` };
  if ((stats.mode & 0o002) !== 0)
    return { expected: "a file that only its owner may write", got: "that everybody may write" };
  return null;
}

/** True also for what cannot be looked at: reading it then says why, where passing over it would say nothing. */
function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    return !isErrno(error, "ENOENT") && !isErrno(error, "ENOTDIR");
  }
}

/** What dotenv would pass over in silence. The lines themselves are not shown: they may hold a secret. */
function lineFaults(text: string, path: string): Fault[] {
  const firstLines = new Map<string, number>();
  return text.split(/\r\n|\n|\r/).flatMap((line, index): Fault[] => {
    const at = `${path}:${index + 1}`;
    if (line.trim() === "" || line.trim().startsWith("#")) return [];
    const [, key, value = ""] = ASSIGNMENT.exec(line) ?? [];
    if (key === undefined) return [{ key: at, expected: "KEY=value or a # comment", got: "something else" }];
    const first = firstLines.get(key);
    if (first !== undefined)
      return [{ key, expected: "one line", got: `lines ${first} and ${index + 1} of ${path}` }];
    firstLines.set(key, index + 1);
    return valueFaults(key, value.trim(), at);
  });
}

function valueFaults(key: string, value: string, at: string): Fault[] {
  const quote = /^["'`]/.exec(value)?.[0];
  if (quote !== undefined) {
    // A backslash before the last quote would carry the value on to a later quote.
    const isClosed = new RegExp(`^${quote}([^${quote}]*[^${quote}\\\\])?${quote}\\s*(#.*)?$`).test(value);
    return isClosed
      ? []
      : [{ key, expected: "a quoted value that ends on its line", got: `an open one at ${at}` }];
  }
  const isCut = /\S#/.test(value.replace(/\s#.*$/, ""));
  return isCut ? [{ key, expected: "quotes round a value that holds #", got: `none at ${at}` }] : [];
}

function keyFaults(values: Readonly<Record<string, string>>, known: readonly string[]): Fault[] {
  return Object.keys(values)
    .filter((key) => !known.includes(key) && gitTokenKey(key) === null)
    .map((key) => {
      const near = nearestName(key, known);
      const expected =
        near === null ? "a setting that .env.example names" : `a known setting (did you mean ${near}?)`;
      return { key, expected, got: "an unknown key" };
    });
}
