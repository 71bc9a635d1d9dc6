import { realpathSync } from "node:fs";
import type { ApprovedPath } from "../../src/domain/approved-path.ts";

/** A folder of the bench's own as a project for a jail. */
export function approved(path: string): ApprovedPath {
  if (isReal(path)) return path;
  throw new Error(`Expected a real path, got ${path}`);
}

function isReal(path: string): path is ApprovedPath {
  return realpathSync(path) === path;
}
