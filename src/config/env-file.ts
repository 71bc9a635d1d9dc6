import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { parse } from "dotenv";
import { isErrno, messageOf } from "../domain/errors.ts";
import type { Fault } from "./faults.ts";
import { gitTokenKey, hostlessFault, suggestGitToken } from "./git-token.ts";
import { nearestName } from "./nearest.ts";
import { expandHome, realPathOf } from "./places.ts";
import { type Exposure, exposuresAbove, exposuresOfFile } from "./private-path.ts";

/** Settings files are a few hundred lines; this keeps a wrong path from filling the memory. */
const MAX_SETTINGS_BYTES = 1_048_576;
/** A named pipe with nobody at its other end would be waited for. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
/** What the name of a setting looks like, in capitals or not; words of base64 are of both. */
const NAME = /^(?:[A-Z]{1,20}[0-9]{0,3}(?:_[A-Z0-9]{1,20})*|[a-z]{1,20}[0-9]{0,3}(?:_[a-z0-9]{1,20})*)$/;
/** What dotenv takes for an assignment. */
const ASSIGNMENT = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=|:(?=\s))(.*)$/;

/** What was read from a file, with what is wrong about it and how others get at it. */
export interface FileRead<T> {
  readonly content: T;
  readonly faults: readonly Fault[];
  readonly exposures: readonly Exposure[];
}

/** A file that is read, and what for. */
interface PrivateFile {
  readonly path: string;
  readonly key: string;
  readonly maxBytes: number;
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

/** Reads a settings file. Lines that are no assignment, keys that are not `known`, by what stands in it, doubled keys and lost text are faults. */
export function readSettingsFile(
  path: string,
  known: (values: Readonly<Record<string, string>>) => readonly string[],
  userId: number | null,
): FileRead<Record<string, string>> {
  const file = { path, key: "settings file", maxBytes: MAX_SETTINGS_BYTES };
  const { content, faults, exposures } = readPrivateFile(file, userId);
  const text = content.replace(/^\uFEFF/, "");
  const values = parse(text);
  return {
    content: values,
    exposures,
    faults: [...faults, ...lineFaults(text, path), ...keyFaults(values, known(values))],
  };
}

/** Reads a file that is its owner's alone. One that others may change is not read; neither is what is no file, or too large. */
export function readPrivateFile(file: PrivateFile, userId: number | null): FileRead<string> {
  const { path, key } = file;
  let fd: number | null = null;
  try {
    fd = openSync(path, READ);
    const stats = fstatSync(fd);
    const refusal = refusalOf(stats, file.maxBytes);
    if (refusal)
      return { content: "", faults: [{ key, ...refusal, got: `${path} ${refusal.got}` }], exposures: [] };
    const exposures = [...exposuresOfFile(file, stats, userId), ...exposuresAbove(file, userId)];
    const isForeign = exposures.some(({ refused }) => refused === "always");
    return { content: isForeign ? "" : readFileSync(fd, "utf8"), faults: [], exposures };
  } catch (error) {
    const got = isErrno(error, "ENOENT") ? `${path}, which does not exist` : messageOf(error);
    return { content: "", faults: [{ key, expected: "a file that can be read", got }], exposures: [] };
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

function refusalOf(stats: Stats, maxBytes: number): Omit<Fault, "key"> | null {
  if (!stats.isFile()) return { expected: "a regular file", got: "which is none" };
  if (stats.size > maxBytes) return { expected: `at most ${maxBytes} bytes`, got: `of ${stats.size} bytes` };
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
      return [{ key: shown(key), expected: "one line", got: `lines ${first} and ${index + 1} of ${path}` }];
    firstLines.set(key, index + 1);
    return valueFaults(shown(key), value, at);
  });
}

/** `behind` is all that stands behind the sign: a `#` there begins a remark only where a blank is before it. */
function valueFaults(key: string, behind: string, at: string): Fault[] {
  const value = behind.trim();
  const quote = /^["'`]/.exec(value)?.[0];
  if (quote !== undefined) {
    // A backslash before the last quote would carry the value on to a later quote.
    const isClosed = new RegExp(`^${quote}([^${quote}]*[^${quote}\\\\])?${quote}\\s*(#.*)?$`).test(value);
    return isClosed
      ? []
      : [{ key, expected: "a quoted value that ends on its line", got: `an open one at ${at}` }];
  }
  const isCut = behind.startsWith("#") || /\S#/.test(value.replace(/\s#.*$/, ""));
  return isCut ? [{ key, expected: "quotes round a value that holds #", got: `none at ${at}` }] : [];
}

function keyFaults(values: Readonly<Record<string, string>>, known: readonly string[]): Fault[] {
  return Object.keys(values)
    .filter((key) => !known.includes(key) && gitTokenKey(key) === null)
    .map((key) => {
      const hostless = hostlessFault(key);
      if (hostless !== null) return hostless;
      const near = suggestGitToken(key) ?? nearestName(key, known);
      const expected =
        near === null ? "a setting that .env.example names" : `a known setting (did you mean ${near}?)`;
      return { key: near === null ? shown(key) : key, expected, got: "an unknown key" };
    });
}

/** A key that looks like a name. Another may be a secret on a line of its own: base64 ends in `=`, as a key does. */
function shown(key: string): string {
  return NAME.test(key) ? key : "a key that is not shown, since it may be a secret,";
}
