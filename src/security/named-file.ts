import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import type { ApprovedPath } from "../domain/approved-path.ts";
import type { IsSecret } from "../domain/secret-files.ts";
import { isInside } from "./is-inside.ts";
import { faultOfProjectName } from "./path-text.ts";
import type { PathJail } from "./paths.ts";

/** What a person named as a file of a project. `root` is the project's real path, `path` is below it, spelled as on disk. */
export type NamedFile =
  | { readonly kind: "secret" | "plain"; readonly root: ApprovedPath; readonly path: string }
  /** No name was given, or there is no such file in that project. */
  | { readonly kind: "unnamed" | "missing"; readonly root: ApprovedPath }
  /** The project is not there any more. */
  | { readonly kind: "gone" };

/** Finds a file by its name below a project. Never rejects. */
export type FindFile = (project: string, name: string) => Promise<NamedFile>;

/**
 * Looks a name up and tells whether the list of secrets has it. The folder is resolved; the file itself is not, since a link
 * stands under its own name in the list, but what it leads to has to be a file of the project too.
 */
export function createFindFile(paths: PathJail, isSecret: IsSecret): FindFile {
  async function find(root: ApprovedPath, name: string): Promise<NamedFile> {
    const folder = await paths.approve(dirname(join(root, name)));
    const place = join(folder, basename(name));
    const real = await realpath(place);
    const isOfProject = isInside(root, place) && isInside(root, real) && (await lstat(real)).isFile();
    if (!isOfProject) return { kind: "missing", root };
    const path = relative(root, place);
    const folders = path.split("/").map((_, index, names) => names.slice(0, index + 1).join("/"));
    return { kind: folders.some(isSecret) ? "secret" : "plain", root, path };
  }

  return async (project, name) => {
    const root = await paths.resolveProjectName(project).catch(() => null);
    if (root === null) return { kind: "gone" };
    if (name === "") return { kind: "unnamed", root };
    if (faultOfProjectName(name) !== null) return { kind: "missing", root };
    // Not there, or not ours to see: no difference to whoever asks.
    return find(root, name).catch(() => ({ kind: "missing", root }));
  };
}
