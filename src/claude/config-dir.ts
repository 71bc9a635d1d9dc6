import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * Makes, if need be, the CLI's own folder for one person in one project and returns its path. Sessions, memory and shell
 * snapshots of one person never reach another, nor another project (H34).
 */
export async function configDirOf(root: string, userId: number, project: string): Promise<string> {
  const name = createHash("sha256").update(project).digest("hex").slice(0, 16);
  const folder = join(root, String(userId), name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}
