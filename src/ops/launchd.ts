import { readFileSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { readEnvironment } from "../config/environment.ts";
import { homeOf } from "../config/home-of.ts";
import { AppError, EXIT } from "../domain/errors.ts";

/** The template, part of the package. */
const TEMPLATE = resolve(import.meta.dirname, "../../launchd/com.sallyport.daemon.plist");

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** What the LaunchAgent is made of: absolute paths. */
export interface LaunchdPaths {
  /** The Node binary, one that no upgrade of the machine's own removes. */
  readonly node: string;
  /** The program's entry, `dist/bin.js`. */
  readonly program: string;
  /** `SALLYPORT_HOME`. Must exist when launchd starts the program: it is the working directory too. */
  readonly home: string;
  /** The settings file. */
  readonly settings: string;
  /** The user's home folder, for `~/.local/bin` on PATH. */
  readonly userHome: string;
  /** The file that takes standard output and standard error. */
  readonly log: string;
}

/**
 * The property list of the LaunchAgent (launchd.plist(5)), from `launchd/com.sallyport.daemon.plist` (H80). Throws
 * `path_invalid` for a path that is not absolute, that XML cannot hold, or that would split PATH. Writes nothing.
 */
export function renderLaunchdPlist(paths: LaunchdPaths): string {
  const values = new Map<string, string>(Object.entries(paths));
  for (const [name, path] of values) checkPath(name, path);
  if (paths.userHome.includes(":"))
    throw invalid("userHome", "a path without a colon, which splits PATH", paths.userHome);
  return readFileSync(TEMPLATE, "utf8").replace(/\{\{(\w*)\}\}/g, (_, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw invalid(name, "a path for this name of the template", "nothing");
    return escapeXml(value);
  });
}

/** Prints the LaunchAgent of this very installation and returns the exit code. Throws as `renderLaunchdPlist` does. */
export function printPlist(envFile: string | null): number {
  const surroundings = readEnvironment();
  const home = resolve(homeOf(surroundings, envFile));
  const paths: LaunchdPaths = {
    node: surroundings.nodePath,
    program: join(surroundings.programDir, "dist", "bin.js"),
    home,
    settings: resolve(envFile ?? join(home, ".env")),
    userHome: surroundings.homeDir,
    log: join(home, "sallyport.log"),
  };
  process.stdout.write(renderLaunchdPlist(paths));
  return EXIT.ok;
}

function checkPath(name: string, path: string): void {
  if (!isAbsolute(path)) throw invalid(name, "an absolute path", path);
  if (/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/u.test(path))
    throw invalid(name, "a path without control characters", path);
}

function invalid(name: string, expected: string, got: string): AppError {
  return new AppError("path_invalid", `launchd ${name}: expected ${expected}, got ${JSON.stringify(got)}`);
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? sign);
}
