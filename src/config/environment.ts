import { homedir } from "node:os";
import { dirname } from "node:path";
import { zoneNameOf } from "./values.ts";

/** Two folders up, from `src/config` as from `dist/config`. */
const PROGRAM_DIR = dirname(dirname(import.meta.dirname));

/** What the settings are read from, apart from the command line. Paths are absolute. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The folder of the program's `package.json`. */
  readonly programDir: string;
  readonly homeDir: string;
  readonly platform: string;
  /** The Node binary that runs this. */
  readonly nodePath: string;
  /** As whom this runs, by number; null where users have none. */
  readonly userId: number | null;
}

/**
 * Makes the zone that of the whole process: of its budgets, and of every time that it tells. Null takes the system's, or UTC where
 * that has no name (an empty `TZ`, one that is a rule or a path). Gives the zone's name, and whether it had to be made up.
 */
export function adoptTimeZone(zone: string | null): { readonly name: string; readonly isMadeUp: boolean } {
  const wanted = zoneNameOf(zone ?? process.env.TZ ?? "");
  if (wanted === null) delete process.env.TZ;
  else process.env.TZ = wanted;
  const found = zoneNameOf(Intl.DateTimeFormat().resolvedOptions().timeZone);
  if (found !== null) return { name: found, isMadeUp: false };
  process.env.TZ = "UTC";
  return { name: "UTC", isMadeUp: true };
}

/** The surroundings of this very process. The one place that reads the process's environment. */
export function readEnvironment(): Surroundings {
  return {
    env: { ...process.env },
    cwd: process.cwd(),
    programDir: PROGRAM_DIR,
    homeDir: homedir(),
    platform: process.platform,
    nodePath: process.execPath,
    userId: process.geteuid?.() ?? null,
  };
}
