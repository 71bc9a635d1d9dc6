/** Folders in which the file tools write nothing: all that lies in them runs or decides something later (H22, H31). */
const FOLDERS: ReadonlySet<string> = new Set([".git", ".claude", ".vscode", ".idea", ".husky"]);
const FILES: ReadonlySet<string> = new Set([".mcp.json"]);

/** The CLI's own folder for plans, which it writes with its file tools while it plans. */
const PLAN = /\/\.claude\/plans\/[^/]+\.md$/;

/**
 * True when nothing may be written at a folded path: it is, or lies in, a folder of git, of the CLI or of an editor, at any
 * depth. More than the deny rules say, which hold for commands too: git itself has to write in `.git`.
 */
export function isProtected(path: string): boolean {
  const names = path.replace(PLAN, "/plan").split("/");
  return names.some((name) => FOLDERS.has(name)) || FILES.has(names.at(-1) ?? "");
}
