import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** Where installers put the CLI. launchd's and systemd's own PATH have none of them (H80). */
const USUAL_PLACES = ["~/.local/bin", "~/.claude/local", "/opt/homebrew/bin", "/usr/local/bin", "/usr/bin"];

/** The `claude` program on `searchPath`, else in the usual places; null when there is none. Relative entries are passed over. */
export function findClaudeCli(searchPath: string, homeDir: string): string | null {
  const usual = USUAL_PLACES.map((folder) => folder.replace("~", () => homeDir));
  const folders = [...searchPath.split(delimiter).filter((folder) => isAbsolute(folder)), ...usual];
  return folders.map((folder) => join(folder, "claude")).find(isProgram) ?? null;
}

/** True for a file that this user may run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // unreachable for whatever reason is not runnable
  }
}
