import { access, constants, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { createIsSecret } from "../domain/secret-files.ts";
import { collisionWith, isWithin } from "./inside-paths.ts";
import { toolRootOf } from "./tool-root.ts";

/** Programs that projects are built and tested with. */
const PROGRAMS = (
  "node npm npx pnpm yarn bun deno python3 python pip pip3 uv poetry cargo rustc go java javac mvn gradle ruby gem bundle " +
  "make cmake ninja gcc clang rg fd jq"
).split(" ");
/** What the jail shows of every system. */
const SYSTEM = ["/usr", "/bin", "/sbin", "/lib"];
/** Databases and sockets of services in a Homebrew prefix. */
const PREFIX_WITHOUT = ["var"];

/** Toolchains to be shown in jails, read-only, at their own places. */
export interface Toolchains {
  readonly tools: readonly string[];
  /** Folders for the front of PATH. */
  readonly path: readonly string[];
  /** What was found and is not shown, and why: a line each. */
  readonly refused: readonly string[];
}

/** What no toolchain may hold or lie in. Real paths. */
export interface ToolPlaces {
  readonly home: string;
  /** The daemon's own folder, and the approved directory. */
  readonly closed: readonly string[];
}

const isSecret = createIsSecret();

/** Looks through the folders of a PATH for the programs above and gives the toolchains to which they belong. */
export async function findToolchains(path: readonly string[], places: ToolPlaces): Promise<Toolchains> {
  const tools = new Set<string>();
  const bins = new Set<string>();
  const refused = new Set<string>();
  for (const name of PROGRAMS) {
    const found = await locate(name, path);
    if (found === null || SYSTEM.some((folder) => isWithin(found.real, folder))) continue;
    const root = (await toolRootOf(found.file, found.real)) ?? { root: found.real, bin: dirname(found.real) };
    const fault = await faultOf(root.root, places);
    if (fault !== null) {
      refused.add(`${name}: ${fault}`);
      continue;
    }
    for (const part of await partsOf(root.root)) tools.add(part);
    bins.add(root.bin);
  }
  return { tools: withoutNested([...tools]), path: [...bins], refused: [...refused] };
}

/** The same for folders that the owner named; the words say what is wrong with one. */
export async function namedToolchains(
  folders: readonly string[],
  places: ToolPlaces,
): Promise<Toolchains | string> {
  const tools: string[] = [];
  const bins: string[] = [];
  for (const folder of folders) {
    const real = await realpath(folder).catch(() => null); // told just below
    if (real === null) return `${folder} does not exist`;
    const fault = await faultOf(real, places);
    if (fault !== null) return fault;
    tools.push(...(await partsOf(real)));
    const bin = join(real, "bin");
    bins.push((await isFolder(bin)) ? bin : (await isFolder(real)) ? real : dirname(real));
  }
  return { tools: withoutNested(tools), path: bins, refused: [] };
}

/** Why this may not be shown in a jail; null when it may. */
async function faultOf(root: string, { home, closed }: ToolPlaces): Promise<string | null> {
  const stats = await stat(root).catch(() => null); // a shim of a version that was removed
  if (stats === null) return `${root} does not exist`;
  if (isWithin(home, root)) return `${root} is, or holds, the home folder`;
  const near = closed.find((place) => isWithin(root, place) || isWithin(place, root));
  if (near !== undefined) return `${root} lies in ${near}, or holds it`;
  if (root.split("/").some((name) => isSecret(name)) || isSecret(root))
    return `${root} is on the list of secrets`;
  const isOpen =
    (stats.mode & 0o002) !== 0 || ((stats.mode & 0o020) !== 0 && stats.gid !== process.getgid?.());
  if (isOpen) return `${root} can be written by others: chmod o-w,g-w ${root}`;
  const place = collisionWith(root);
  return place === null ? null : `${root} collides with ${place} of the sandbox`;
}

/** A prefix of Homebrew is shown without what its services write. */
async function partsOf(root: string): Promise<readonly string[]> {
  const isPrefix = basename(root) === "homebrew" || basename(root) === ".linuxbrew";
  if (!isPrefix) return [root];
  const names = await readdir(root);
  return names.filter((name) => !PREFIX_WITHOUT.includes(name)).map((name) => join(root, name));
}

async function locate(
  name: string,
  path: readonly string[],
): Promise<{ readonly file: string; readonly real: string } | null> {
  for (const folder of path) {
    const file = join(folder, name);
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false, // the answer asked for
    );
    if (isThere && (await stat(file)).isFile()) return { file, real: await realpath(file) };
  }
  return null;
}

function withoutNested(paths: readonly string[]): readonly string[] {
  const unique = [...new Set(paths)];
  return unique.filter((path) => !unique.some((other) => other !== path && isWithin(path, other)));
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false; // not there is no folder
}
