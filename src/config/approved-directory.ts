import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { isErrno, messageOf } from "../domain/errors.ts";
import { type Fault, quoted } from "./faults.ts";
import { isWithin, placesOf, realPathOf } from "./places.ts";

const KEY = "APPROVED_DIRECTORY";
const SYSTEM_PLACES = ["/", "/home", "/Users", "/opt", "/etc", "/var", "/usr", "/System"];
const HOMES = ["/home", "/Users"];

/** A place that nobody working in the approved directory may reach. */
export interface ProtectedPlace {
  readonly path: string;
  readonly what: string;
}

/** What the approved directory is judged by. Paths are absolute; places that do not exist are allowed. */
export interface ApprovedDirectoryQuestion {
  readonly path: string;
  readonly environment: "production" | "development";
  readonly homeDir: string;
  readonly programDir: string;
  readonly protectedPlaces: readonly ProtectedPlace[];
}

/** The real path, with faults and warnings of the rules in product.md, section 1. */
export interface ApprovedDirectoryAnswer {
  readonly realPath: string;
  readonly faults: readonly Fault[];
  readonly warnings: readonly string[];
}

/** Judges the approved directory (H33): it must be a folder of projects that holds nothing the daemon itself lives by. */
export function judgeApprovedDirectory(question: ApprovedDirectoryQuestion): ApprovedDirectoryAnswer {
  const { path } = question;
  try {
    const realPath = realPathOf(path);
    const stats = statSync(realPath);
    if (!stats.isDirectory()) return refuse(path, "a directory", `${show(path, realPath)}, which is none`);
    const refused = refusedPlace(realPath, question.homeDir);
    if (refused) return refuse(path, `a folder of projects, not ${refused}`, show(path, realPath));
    const overlaps = judgeOverlaps(realPath, question);
    const open = judgeMode(realPath, stats.mode, question.environment);
    return {
      realPath,
      faults: [...overlaps.faults, ...open.faults],
      warnings: [...overlaps.warnings, ...open.warnings],
    };
  } catch (error) {
    const got = isErrno(error, "ENOENT") ? `${quoted(path)}, which does not exist` : messageOf(error);
    return refuse(path, "a directory that exists", got);
  }
}

type Findings = Omit<ApprovedDirectoryAnswer, "realPath">;

function refuse(realPath: string, expected: string, got: string): ApprovedDirectoryAnswer {
  return { realPath, faults: [{ key: KEY, expected, got }], warnings: [] };
}

/** Other people's homes are known by where they lie; a system place is refused by any of its names, and so is what holds one. */
function refusedPlace(realPath: string, homeDir: string): string | null {
  const homes = [homeDir, "/root"];
  if (
    HOMES.some((folder) => dirname(realPath) === realPathOf(folder)) ||
    homes.some((home) => holds(realPath, home))
  )
    return "a home directory itself or what holds one";
  const system = [...SYSTEM_PLACES, join(homeDir, "Library")].find((place) => holds(realPath, place));
  return system === undefined ? null : `${system} or what holds it`;
}

function holds(realPath: string, place: string): boolean {
  return isWithin(realPathOf(place), realPath);
}

function judgeOverlaps(realPath: string, question: ApprovedDirectoryQuestion): Findings {
  const program = realPathOf(question.programDir);
  const isCheckoutInside =
    question.environment === "development" && program !== realPath && isWithin(program, realPath);
  const excused = (place: string) => isCheckoutInside && isWithin(place, program);
  const wrong = question.protectedPlaces.filter(({ path }) =>
    placesOf(path).some(
      (place) => (isWithin(place, realPath) && !excused(place)) || isWithin(realPath, place),
    ),
  );
  return {
    faults: wrong.map(({ path, what }) => ({
      key: KEY,
      expected: `a folder that neither holds nor lies in ${what}`,
      got: `${show(question.path, realPath)} against ${path}`,
    })),
    warnings: isCheckoutInside
      ? [`${KEY} holds the program itself (${program}): allowed in development only, and left out of /repo`]
      : [],
  };
}

function judgeMode(realPath: string, mode: number, environment: "production" | "development"): Findings {
  if ((mode & 0o002) === 0) return { faults: [], warnings: [] };
  if (environment === "development")
    return { faults: [], warnings: [`${KEY} may be written by everybody: chmod o-w ${realPath}`] };
  const expected = "a folder that not everybody may write (chmod o-w)";
  return { faults: [{ key: KEY, expected, got: realPath }], warnings: [] };
}

function show(path: string, realPath: string): string {
  return path === realPath ? quoted(path) : `${quoted(path)} (really ${quoted(realPath)})`;
}
