import { access, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ProjectEntry } from "../../src/domain/finding.ts";
import { textOfPath } from "../../src/domain/finding.ts";
import type { Jail } from "../../src/jail/jail.ts";
import { lookThrough } from "../../src/jail/look-through.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import { newEntries } from "../../src/jail/project-entries.ts";
import { moveBack, moveOut } from "../../src/jail/quarantine-files.ts";
import { walk } from "../../src/jail/walk.ts";
import {
  createWorld,
  hostGit,
  type JailWorld,
  memoryLog,
  shellRequest,
  writeCanary,
} from "../support/git-project.ts";

const IDENTITY = {
  GIT_AUTHOR_NAME: "bot",
  GIT_AUTHOR_EMAIL: "bot@example.com",
  GIT_COMMITTER_NAME: "bot",
  GIT_COMMITTER_EMAIL: "bot@example.com",
};

describe.runIf(process.platform === "linux")("what a turn makes that git or a tool would obey", () => {
  let world: JailWorld;
  let jail: Jail;
  let canary: string;

  beforeEach(async () => {
    world = await createWorld({ git: true });
    jail = await openJail({
      platform: process.platform,
      log: memoryLog(),
      sandbox: "require",
      scratchDir: world.scratchDir,
    });
    canary = join(world.root, "canary");
  });
  afterEach(async () => {
    await jail.close();
    await world[Symbol.asyncDispose]();
  });

  /** Runs a script in the jail to its end and gives what it made. */
  async function made(script: string, env = {}): Promise<readonly ProjectEntry[]> {
    const jailed = await jail.start(shellRequest(world, script, { ...IDENTITY, ...env }));
    jailed.stdin.end();
    jailed.stdout.resume();
    jailed.stderr.resume();
    await jailed.exited;
    return newEntries(jailed.baseline, await lookThrough(world.project));
  }
  const paths = (entries: readonly ProjectEntry[]) => entries.map(({ path }) => path);

  async function quarantine(entries: readonly ProjectEntry[]) {
    const items = entries.map((entry, index) => ({
      ...entry,
      root: world.project,
      folder: join(world.root, "quarantine", String(index)),
    }));
    for (const item of items) expect(await moveOut(item)).toBe("moved");
    return items;
  }

  async function hostRanCanary(): Promise<boolean> {
    await hostGit(world.project, "status").catch(() => "");
    await hostGit(world.project, "diff").catch(() => "");
    const ran = await access(canary).then(
      () => true,
      () => false,
    );
    await rm(canary, { force: true });
    return ran;
  }

  /** Each leaves, by another way, something that makes the owner's `git status` at the top run `$C`. */
  const ATTACKS: Readonly<Record<string, readonly [string, string]>> = {
    "a nested repository": [
      'git init -q vendor; cd vendor; git commit -q --allow-empty -m x; cd ..; git add vendor 2>/dev/null; git -C vendor config core.fsmonitor "$C"',
      "vendor/.git",
    ],
    "a link to a repository elsewhere": [
      'git init -q --separate-git-dir "$PWD/.git/e" v; cd v; git commit -q --allow-empty -m x; cd ..; git add v; git config -f .git/e/config core.fsmonitor "$C"',
      "v/.git",
    ],
    "a nested repository in a package": [
      'mkdir node_modules; cd node_modules; git init -q m; cd m; git commit -q --allow-empty -m x; cd ../..; git add -f node_modules/m 2>/dev/null; git -C node_modules/m config core.fsmonitor "$C"',
      "node_modules/m/.git",
    ],
    "a nested repository behind a name that is no UTF-8": [
      'd=$(printf "caf\\351"); git init -q "$d"; cd "$d"; git commit -q --allow-empty -m x; cd ..; git add "$d" 2>/dev/null; git -C "$d" config core.fsmonitor "$C"',
      "caf\u00e9/.git",
    ],
  };

  test.each(Object.entries(ATTACKS))(
    "H31: %s is found, and once it is taken out the host's git runs nothing of it, which else it would",
    async (_name, [script, path]) => {
      const C = join(world.project, "canary.sh");
      await writeCanary(world.project, canary);
      const found = await made(script, { C });
      expect(paths(found)).toContain(path);
      expect(await hostRanCanary()).toBe(true);
      await quarantine(found);
      expect(await hostRanCanary()).toBe(false);
    },
  );

  test.each<[string, string, readonly string[]]>([
    ["a clone", "git clone -q . copy", ["copy/.git"]],
    ["a bare repository", "git init -q --bare b.git", ["b.git/HEAD"]],
    ["a folder that borrows a repository", "mkdir f; cp .git/HEAD f; echo ../.git > f/commondir", ["f/HEAD"]],
    ["the work tree of another branch", "git worktree add -q wt", [".git/worktrees/wt", "wt/.git"]],
    [
      "a submodule",
      "git clone -q . /tmp/o; git -c protocol.file.allow=always submodule --quiet add /tmp/o sub",
      [".git/modules", ".gitmodules", "sub/.git"],
    ],
    ["a link", "mkdir d; ln -s ../.git d/.git", ["d/.git"]],
    [
      "settings",
      "mkdir -p .husky a/.vscode .claude .idea; echo {} > .mcp.json; mkdir -p node_modules/m/.vscode",
      [".claude", ".husky", ".idea", ".mcp.json", "a/.vscode"],
    ],
    ["ordinary work", "echo a > a; git add a; git commit -qm a; mkdir b; mv a b; git gc -q", []],
  ])("H31: %s is found", async (_name, script, expected) => {
    expect(paths(await made(script)).filter((path) => path !== "config")).toEqual(expected);
  });

  test("what was there before is no finding, nor are the jail's own guards; what took its place is", async () => {
    await hostGit(world.project, "init", "-q", "vendor");
    await hostGit(world.project, "init", "-q", "--bare", "b.git");
    await mkdir(join(world.project, "x/.vscode"), { recursive: true });
    expect(await made("git status; touch vendor/a")).toEqual([]);
    const before = await lookThrough(world.project);
    await rename(join(world.project, "vendor/.git"), join(world.root, "old"));
    await hostGit(world.project, "init", "-q", "vendor");
    expect(paths(newEntries(before, await lookThrough(world.project)))).toEqual(["vendor/.git"]);
  });

  test("what is accepted comes back as it was, and the next jail protects it", async () => {
    const found = await made("git init -q vendor; ln -s x vendor/.git/link");
    const [item] = await quarantine(found);
    if (!item) throw new Error("nothing found");
    expect(await readdir(join(world.project, "vendor"))).toEqual([]);
    expect(await moveBack(item)).toBe("moved");
    const config = join(world.project, "vendor/.git/config");
    const before = await readFile(config, "utf8");
    // What cannot be moved is copied by `mv`, which makes a repository of another name, and that is found.
    const next = await made("echo x >> vendor/.git/config; mv vendor/.git v; rm -rf vendor/.git");
    expect(paths(next)).toEqual(["v/HEAD"]);
    expect(await readFile(config, "utf8")).toBe(before);
    await expect(access(item.folder)).rejects.toThrow();
  });

  test("a place that is taken is left as it is, and the thing stays in quarantine", async () => {
    const [item] = await quarantine(await made("git init -q vendor"));
    if (!item) throw new Error("nothing found");
    await writeFile(join(world.project, "vendor/.git"), "mine");
    expect(await moveBack(item)).toBe("taken");
    expect(await readFile(join(world.project, "vendor/.git"), "utf8")).toBe("mine");
    expect(await readdir(item.folder)).toEqual(["item"]);
  });

  test("H21: a folder exchanged for a link after it was seen leads the move nowhere", async () => {
    const outside = join(world.root, "outside");
    await mkdir(join(outside, ".git"), { recursive: true });
    const [entry] = await made("git init -q vendor");
    if (!entry) throw new Error("nothing found");
    await rename(join(world.project, "vendor"), join(world.project, "hidden"));
    await symlink(outside, join(world.project, "vendor"));
    const item = { ...entry, root: world.project, folder: join(world.root, "quarantine/1") };
    expect(await moveOut(item)).toBe("gone");
    expect(await readdir(outside)).toEqual([".git"]);
    await rm(join(world.project, "vendor"));
    await mkdir(join(world.root, "quarantine/2/item"), { recursive: true });
    await symlink(outside, join(world.project, "vendor"));
    expect(await moveBack({ ...item, folder: join(world.root, "quarantine/2") })).toBe("taken");
    await expect(moveOut({ ...item, path: "../outside/.git" })).rejects.toMatchObject({
      code: "path_outside",
    });
    expect(await readdir(outside)).toEqual([".git"]);
  });

  test("H21: a folder exchanged for a link after its name was read is not looked into", async () => {
    const outside = join(world.root, "outside");
    await mkdir(join(outside, "below"), { recursive: true });
    await mkdir(join(world.project, "a/below"), { recursive: true });
    const seen: string[] = [];
    await walk({
      project: world.project,
      maxEntries: 100,
      look: async ({ path }) => {
        seen.push(path);
        if (path !== "") return ["below"];
        await rename(join(world.project, "a"), join(world.project, "b"));
        await symlink(outside, join(world.project, "a"));
        return ["a"];
      },
      onShut: (_path, cause) => Promise.reject(cause),
    });
    expect(seen).toEqual([""]);
  });

  test("H21: while a process of the turn exchanges folders for links, nothing outside is seen or moved", async () => {
    const outside = join(world.root, "outside");
    await mkdir(join(outside, "d/.git"), { recursive: true });
    const script = `mkdir -p a/d/.git; echo ready; while :; do mv a b; ln -s ${outside} a; rm a; mv b a; done`;
    const jailed = await jail.start(shellRequest(world, script));
    jailed.stdout.resume();
    for (let round = 0; round < 100; round += 1) {
      const found = await lookThrough(world.project);
      expect(paths(found).filter((path) => path.startsWith("outside"))).toEqual([]);
      const folder = join(world.root, "quarantine", String(round));
      await moveOut({ root: world.project, path: "a/d/.git", ino: null, folder });
      expect(await readdir(join(outside, "d"))).toEqual([".git"]);
      await mkdir(join(world.project, "b/d/.git"), { recursive: true }).catch(() => undefined);
    }
    await jailed.kill();
  });

  test("on another file system it is copied, no link followed, and a copy cut short is begun anew", async () => {
    const secret = join(world.root, "secret");
    await writeFile(secret, "the owner's");
    const [entry] = await made(
      `git init -q vendor; ln -s ${secret} vendor/.git/leak; mkfifo vendor/.git/pipe`,
    );
    if (!entry) throw new Error("nothing found");
    const folder = `/dev/shm/quarantine-${process.pid}`;
    try {
      await mkdir(join(folder, "part/old"), { recursive: true });
      const item = { ...entry, root: world.project, folder };
      expect(await moveOut(item)).toBe("moved");
      expect(await readdir(join(world.project, "vendor"))).toEqual([]);
      const copied = await readdir(join(folder, "item"), { withFileTypes: true });
      expect(copied.find(({ name }) => name === "leak")?.isSymbolicLink()).toBe(true);
      expect(copied.some(({ name }) => name === "pipe" || name === "old")).toBe(false);
      expect(await readFile(secret, "utf8")).toBe("the owner's");
      expect(await moveOut(item)).toBe("moved"); // once more after a crash
      expect(await moveBack(item)).toBe("moved");
      expect(await hostGit(join(world.project, "vendor"), "status", "-sb")).toContain("No commits yet");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("a folder that is shut is said, not passed over", async () => {
    if (process.getuid?.() === 0) return; // nothing is shut to root
    await mkdir(join(world.project, "shut"), { mode: 0o000 });
    await expect(lookThrough(world.project)).rejects.toThrow(/permissions are in the way/);
  });

  test("H31: what cannot be looked into hides nothing of what can", async () => {
    const before = await lookThrough(world.project);
    await mkdir(join(world.project, "d/".repeat(120)), { recursive: true });
    await mkdir(join(world.project, "vendor/.git"), { recursive: true });
    await expect(lookThrough(world.project)).rejects.toThrow(/folders more than 100 deep/);
    const faults: unknown[] = [];
    const now = await lookThrough(world.project, { onFault: (error) => faults.push(error) });
    expect(paths(newEntries(before, now))).toEqual(["vendor/.git"]);
    expect(faults).toHaveLength(1);
  });

  test("names are read as people can", () => {
    expect(textOfPath(Buffer.from("café/.git").toString("latin1"))).toBe("café/.git");
  });
});
