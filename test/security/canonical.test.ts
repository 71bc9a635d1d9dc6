import { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { canonicalBelow } from "../../src/security/canonical.ts";
import { tempDir } from "../support/temp.ts";

/** A folder with `code/app` and `other`, and a second way to it, as a second mount would be. */
function createFolders() {
  const base = realpathSync(tempDir());
  const root = join(base, "root");
  mkdirSync(join(root, "code/app"), { recursive: true });
  mkdirSync(join(root, "other"));
  mkdirSync(join(base, "beside"));
  symlinkSync(root, join(base, "again"));
  return { base, root, again: join(base, "again") };
}

test("the way to a folder below the root is told as the root has it, whichever way leads there", async () => {
  const { root, again } = createFolders();
  expect(await canonicalBelow(root, root)).toBe(root);
  expect(await canonicalBelow(root, join(root, "code/app"))).toBe(join(root, "code/app"));
  expect(await canonicalBelow(again, root)).toBe(again);
  expect(await canonicalBelow(again, join(root, "code/app"))).toBe(join(again, "code/app"));
  expect(await canonicalBelow(root, join(again, "other"))).toBe(join(root, "other"));
});

test("what is not below the root has no way, and what does not exist is an error", async () => {
  const { base, root } = createFolders();
  expect(await canonicalBelow(root, join(base, "beside"))).toBeNull();
  expect(await canonicalBelow(join(root, "code"), join(root, "other"))).toBeNull();
  expect(await canonicalBelow(root, base)).toBeNull();
  await expect(canonicalBelow(root, join(root, "gone"))).rejects.toMatchObject({ code: "ENOENT" });
});
