import { existsSync, mkdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cacheDirOf, removeOldCaches } from "../../src/workspace/caches.ts";
import { tempDir } from "../support/temp.ts";

const DAY_MS = 86_400_000;

test("H34: each person has a cache of his own in each project, closed to others", async () => {
  const root = tempDir("caches-");
  const folders = await Promise.all([
    cacheDirOf(root, 1, "/p/a"),
    cacheDirOf(root, 1, "/p/b"),
    cacheDirOf(root, 2, "/p/a"),
  ]);
  expect(new Set(folders).size).toBe(3);
  expect(await cacheDirOf(root, 1, "/p/a")).toBe(folders[0]);
  for (const folder of folders) expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test("a cache that was not used for 30 days is removed, another stays", async () => {
  const root = tempDir("caches-");
  const [old, used] = [await cacheDirOf(root, 1, "/p/a"), await cacheDirOf(root, 1, "/p/b")];
  mkdirSync(join(old, "npm"));
  writeFileSync(join(old, "npm/x"), "x");
  const then = new Date(Date.now() - 31 * DAY_MS);
  for (const folder of [old, used]) utimesSync(folder, then, then);
  await cacheDirOf(root, 1, "/p/b");
  expect(await removeOldCaches(root, Date.now())).toBe(1);
  expect([existsSync(old), existsSync(used)]).toEqual([false, true]);
  expect(await removeOldCaches(join(root, "none"), Date.now())).toBe(0);
});
