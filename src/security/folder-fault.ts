import { isErrno } from "../domain/errors.ts";
import { moveMend, writeMend } from "./access.ts";

/** What kept a folder of the daemon's own from taking a file, in words, with the line that mends it; null where that is not known. */
export function folderFault(error: unknown, folder: string): string | null {
  const is = (code: string): boolean => isErrno(error, code);
  if (is("ENOSPC") || is("EDQUOT")) return "the disk of this machine is full";
  if (is("EACCES") || is("EPERM") || is("EROFS"))
    return `I may not write where files are kept. At the machine: ${writeMend(folder)}`;
  if (is("ENOTDIR") || is("EEXIST"))
    return `what stands where files are kept is no folder. At the machine: ${moveMend(folder)}`;
  return null;
}
