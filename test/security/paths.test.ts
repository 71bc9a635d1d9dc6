import { execFile } from "node:child_process";
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AppError } from "../../src/domain/errors.ts";
import { isInside } from "../../src/security/is-inside.ts";
import { createPathJail, type PathJail } from "../../src/security/paths.ts";

let base: string;
let root: string;
let jail: PathJail;

/**
 * base/outside/secret.txt
 * base/projects            the approved directory
 *   app/src/main.ts  app/.git/hooks  group/web  notes.txt  über
 *   in -> app   out -> ../outside   up -> ..   dangling -> nowhere   loop -> loop   file-out -> ../outside/secret.txt
 * base/projects-other, base/link -> projects
 */
beforeEach(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), "sallyport-paths-")));
  root = join(base, "projects");
  for (const folder of [
    "outside",
    "projects/app/src",
    "projects/app/.git/hooks",
    "projects/group/web",
    "projects/über",
    "projects-other",
  ])
    await mkdir(join(base, folder), { recursive: true });
  await writeFile(join(base, "outside/secret.txt"), "secret");
  await writeFile(join(root, "app/src/main.ts"), "main");
  await writeFile(join(root, "notes.txt"), "notes");
  await symlink("app", join(root, "in"));
  await symlink("../outside", join(root, "out"));
  await symlink("..", join(root, "up"));
  await symlink("nowhere", join(root, "dangling"));
  await symlink("loop", join(root, "loop"));
  await symlink("../outside/secret.txt", join(root, "file-out"));
  await symlink("app/.git", join(root, "sneaky"));
  await symlink("projects", join(base, "link"));
  jail = await createPathJail(root);
});

afterEach(async () => {
  await rm(base, { recursive: true, force: true });
});

const outside = { name: "AppError", code: "path_outside" };
const invalid = { name: "AppError", code: "path_invalid" };

test("what exists inside is approved as its real path, absolute or from the approved directory", async () => {
  expect(jail.root).toBe(root);
  expect(await jail.approve(root)).toBe(root);
  expect(await jail.approve(join(root, "app/src/main.ts"))).toBe(join(root, "app/src/main.ts"));
  expect(await jail.approve("app/src/../src/./main.ts")).toBe(join(root, "app/src/main.ts"));
  expect(await jail.approve("in/src")).toBe(join(root, "app/src"));
});

test("both sides are resolved: the approved directory may be named by a link, and so may the path", async () => {
  const linked = await createPathJail(join(base, "link"));
  expect(linked.root).toBe(root);
  expect(await linked.approve(join(base, "link/app"))).toBe(join(root, "app"));
  expect(await jail.approve(join(base, "link/app"))).toBe(join(root, "app"));
});

test("what lies outside is refused, and a folder whose name merely begins like it", async () => {
  for (const path of [
    "/",
    "/etc/passwd",
    base,
    join(base, "outside"),
    `${root}-other`,
    `${root}/../projects-other`,
    "..",
    "../outside/secret.txt",
  ])
    await expect(jail.approve(path), path).rejects.toMatchObject(outside);
});

test("links that lead out are refused, on the way as well as at the end", async () => {
  for (const path of [
    "out",
    "out/secret.txt",
    "file-out",
    "up",
    "up/outside",
    "in/../out",
    "up/projects-other",
  ])
    await expect(jail.approve(path), path).rejects.toMatchObject(outside);
  expect(await jail.approve("up/projects/app")).toBe(join(root, "app"));
});

test("whether something outside exists is not told: it is outside either way", async () => {
  for (const path of [
    "/etc/passwd",
    "/etc/no-such-file",
    "out/secret.txt",
    "out/no-such-file",
    "../outside",
    "../no-such-folder",
    "/root/x/y",
  ])
    await expect(jail.approve(path)).rejects.toMatchObject({
      ...outside,
      message: `Path must be inside the approved directory, got ${JSON.stringify(path)}`,
    });
});

test("malformed paths are refused, and what is inside but not there", async () => {
  for (const path of [
    "",
    "app\u0000",
    "\u0000/etc",
    "app\n",
    "\u001b[2J",
    "\uD800",
    "a".repeat(5_000),
    "no-such",
    "dangling",
    "loop",
    "notes.txt/x",
  ])
    await expect(jail.approve(path), JSON.stringify(path)).rejects.toMatchObject(invalid);
});

test("messages name the path on one line, cut and with controls written out", async () => {
  await expect(jail.approve("a\u202Eb\u0000\n")).rejects.toThrow('got "a\\u{202e}b\\u{0}\\n"');
  const error: unknown = await jail.approve("x".repeat(5_000)).catch((cause: unknown) => cause);
  expect(String(error).length).toBeLessThan(250);
});

test("a directory that is missing, a file or empty cannot be the approved one", async () => {
  for (const directory of [join(base, "no-such"), join(root, "notes.txt"), join(root, "dangling"), ""])
    await expect(createPathJail(directory), directory).rejects.toMatchObject(invalid);
});

test("when the approved directory comes to lead elsewhere, everything is refused until a restart", async () => {
  const linked = await createPathJail(join(base, "link"));
  await unlink(join(base, "link"));
  await symlink("outside", join(base, "link"));
  await expect(linked.approve("secret.txt")).rejects.toMatchObject(outside);
  await expect(linked.approve(join(base, "outside/secret.txt"))).rejects.toMatchObject(outside);
  await rename(root, join(base, "moved"));
  await expect(jail.approve("app")).rejects.toMatchObject(invalid);
  await symlink("outside", root);
  await expect(jail.approve("secret.txt")).rejects.toMatchObject(outside);
});

test("project names give their folders", async () => {
  expect(await jail.resolveProjectName("app")).toBe(join(root, "app"));
  expect(await jail.resolveProjectName("group/web")).toBe(join(root, "group/web"));
  expect(await jail.resolveProjectName("in")).toBe(join(root, "app"));
  expect(await jail.resolveProjectName("über")).toBe(join(root, "über"));
});

test("H01: /repo refuses every way out of the approved directory", async () => {
  for (const name of [
    "..",
    "../..",
    "app/../..",
    "app/..",
    "../projects",
    "/",
    "/etc",
    root,
    join(root, "app"),
    "..\\..",
    "out",
    "out/x",
    "up",
    "up/outside",
  ])
    await expect(jail.resolveProjectName(name), name).rejects.toMatchObject(outside);
});

test("H01: /repo refuses names with signs that a shell would act on, and what is no folder of its own", async () => {
  const odd = [
    "~",
    "~root",
    "$HOME",
    "$(id)",
    "`id`",
    "app;id",
    "app && id",
    "app|id",
    "app||id",
    "app\u0000",
    "app\u0000/../..",
    "app\n/etc",
    "",
  ];
  for (const name of [
    ...odd,
    ".",
    "./",
    "app/../",
    "notes.txt",
    "app/src/main.ts",
    "no-such",
    "dangling",
    "loop",
  ].filter((name) => !name.includes("../")))
    await expect(jail.resolveProjectName(name), JSON.stringify(name)).rejects.toMatchObject(invalid);
  await expect(jail.resolveProjectName("up/projects")).rejects.toMatchObject(invalid);
});

test("H01: a folder that bears such a name is refused for its name", async () => {
  for (const name of ["$HOME", "~", "a;b", "a && b", "a|b", "`id`", "\uFFFD"]) await mkdir(join(root, name));
  for (const name of ["$HOME", "~", "a;b", "a && b", "a|b", "`id`", "\uD800"])
    await expect(jail.resolveProjectName(name), name).rejects.toMatchObject(invalid);
  expect(await jail.resolveProjectName("\uFFFD")).toBe(join(root, "\uFFFD"));
});

test("names that only look odd are names", async () => {
  for (const name of ["a..b", "R&D", "-rf", "a b", ".github", "...", "日本"]) {
    await mkdir(join(root, name));
    expect(await jail.resolveProjectName(name)).toBe(join(root, name));
  }
});

test("H22: Git's own folder is no project, by whatever way it is named", async () => {
  await mkdir(join(root, "odd/.GIT"), { recursive: true });
  for (const name of ["app/.git", "app/.git/hooks", "sneaky", "sneaky/hooks", "odd/.GIT"])
    await expect(jail.resolveProjectName(name), name).rejects.toMatchObject(invalid);
});

test("H21: a file swapped for a link after it was approved is not opened", async () => {
  const approved = await jail.approve("notes.txt");
  await unlink(approved);
  await symlink("../outside/secret.txt", approved);
  await expect(jail.open(approved)).rejects.toMatchObject(invalid);
});

test("H21: a folder swapped for a link after the file in it was approved is seen on the open handle", async () => {
  const approved = await jail.approve("app/src/main.ts");
  await writeFile(join(base, "outside/main.ts"), "secret");
  await rename(join(root, "app/src"), join(root, "app/old"));
  await symlink("../../outside", join(root, "app/src"));
  await expect(jail.open(approved)).rejects.toMatchObject(outside);
});

test("H21: however a path is swapped while it is opened, what is read is never what lies outside", async () => {
  const approved = await jail.approve("app/src/main.ts");
  await writeFile(join(base, "outside/main.ts"), "secret");
  const [inside, kept, swap] = ["app/src", "app/kept", "app/swap"].map((path) => join(root, path));
  if (!inside || !kept || !swap) throw new Error("three paths");
  await symlink("../../outside", swap);
  const state = { isOver: false };
  const swapping = (async () => {
    while (!state.isOver) {
      await rename(inside, kept);
      await rename(swap, inside);
      await setImmediate();
      await rename(inside, swap);
      await rename(kept, inside);
      await setImmediate();
    }
  })();
  const read: string[] = [];
  const refused: string[] = [];
  const deadline = performance.now() + 15_000;
  while (performance.now() < deadline && (read.length < 20 || !refused.includes("path_outside"))) {
    try {
      await using handle = await jail.open(approved);
      read.push(await handle.readFile("utf8"));
    } catch (error) {
      refused.push(error instanceof AppError ? error.code : String(error));
    }
  }
  state.isOver = true;
  await swapping;
  expect([...new Set(read)]).toEqual(["main"]);
  expect(refused).toContain("path_outside");
});

test("a regular file inside is opened and read, its handle is the caller's", async () => {
  const handle = await jail.open(await jail.approve("notes.txt"));
  expect(await handle.readFile("utf8")).toBe("notes");
  await handle.close();
});

test("folders, pipes and files without permission are not opened, and nothing waits for a pipe's other end", async () => {
  await promisify(execFile)("mkfifo", [join(root, "pipe")]);
  for (const name of ["app", "pipe"])
    await expect(jail.open(await jail.approve(name)), name).rejects.toMatchObject(invalid);
  if (process.getuid?.() === 0) return; // root may read everything
  await chmod(join(root, "notes.txt"), 0);
  await expect(jail.open(await jail.approve("notes.txt"))).rejects.toMatchObject(invalid);
});

test.runIf(process.platform === "linux")("a refused file is not left open", async () => {
  const approved = await jail.approve("app");
  const openNow = async () => (await readdir("/proc/self/fd")).length;
  const before = await openNow();
  for (let n = 0; n < 50; n += 1) await expect(jail.open(approved)).rejects.toMatchObject(invalid);
  expect(await openNow()).toBeLessThan(before + 25);
});

test("a hard link inside is a file inside", async () => {
  await link(join(root, "notes.txt"), join(root, "app/notes"));
  const handle = await jail.open(await jail.approve("app/notes"));
  await handle.close();
});

test("isInside compares whole segments of absolute paths", () => {
  expect(isInside("/a/b", "/a/b")).toBe(true);
  expect(isInside("/a/b", "/a/b/")).toBe(true);
  expect(isInside("/a/b/", "/a/b/c/d")).toBe(true);
  expect(isInside("/", "/a")).toBe(true);
  expect(isInside("/a/b", "/a/b/..c")).toBe(true);
  expect(isInside("/a/b", "/a/bc")).toBe(false);
  expect(isInside("/a/b", "/a")).toBe(false);
  expect(isInside("/a/b", "/a/b/../c")).toBe(false);
  expect(isInside("/a/b", "/a/B/c")).toBe(false);
  expect(isInside("a", "a/b")).toBe(false);
  expect(isInside("/a", "b")).toBe(false);
  expect(isInside("", "")).toBe(false);
});

test("for any path, what is approved is real, inside, and the very thing that was asked for", async () => {
  const piece = fc.constantFrom(
    ".",
    "..",
    "app",
    "src",
    "main.ts",
    "in",
    "out",
    "up",
    "group",
    "web",
    "loop",
    "projects",
    "outside",
    "secret.txt",
    "",
    "über",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), fc.boolean(), async (pieces, isAbsolute) => {
      const path = isAbsolute ? `${root}/${pieces.join("/")}` : pieces.join("/");
      const approved: string | null = await jail.approve(path).catch(() => null);
      const real = await realpath(resolve(root, path)).catch(() => null);
      const isIn = real !== null && !relative(root, real).startsWith("..");
      expect(approved).toBe(isIn && path !== "" ? real : null);
    }),
    { numRuns: 300 },
  );
});

/** What a jail made for `directory` says to each path, in a world of mounts of its own. */
async function inWorld(
  mounts: readonly string[],
  directory: string,
  paths: readonly string[],
): Promise<unknown> {
  const script = `
    import { createPathJail } from "./src/security/paths.ts";
    const jail = await createPathJail(${JSON.stringify(directory)});
    const found = ${JSON.stringify(paths)}.map((path) => jail.approve(path).catch((error) => error.code));
    console.log(JSON.stringify(await Promise.all(found)));
  `;
  const argv = ["--dev-bind", "/", "/", ...mounts, process.execPath, "--input-type=module", "-e", script];
  const { stdout } = await promisify(execFile)("bwrap", argv, { cwd: resolve(import.meta.dirname, "../..") });
  return JSON.parse(stdout);
}

test.runIf(process.platform === "linux")(
  "a folder is the same by whatever name it is reached: identity decides, not spelling",
  async () => {
    const twin = join(base, "PROJECTS"); // as a file system that folds case would give it
    await mkdir(twin);
    const paths = [join(twin, "app/src"), twin, join(base, "outside")];
    const found = await inWorld(["--bind", root, twin], root, paths);
    expect(found).toEqual([join(root, "app/src"), root, "path_outside"]);
  },
);

test.runIf(process.platform === "linux")(
  "a folder of another device is another folder, though its inode has the same number",
  async () => {
    const [one, other] = [join(base, "one"), join(base, "other")];
    await mkdir(one);
    await mkdir(other);
    const found = await inWorld(["--tmpfs", one, "--tmpfs", other], one, [one, other]);
    expect(found).toEqual([one, "path_outside"]);
  },
);
