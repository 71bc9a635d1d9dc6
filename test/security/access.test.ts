import { execFile } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import type { ApprovedPath } from "../../src/domain/approved-path.ts";
import { type AccessFault, createFindAccessFaults } from "../../src/security/access.ts";
import { tempDir } from "../support/temp.ts";

const IS_ROOT = process.getuid?.() === 0;
const NOBODY = 65_534;
const SOURCE = resolve(import.meta.dirname, "../../src/security/access.ts");

/** A folder that everybody may get to, with those bits. */
function folderWith(mode: number, owner = process.getuid?.() ?? 0): ApprovedPath {
  const above = tempDir();
  chmodSync(above, 0o755);
  const path = join(realpathSync(above), "it's");
  mkdirSync(path);
  if (IS_ROOT) chownSync(path, owner, owner);
  chmodSync(path, mode);
  onTestFinished(() => chmodSync(path, 0o700));
  return path as ApprovedPath;
}

/** What the source says when it runs as nobody. */
async function askedAsNobody(folder: string): Promise<readonly AccessFault[]> {
  // Becomes nobody once it has read the source, which may lie where he may not look.
  const script = `const { createFindAccessFaults } = await import(process.argv[1]);
    process.setgroups([]);
    process.setgid(${NOBODY});
    process.setuid(${NOBODY});
    console.log(JSON.stringify(await createFindAccessFaults(process.getuid())(process.argv[2])));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script, SOURCE, folder],
    { cwd: "/" },
  );
  return JSON.parse(stdout);
}

const lacks = (faults: readonly AccessFault[]) => faults.map((fault) => fault.lacks);

test("of a folder that is whole nothing is lacking", async () => {
  expect(await createFindAccessFaults(process.getuid?.() ?? 0)(folderWith(0o700))).toEqual([]);
});

test.each([
  [0o300, ["read"], true],
  [0o600, ["enter"], true],
  [0o500, ["write"], false],
  [0o000, ["read", "enter", "write"], true],
])(
  "of a folder with the bits %o %j is lacking, with the line that mends it",
  async (mode, expected, isGrave) => {
    const folder = folderWith(mode);
    const faults = await createFindAccessFaults(process.getuid?.() ?? 0)(folder);
    expect(lacks(faults)).toEqual(expected);
    expect(faults.some((fault) => fault.isGrave)).toBe(isGrave);
    for (const { mend } of faults) {
      expect(mend).toMatch(/^chmod u\+[rwx] '.*it'\\''s'$/);
      await promisify(execFile)("sh", ["-c", mend]);
    }
    expect(await createFindAccessFaults(process.getuid?.() ?? 0)(folder)).toEqual([]);
  },
);

test.runIf(IS_ROOT)(
  "an ordinary user is told what the system refuses him, and whose the folder is",
  async () => {
    expect(await askedAsNobody(folderWith(0o700, NOBODY))).toEqual([]);
    expect(lacks(await askedAsNobody(folderWith(0o300, NOBODY)))).toEqual(["read"]);
    expect(lacks(await askedAsNobody(folderWith(0o755, 0)))).toEqual(["write", "owner"]);
    expect(lacks(await askedAsNobody(folderWith(0o777, 0)))).toEqual(["owner"]);
    const shut = await askedAsNobody(folderWith(0o700, 0));
    expect(lacks(shut)).toEqual(["read", "enter", "write", "owner"]);
    for (const { mend } of shut) expect(mend).toMatch(/^sudo chown -R "\$\(id -un\)" '/);
  },
);

test("what is not there any more is no folder with faults", async () => {
  await expect(createFindAccessFaults(0)(join(tempDir(), "gone") as ApprovedPath)).rejects.toThrow("ENOENT");
});
