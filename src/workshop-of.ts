import type { ApprovedPath } from "./domain/approved-path.ts";
import type { Workshop } from "./jail/jail.ts";
import type { Toolchains } from "./jail/toolchains.ts";
import { cacheDirOf, cacheEnv } from "./workspace/caches.ts";

/** What is the same in every jail of this daemon. */
export interface Toolbox extends Pick<Toolchains, "tools" | "path"> {
  /** Variables by which git commits as the owner. */
  readonly identity: Readonly<Record<string, string>>;
}

interface WorkshopDeps {
  /** Resolves when the machine has been looked through. */
  readonly toolbox: () => Promise<Toolbox>;
  readonly gitEnvOf: (project: ApprovedPath) => Promise<Readonly<Record<string, string>>>;
  /** The files of the list of secrets that this project shows; absolute paths. */
  readonly exposedIn: (project: ApprovedPath) => readonly string[];
  /** The folder of all caches. */
  readonly cacheRoot: string;
  /** The folder for what this person sends to this project; made when it is not there. */
  readonly uploadsDirOf: (userId: number, project: ApprovedPath) => Promise<string>;
}

/** Gives what a person's jail in a project offers beside it: tools, a cache of its own, git's name and way out. */
export function createWorkshopOf(deps: WorkshopDeps) {
  const { toolbox, gitEnvOf, exposedIn, cacheRoot, uploadsDirOf } = deps;
  return async (userId: number, project: ApprovedPath): Promise<Workshop> => {
    const [{ tools, path, identity }, gitEnv, cacheDir, uploadsDir] = await Promise.all([
      toolbox(),
      gitEnvOf(project),
      cacheDirOf(cacheRoot, userId, project),
      uploadsDirOf(userId, project),
    ]);
    return {
      tools,
      path,
      cacheDir,
      uploadsDir,
      env: (inside) => ({
        ...identity,
        ...gitEnv,
        ...(inside.cacheDir === null ? {} : cacheEnv(inside.cacheDir)),
      }),
      exposed: exposedIn(project),
    };
  };
}
