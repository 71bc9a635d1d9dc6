import { homedir } from "node:os";
import { dirname } from "node:path";

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
  };
}
