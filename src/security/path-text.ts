import { isAbsolute } from "node:path";
import type { ErrorCode } from "../domain/errors.ts";

/** PATH_MAX of Linux, with the ending NUL; macOS has 1024 and says so itself. */
const MAX_BYTES = 4_095;

/** Signs that a shell would give a meaning. No path of ours meets a shell; a name that has them is a try or a mistake. */
const SHELL_SIGNS = /[~$`;|]|&&/;

/** What is wrong with a path as text, or null: empty, too long, or with characters that no honest path has. */
export function faultOfPath(path: string): string | null {
  if (path === "") return "Expected a path";
  if (Buffer.byteLength(path) > MAX_BYTES) return `Expected a path of at most ${MAX_BYTES} bytes`;
  if (/[\p{Cc}\p{Cs}]/u.test(path)) return "Expected a path without control characters";
  return null;
}

/** What is wrong with the argument of `/repo` as text, or null. `path_outside` is what aims out of the directory. */
export function faultOfProjectName(name: string): { code: ErrorCode; message: string } | null {
  const fault = faultOfPath(name);
  if (fault !== null) return { code: "path_invalid", message: fault };
  if (isAbsolute(name)) return { code: "path_outside", message: "Expected a name, not an absolute path" };
  if (name.split(/[/\\]/).includes(".."))
    return { code: "path_outside", message: "Expected a name without .." };
  if (SHELL_SIGNS.test(name))
    return { code: "path_invalid", message: "Expected a name without ~ $ ` ; | &&" };
  return null;
}
