import { lstatSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { isErrno } from "../domain/errors.ts";
import type { Remarks } from "./faults.ts";
import { placesOf } from "./places.ts";

const ROOT = 0;
/** How Linux shows a user that has no name in this namespace; nobody can act as him. */
const UNMAPPED = 65_534;
const GROUP_WRITE = 0o020;
const WORLD_WRITE = 0o002;
const STICKY = 0o1000;

/** How others get at something of the owner's, and the command that ends it. */
export interface Exposure {
  readonly key: string;
  readonly what: string;
  readonly mend: string;
  /**
   * `always` for what others may change: they would decide what the settings are, that they are judged mildly included.
   * `production` for what they may only read.
   */
  readonly refused: "always" | "production";
}

/** Exposures as the environment judges them: faults, or warnings in development. */
export function judgeExposures(
  exposures: readonly Exposure[],
  environment: "production" | "development",
): Remarks {
  const isRefused = ({ refused }: Exposure): boolean => refused === "always" || environment === "production";
  return {
    faults: exposures
      .filter(isRefused)
      .map(({ key, what, mend }) => ({ key, expected: `what is its owner's alone (${mend})`, got: what })),
    warnings: exposures.filter((one) => !isRefused(one)).map(({ what, mend }) => `${what}: ${mend}`),
  };
}

/** How others get at a file that holds settings or a secret, by its own mode and owner. `userId` null: owners are not compared. */
export function exposuresOfFile(
  { key, path }: { readonly key: string; readonly path: string },
  stats: Stats,
  userId: number | null,
): Exposure[] {
  const mend = `chmod 600 ${path}`;
  const open: Exposure[] =
    (stats.mode & (GROUP_WRITE | WORLD_WRITE)) !== 0
      ? [{ key, what: `${path}, which others than its owner may write`, mend, refused: "always" }]
      : (stats.mode & 0o077) === 0 || isHandedIn(path, stats)
        ? []
        : [{ key, what: `${path}, which others than its owner can read`, mend, refused: "production" }];
  return [...ownerExposures({ key, path }, stats, userId), ...open];
}

/** Containers hand secrets in as files of root's that all in the container can read, and nobody can chmod. */
function isHandedIn(path: string, { uid }: Stats): boolean {
  return uid === ROOT && /^\/(?:var\/)?run\/secrets\//.test(path);
}

/** How others get at a folder of the daemon's own: owned by another user, or one in which others may put things. */
export function exposuresOfFolder(
  { key, path }: { readonly key: string; readonly path: string },
  userId: number | null,
): Exposure[] {
  const stats = statsOf(path);
  if (stats?.isDirectory() !== true) return [];
  const isOpen = (stats.mode & (GROUP_WRITE | WORLD_WRITE)) !== 0;
  const what = `${path}, in which others than its owner may put things`;
  const open: Exposure[] = isOpen ? [{ key, what, mend: `chmod 700 ${path}`, refused: "always" }] : [];
  return [...ownerExposures({ key, path }, stats, userId), ...open];
}

/**
 * Who else decides where `path` leads: folders above it, those of links on the way included, in which others may rename things.
 * A sticky one, such as /tmp, keeps everybody to his own.
 */
export function exposuresAbove(
  { key, path }: { readonly key: string; readonly path: string },
  userId: number | null,
): Exposure[] {
  const places = placesOf(path);
  const links = places.slice(0, -1).flatMap((link) => linkExposures({ key, path: link }, userId));
  const folders = new Set(places.flatMap((place) => ancestorsOf(dirname(place))));
  return [...links, ...[...folders].flatMap((folder) => folderExposures({ key, path: folder }, userId))];
}

interface Named {
  readonly key: string;
  readonly path: string;
}

function linkExposures(named: Named, userId: number | null): Exposure[] {
  const stats = statsOf(named.path);
  return stats === null ? [] : ownerExposures(named, stats, userId);
}

function folderExposures({ key, path }: Named, userId: number | null): Exposure[] {
  const stats = statsOf(path);
  if (stats === null || stats.isSymbolicLink()) return []; // it is a place of its own
  const owner = ownerExposures({ key, path }, stats, userId);
  if ((stats.mode & STICKY) !== 0) return owner;
  const what = `${path} above it, in which others may rename and replace things`;
  if ((stats.mode & WORLD_WRITE) !== 0)
    return [...owner, { key, what, mend: `chmod go-w ${path}`, refused: "always" }];
  // The group of root is root's own; any other may be a person's alone, which cannot be seen.
  if ((stats.mode & GROUP_WRITE) !== 0 && stats.gid !== ROOT)
    return [...owner, { key, what, mend: `chmod g-w ${path}`, refused: "production" }];
  return owner;
}

function ownerExposures({ key, path }: Named, { uid }: Stats, userId: number | null): Exposure[] {
  if (userId === null || uid === userId || uid === ROOT || uid === UNMAPPED) return [];
  return [{ key, what: `${path}, which belongs to user ${uid}`, mend: `chown it to you`, refused: "always" }];
}

function ancestorsOf(folder: string): readonly string[] {
  return dirname(folder) === folder ? [folder] : [folder, ...ancestorsOf(dirname(folder))];
}

function statsOf(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch (error) {
    // What is not there yet, or cannot be looked at, has its own fault where it is used.
    if (["ENOENT", "ENOTDIR", "EACCES", "ELOOP"].some((code) => isErrno(error, code))) return null;
    throw error;
  }
}
