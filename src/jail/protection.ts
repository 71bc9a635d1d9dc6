import { lstat, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { AppError, isErrno } from "../domain/errors.ts";
import { isWithin } from "./inside-paths.ts";

/** More mounts than this make the start slow; a project that needs them is refused. */
const MAX_MOUNTS = 1000;

/**
 * `pin`: a folder that stays writable and cannot be renamed or removed. `readonly`: a file or folder that cannot be
 * changed. `mask`: a file that reads as empty.
 */
export type ProtectionKind = "pin" | "readonly" | "mask";

/** One mount over a path of the project, and which file was meant: device and inode, as seen when it was planned. */
export interface ProtectedPath {
  readonly path: string;
  readonly kind: ProtectionKind;
  readonly dev: bigint;
  readonly ino: bigint;
}

/** Something that must exist while a jail lives, so that the model cannot make its own: a file, or a folder if `content` is null. */
export interface Guard {
  readonly path: string;
  readonly content: string | null;
}

/** What is found out about a project, collected. All paths lie in the project. */
export interface ProtectionPlan {
  readonly project: string;
  readonly kinds: ReadonlyMap<string, ProtectionKind>;
  readonly guards: readonly Guard[];
}

/** Collects a plan. Adding a path twice keeps the stronger kind. */
export interface PlanBuilder {
  readonly project: string;
  /** The folder, and every folder between it and the project. */
  readonly pin: (path: string) => void;
  /** The path; its parents are pinned, since a renamed parent can be copied back without the mount. */
  readonly protect: (path: string) => void;
  readonly mask: (path: string) => void;
  readonly guard: (guard: Guard) => void;
  readonly isReadonly: (path: string) => boolean;
  readonly build: () => ProtectionPlan;
}

/** An empty plan for the project at that real path. */
export function createPlan(project: string): PlanBuilder {
  const kinds = new Map<string, ProtectionKind>();
  const guards: Guard[] = [];

  function pin(path: string): void {
    for (let at = path; at !== project && isWithin(at, project); at = dirname(at)) {
      if (!kinds.has(at)) kinds.set(at, "pin");
    }
  }
  function protect(path: string): void {
    pin(dirname(path));
    kinds.set(path, "readonly");
  }
  function isReadonly(path: string): boolean {
    for (let at = path; at !== project && isWithin(at, project); at = dirname(at)) {
      if (kinds.get(at) === "readonly") return true;
    }
    return false;
  }
  return {
    project,
    pin,
    protect,
    mask: (path) => kinds.set(path, "mask"),
    guard: (guard) => {
      guards.push(guard);
      protect(guard.path);
    },
    isReadonly,
    build: () => ({ project, kinds: withoutHoles(kinds, isReadonly), guards }),
  };
}

/** A pin inside a read-only folder would make that part of it writable again. */
function withoutHoles(
  kinds: ReadonlyMap<string, ProtectionKind>,
  isReadonly: (path: string) => boolean,
): ReadonlyMap<string, ProtectionKind> {
  return new Map([...kinds].filter(([path, kind]) => kind !== "pin" || !isReadonly(dirname(path))));
}

/**
 * Looks every planned path up, parents before children, without following links. What has gone since is left out.
 * @throws AppError `path_invalid` for a symbolic link, which no mount can hold in place.
 */
export async function identify(plan: ProtectionPlan): Promise<readonly ProtectedPath[]> {
  if (plan.kinds.size > MAX_MOUNTS) {
    throw new AppError(
      "path_invalid",
      `${plan.project} has ${plan.kinds.size} files and folders to protect, the sandbox takes ${MAX_MOUNTS}: work in a smaller folder of it`,
    );
  }
  const found: ProtectedPath[] = [];
  for (const [path, kind] of [...plan.kinds].sort(byPath)) {
    const stats = await lstatOrNull(path);
    if (stats === null) continue;
    if (stats.isSymbolicLink()) {
      throw new AppError(
        "path_invalid",
        `${path} is a symbolic link, which the sandbox cannot protect: put the real ${basename(path)} there, or remove it`,
      );
    }
    found.push({ path, kind, dev: stats.dev, ino: stats.ino });
  }
  return found;
}

/** `lstat` with big integers (inode numbers may exceed 2^53), null when nothing is there. */
export async function lstatOrNull(path: string) {
  return lstat(path, { bigint: true }).catch((error: unknown) => {
    if (isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR")) return null;
    throw error;
  });
}

/** True for a file or folder of another user, whose permissions a jail of ours cannot change. */
export async function isForeign(path: string): Promise<boolean> {
  return (await stat(path)).uid !== process.getuid?.();
}

function byPath([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
