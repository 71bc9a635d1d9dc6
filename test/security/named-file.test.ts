import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { createIsSecret } from "../../src/domain/secret-files.ts";
import { createFindFile, type FindFile } from "../../src/security/named-file.ts";
import { createPathJail } from "../../src/security/paths.ts";
import { tempDir } from "../support/temp.ts";

let root: string;
let find: FindFile;

beforeEach(async () => {
  const base = realpathSync(tempDir());
  const approved = join(base, "projects");
  root = join(approved, "app");
  for (const folder of ["config", ".env.d", "../other"]) mkdirSync(join(root, folder), { recursive: true });
  for (const file of [
    ".env",
    "config/server.key",
    "config/real",
    "notes.txt",
    ".env.d/plain",
    "../other/.env",
  ])
    writeFileSync(join(root, file), "x");
  writeFileSync(join(base, "outside.key"), "x");
  symlinkSync("config/real", join(root, ".env.link"));
  symlinkSync("../../outside.key", join(root, "out.key"));
  symlinkSync("../other", join(root, "elsewhere"));
  symlinkSync("config", join(root, "conf"));
  find = createFindFile(await createPathJail(approved), createIsSecret());
});

test.each([
  [".env", "secret", ".env"],
  ["config/../.env", "missing", null],
  ["./.env", "secret", ".env"],
  ["config/server.key", "secret", "config/server.key"],
  ["conf/server.key", "secret", "config/server.key"],
  [".env.link", "secret", ".env.link"],
  ["notes.txt", "plain", "notes.txt"],
  ["nothing.key", "missing", null],
  [".env.d", "missing", null],
  [".env.d/plain", "secret", ".env.d/plain"],
  [".", "missing", null],
  ["out.key", "missing", null],
  ["elsewhere/.env", "missing", null],
  ["../other/.env", "missing", null],
  ["/etc/passwd", "missing", null],
  ["~/.env", "missing", null],
])("the file %j of a project is %s", async (name, kind, path) => {
  expect(await find("app", name)).toEqual({ kind, root, ...(path === null ? {} : { path }) });
});

test("without a name there is the project alone, and without the project nothing", async () => {
  expect(await find("app", "")).toEqual({ kind: "unnamed", root });
  expect(await find("gone", ".env")).toEqual({ kind: "gone" });
});
