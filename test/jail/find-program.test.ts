import { chmod, copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findProgram } from "../../src/jail/find-program.ts";

let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "find-")));
});
afterEach(() => rm(root, { recursive: true }));

async function binary(name: string): Promise<string> {
  const path = join(root, name);
  await mkdir(dirname(path), { recursive: true });
  await copyFile(await realpath("/bin/ls"), path);
  await chmod(path, 0o755);
  return path;
}

const nowhere = () => ({ path: `/nonexistent:${root}/empty`, home: join(root, "home") });

test("the explicit path is taken, as its real path, and nothing else is looked at", async () => {
  const real = await binary("real/claude");
  await binary("path/claude");
  await symlink(real, join(root, "link"));
  const places = { path: join(root, "path"), home: root };
  expect(await findProgram("claude", { ...places, explicit: join(root, "link") })).toBe(real);
  await expect(findProgram("claude", { ...places, explicit: join(root, "none") })).rejects.toThrow(
    /CLAUDE_CLI_PATH/,
  );
  await expect(findProgram("claude", { ...places, explicit: "claude" })).rejects.toMatchObject({
    code: "claude_missing",
  });
});

test("what cannot be run is refused, and passed over on PATH", async () => {
  await mkdir(join(root, "path/claude"), { recursive: true });
  const plain = await binary("plain/claude");
  await chmod(plain, 0o644);
  const good = await binary("good/claude");
  const path = ["path", "plain", "good"].map((name) => join(root, name)).join(":");
  expect(await findProgram("claude", { path, home: root })).toBe(good);
  await expect(findProgram("claude", { path, home: root, explicit: plain })).rejects.toThrow(
    /CLAUDE_CLI_PATH/,
  );
});

test("H80: the usual places are looked at after PATH, which a service has almost nothing on", async () => {
  const usual = await binary("home/.local/bin/claude");
  expect(await findProgram("claude", nowhere())).toBe(usual);
});

test("relative folders of PATH are passed over", async () => {
  await binary("claude");
  await expect(findProgram("claude-none", { ...nowhere(), path: `.::${root}` })).rejects.toThrow(
    /Install it/,
  );
});

test("the launcher of an npm package is resolved to the platform's binary", async () => {
  const scope = join(root, "node_modules/@anthropic-ai");
  const native = await binary(
    `node_modules/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`,
  );
  await mkdir(join(scope, "claude-code/bin"), { recursive: true });
  await mkdir(join(root, "node_modules/.bin"));
  await writeFile(join(scope, "claude-code/bin/claude.exe"), "#!/bin/sh\necho placeholder\n", {
    mode: 0o755,
  });
  await symlink("../@anthropic-ai/claude-code/bin/claude.exe", join(root, "node_modules/.bin/claude"));
  expect(await findProgram("claude", { ...nowhere(), path: join(root, "node_modules/.bin") })).toBe(native);
});

test("the CLI of this checkout is found", async () => {
  const path = join(import.meta.dirname, "../../node_modules/.bin");
  expect(await findProgram("claude", { ...nowhere(), path })).toMatch(/claude(\.exe)?$/);
});

test("a miss says where was looked and what to do", async () => {
  await expect(findProgram("claude-none", nowhere())).rejects.toThrow(
    /\.local\/bin.*npm install -g @anthropic-ai\/claude-code, or set CLAUDE_CLI_PATH/,
  );
});
