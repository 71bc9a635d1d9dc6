import { existsSync } from "node:fs";
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Jail } from "../../src/jail/jail.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import { createGit, type Git, parseRemote } from "../../src/workspace/git.ts";
import { createGitEnv } from "../../src/workspace/git-env.ts";
import { createWorld, hostGit, type JailWorld, memoryLog, writeCanary } from "../support/git-project.ts";

let world: JailWorld;
let jail: Jail;
let git: Git;
/** How often something was begun in the jail. */
let starts: number;
beforeEach(async () => {
  world = await createWorld({ git: true });
  jail = await openJail({
    sandbox: "require",
    platform: process.platform,
    scratchDir: world.scratchDir,
    log: memoryLog(),
  });
  const configDir = join(world.root, "git-config");
  await mkdir(configDir, { mode: 0o700 });
  starts = 0;
  const counted: Pick<Jail, "start"> = {
    start: (request) => {
      starts += 1;
      return jail.start(request);
    },
  };
  git = createGit({ jail: counted, configDir, apiSocket: world.apiSocket });
});
afterEach(async () => {
  await jail.close();
  await world[Symbol.asyncDispose]();
});

const at = (...args: readonly string[]) => hostGit(world.project, ...args).then((text) => text.trim());
const ZERO = "0".repeat(40);

test("H18: what a hostile repository would run is run in no other place than the jail, whatever is asked of it", async () => {
  const canary = join(world.root, "canary");
  const program = await writeCanary(world.project, canary);
  await writeFile(join(world.project, ".gitattributes"), "* filter=evil diff=evil\n");
  for (const key of [
    "core.fsmonitor",
    "core.pager",
    "diff.external",
    "diff.evil.textconv",
    "gpg.program",
    "alias.log",
  ])
    await at("config", key, program);
  await at("config", "log.showSignature", "true");
  await at("remote", "add", "origin", "https://github.com/acme/shop.git");
  expect(await git.remotes(world.project)).toEqual([{ host: "github.com", repository: "acme/shop" }]);
  expect(starts).toBe(1);
  const newId = await hostGit(world.root, "-C", world.project, "rev-parse", "HEAD").then((text) =>
    text.trim(),
  );
  const update = { ref: "refs/heads/x", oldId: ZERO, newId };
  expect(await git.commits(world.project, update)).toEqual([expect.stringContaining("o: first")]);
  expect(starts).toBe(3); // the remote branches, then the commits
  expect(await git.isForced(world.project, { ...update, oldId: newId })).toBe(false);
  expect(starts).toBe(4);
  expect(existsSync(canary)).toBe(false);
  await at("status"); // the same on the host runs it
  expect(existsSync(canary)).toBe(true);
});

test("commits of an update are told, and whether it carries on from what was there", async () => {
  const first = await at("rev-parse", "HEAD");
  await at("commit", "-q", "--allow-empty", "-m", "second");
  const second = await at("rev-parse", "HEAD");
  await at("checkout", "-q", "-b", "other", first);
  await at("commit", "-q", "--allow-empty", "-m", "third");
  const third = await at("rev-parse", "HEAD");
  const update = (oldId: string, newId: string) => ({ ref: "refs/heads/main", oldId, newId });
  expect(await git.commits(world.project, update(first, second))).toEqual([
    expect.stringMatching(/ o: second$/),
  ]);
  expect(await git.isForced(world.project, update(first, second))).toBe(false);
  expect(await git.isForced(world.project, update(second, third))).toBe(true);
  expect(await git.isForced(world.project, update("a".repeat(40), third))).toBe(true);
  expect(await git.commits(world.project, update("a".repeat(40), third))).toBeNull();
  expect(await git.commits(world.project, update(third, ZERO))).toEqual([]);
  // A replaced commit shows nothing else than what would be sent.
  await at("replace", third, first);
  expect(await git.commits(world.project, update(first, third))).toEqual([
    expect.stringMatching(/ o: third$/),
  ]);
});

test("H31: a commit that was put under another's name is neither shown nor carries anything on", async () => {
  const base = await at("rev-parse", "HEAD");
  await at("commit", "-q", "--allow-empty", "-m", "a colleague's");
  const remote = await at("rev-parse", "HEAD");
  await at("checkout", "-q", "-b", "other", base);
  await at("commit", "-q", "--allow-empty", "-m", "Add a backdoor");
  const hidden = await at("rev-parse", "HEAD");
  await at("commit", "-q", "--allow-empty", "-m", "Fix typo");
  const tip = await at("rev-parse", "HEAD");
  const update = { ref: "refs/heads/claude/fix", oldId: remote, newId: tip };
  expect(await git.isForced(world.project, update)).toBe(true);

  const fake = await at("commit-tree", "-p", remote, "-m", "Fix typo", "HEAD^{tree}");
  const fileOf = (id: string) => join(world.project, ".git/objects", id.slice(0, 2), id.slice(2));
  await rm(fileOf(hidden));
  await copyFile(fileOf(fake), fileOf(hidden));
  expect(await at("log", "--format=%s", `${remote}..${tip}`)).toBe("Fix typo\nFix typo"); // what git itself makes of it
  expect(await git.commits(world.project, update)).toBeNull();
  expect(await git.isForced(world.project, update)).toBe(true);
  expect(await git.commits(world.project, { ...update, oldId: ZERO })).toBeNull();
});

test("commits that the remote branches have are not told again for a new branch", async () => {
  const first = await at("rev-parse", "HEAD");
  await at("update-ref", "refs/remotes/origin/main", first);
  await at("commit", "-q", "--allow-empty", "-m", "second");
  const newId = await at("rev-parse", "HEAD");
  expect(await git.commits(world.project, { ref: "refs/heads/x", oldId: ZERO, newId })).toEqual([
    expect.stringMatching(/ o: second$/),
  ]);
});

test("a project that is no repository has no remotes", async () => {
  await using plain = await createWorld();
  expect(await git.remotes(plain.project)).toEqual([]);
});

test.each([
  ["https://github.com/acme/shop.git", { host: "github.com", repository: "acme/shop" }],
  ["https://user:pw@GitHub.com/acme/shop/", { host: "github.com", repository: "acme/shop" }],
  ["git@github.com:acme/shop.git", { host: "github.com", repository: "acme/shop" }],
  ["ssh://git@gitlab.com/group/sub/shop", { host: "gitlab.com", repository: "group/sub/shop" }],
  ["http://github.com/acme/shop", null],
  ["https://127.0.0.1/acme/shop", null],
  ["https://github.com:8443/acme/shop", null],
  ["https://github.com/shop", null],
  ["https://github.com/acme/../shop x", null],
  ["/srv/git/shop.git", null],
  ["ext::sh -c evil", null],
])("%s names %j", (url, remote) => {
  expect(parseRemote(url)).toEqual(remote);
});

test("the variables lead git to the gate, and follow the config when it changes", async () => {
  const env = createGitEnv(git);
  expect(await env(world.project)).toMatchObject({ GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_COUNT: "3" });
  await at("remote", "add", "origin", "git@github.com:acme/shop.git");
  const { GIT_CONFIG_COUNT: count, ...rest } = await env(world.project);
  expect(count).toBe("6");
  expect(Object.values(rest)).toEqual(
    expect.arrayContaining([
      "https://github.com/",
      "git@github.com:",
      "url.http://git.gate/github.com/.insteadOf",
    ]),
  );
});
