import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Gives the way to `real` (a real path) that begins with `root` and is spelled as on disk, or null when there is none.
 * Looks at what the folders are, by device and inode, not at how they are written: a file system may hold `Code` and
 * `code`, or two Unicode forms of `é`, for the same, and one folder may be mounted twice.
 */
export async function canonicalBelow(root: string, real: string): Promise<string | null> {
  const below: string[] = [];
  let folder = real;
  while (!(await isSame(folder, root))) {
    const above = dirname(folder);
    if (above === folder) return null;
    below.unshift(await nameOnDisk(above, basename(folder)));
    folder = above;
  }
  const place = join(root, ...below);
  return (await isSame(place, real)) ? place : null;
}

/** How the folder itself spells that entry. */
async function nameOnDisk(folder: string, name: string): Promise<string> {
  const entries = await readdir(folder).catch((): string[] => []); // not ours to list: the name stays as it is
  if (entries.includes(name)) return name;
  const folded = entries.filter((entry) => fold(entry) === fold(name));
  for (const entry of folded) if (await isSame(join(folder, entry), join(folder, name))) return entry;
  return name;
}

/** Both must exist. */
async function isSame(one: string, other: string): Promise<boolean> {
  if (one === other) return true;
  const [a, b] = await Promise.all([stat(one, { bigint: true }), stat(other, { bigint: true })]);
  return a.ino === b.ino && a.dev === b.dev && a.ino !== 0n;
}

/** Coarser than any file system's own folding; identity decides among what it leaves. */
function fold(name: string): string {
  return name.normalize("NFKD").toUpperCase().toLowerCase();
}
