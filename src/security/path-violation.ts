import { join } from "node:path";
import { AppError } from "../domain/errors.ts";
import { faultOfProjectName } from "./path-text.ts";
import type { PathJail } from "./paths.ts";

/** How a path that somebody named was a try at what he may not reach. */
export type PathViolation = "path_traversal" | "symlink_escape" | "injection";

/** Tells whether naming that path, below that project if any, was such a try; null for a name that is merely wrong. Never rejects. */
export type FindViolation = (project: string | null, name: string) => Promise<PathViolation | null>;

/** What would make a shell run something else, or end a text early for a program in C. */
const INJECTION = /[;|`\0]|&&|\$[({]/;

/**
 * By the text: `..` and absolute paths aim out of the approved directory, the signs of a shell and NUL at what reads them. A
 * text without either that leads out all the same does so by a link.
 */
export function createFindViolation(paths: Pick<PathJail, "approve">): FindViolation {
  return async (project, name) => {
    if (INJECTION.test(name)) return "injection";
    if (faultOfProjectName(name)?.code === "path_outside") return "path_traversal";
    if (name === "") return null;
    return paths.approve(join(project ?? "", name)).then(
      () => null,
      (error: unknown) => (isOutside(error) ? "symlink_escape" : null),
    );
  };
}

/** True for what `approve` rejects with when a path leads out of the approved directory. */
export function isOutside(error: unknown): boolean {
  return error instanceof AppError && error.code === "path_outside";
}
