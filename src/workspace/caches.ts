import { createHash } from "node:crypto";
import { mkdir, readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";

/** A cache that no turn used for so long is removed: package managers fill it again. */
const UNUSED_MS = 30 * 86_400_000;

/**
 * Makes, if need be, the folder in which package managers keep what they downloaded for one person in one project, and notes
 * that it is in use. It is not shared: what one project's build leaves there would be another's code.
 */
export async function cacheDirOf(root: string, userId: number, project: string): Promise<string> {
  const name = createHash("sha256").update(project).digest("hex").slice(0, 16);
  const folder = join(root, String(userId), name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const now = new Date();
  await utimes(folder, now, now);
  return folder;
}

/** Removes what has not been used for 30 days; gives how many. */
export async function removeOldCaches(root: string, now: number): Promise<number> {
  let removed = 0;
  for (const user of await list(root)) {
    for (const name of await list(join(root, user))) {
      const folder = join(root, user, name);
      const { mtimeMs } = await stat(folder);
      if (mtimeMs > now - UNUSED_MS) continue;
      await rm(folder, { recursive: true, force: true });
      removed += 1;
    }
  }
  return removed;
}

async function list(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []); // none was ever made
}

/** Where package managers keep what they download, below the cache folder; and what they say that nobody in a jail can use. */
export function cacheEnv(cacheDir: string): Readonly<Record<string, string>> {
  const at = (name: string): string => join(cacheDir, name);
  return {
    XDG_CACHE_HOME: cacheDir,
    npm_config_cache: at("npm"),
    npm_config_update_notifier: "false",
    YARN_CACHE_FOLDER: at("yarn"),
    npm_config_store_dir: at("pnpm"),
    PIP_CACHE_DIR: at("pip"),
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    UV_CACHE_DIR: at("uv"),
    CARGO_HOME: at("cargo"),
    GOPATH: at("go"),
    GOMODCACHE: at("go/mod"),
    GOCACHE: at("go-build"),
    GOFLAGS: "-mod=mod",
    MAVEN_OPTS: `-Dmaven.repo.local=${at("maven")}`,
    GRADLE_USER_HOME: at("gradle"),
    BUNDLE_PATH: at("bundle"),
  };
}
