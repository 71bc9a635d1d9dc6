import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createFindViolation, type FindViolation } from "../../src/security/path-violation.ts";
import { createPathJail } from "../../src/security/paths.ts";
import { tempDir } from "../support/temp.ts";

async function createFind(): Promise<FindViolation> {
  const folder = tempDir();
  const root = join(folder, "projects");
  mkdirSync(join(root, "app/src"), { recursive: true });
  writeFileSync(join(root, "app/a file (1).txt"), "");
  symlinkSync("/etc", join(root, "etc"));
  symlinkSync("../..", join(root, "app/up"));
  symlinkSync("src", join(root, "app/inner"));
  return createFindViolation(await createPathJail(root));
}

test.each([
  [null, "..", "path_traversal"],
  [null, "app/../..", "path_traversal"],
  [null, "/etc/passwd", "path_traversal"],
  ["app", "..\\..", "path_traversal"],
  [null, "etc", "symlink_escape"],
  [null, "etc/hostname-that-is-not-there", "symlink_escape"],
  ["app", "up", "symlink_escape"],
  ["app", "up/other", "symlink_escape"],
  [null, "app; rm -rf ~", "injection"],
  [null, "app && id", "injection"],
  [null, "a|b", "injection"],
  [null, "`id`", "injection"],
  [null, "$(id)", "injection"],
  [null, "app\0.txt", "injection"],
  [null, "../../$(id)", "injection"],
] as const)("H01: below %s the name %j is the violation %s", async (project, name, violation) => {
  expect(await (await createFind())(project, name)).toBe(violation);
});

test.each([
  [null, ""],
  [null, "app"],
  [null, "nothing-of-that-name"],
  [null, "$HOME"],
  [null, "~"],
  [null, "x".repeat(5_000)],
  ["app", "src"],
  ["app", "inner"],
  ["app", "a file (1).txt"],
  ["gone", "a"],
] as const)("below %s the name %j is no violation, whether it is there or not", async (project, name) => {
  expect(await (await createFind())(project, name)).toBeNull();
});

test("while the approved directory is away no name in it leads out; one that aims out by its text does", async () => {
  const folder = tempDir();
  const root = join(folder, "projects");
  mkdirSync(join(root, "app"), { recursive: true });
  const find = createFindViolation(await createPathJail(root));
  renameSync(root, `${root}.away`);
  expect(await find(null, "app")).toBeNull();
  expect(await find(null, "../x")).toBe("path_traversal");
  mkdirSync(root, 0o700);
  symlinkSync(`${root}.away`, join(root, "app"));
  expect(await find(null, "app")).toBe("symlink_escape");
});
