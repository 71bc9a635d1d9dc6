import {
  access,
  appendFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ApprovedPath } from "../../src/domain/approved-path.ts";
import type { Jail } from "../../src/jail/jail.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import {
  createWorld,
  hostGit,
  type JailWorld,
  memoryLog,
  runShell,
  shellRequest,
  until,
  writeCanary,
} from "../support/git-project.ts";

const IDENTITY = {
  GIT_AUTHOR_NAME: "bot",
  GIT_AUTHOR_EMAIL: "bot@example.com",
  GIT_COMMITTER_NAME: "bot",
  GIT_COMMITTER_EMAIL: "bot@example.com",
};

describe.runIf(process.platform === "linux")("git of the host after the Linux jail", () => {
  let world: JailWorld;
  let jail: Jail;
  let noJail: Jail;
  let log: ReturnType<typeof memoryLog>;
  let canary: string;

  beforeEach(async () => {
    world = await createWorld({ git: true });
    log = memoryLog();
    const deps = { platform: process.platform, log };
    jail = await openJail({ ...deps, sandbox: "require", scratchDir: world.scratchDir });
    noJail = await openJail({ ...deps, sandbox: "off", scratchDir: join(world.root, "scratch-off") });
    canary = join(world.root, "canary");
  });
  afterEach(async () => {
    await Promise.all([jail.close(), noJail.close()]);
    await world[Symbol.asyncDispose]();
  });

  /** True when the host's git, used in the project as an owner would, ran the canary. Forgets it again. */
  async function hostRanCanary(folder: string = world.project): Promise<boolean> {
    await hostGit(folder, "status").catch(() => ""); // a broken repository runs nothing, which is an answer too
    await hostGit(folder, "commit", "-q", "--allow-empty", "-m", "owner's").catch(() => "");
    const ran = await access(canary).then(
      () => true,
      () => false,
    );
    await rm(canary, { force: true });
    return ran;
  }

  /** Each writes, by another way, a config or hook that runs `$C` the next time the owner uses git in the project. */
  const ATTACKS = {
    "git config": 'git config core.fsmonitor "$C"',
    "writing the config": 'printf "[core]\\nfsmonitor=%s\\n" "$C" >> .git/config',
    "a config beside it":
      'cp .git/config c; printf "[core]\\nfsmonitor=%s\\n" "$C" >> c; mv -f c .git/config',
    "a hook": 'mkdir -p .git/hooks; cp "$C" .git/hooks/post-commit; chmod +x .git/hooks/post-commit',
    "another hooks folder":
      'mv .git/hooks h; mkdir .git/hooks; cp "$C" .git/hooks/post-commit; chmod +x .git/hooks/post-commit',
    "a moved repository": 'mv .git g; cp -r g .git; printf "[core]\\nfsmonitor=%s\\n" "$C" >> .git/config',
    "a new repository": 'rm -rf .git; git init -q; printf "[core]\\nfsmonitor=%s\\n" "$C" >> .git/config',
    commondir:
      'mkdir evil; cp -r .git/. evil/; rm -f evil/commondir; printf "[core]\\nfsmonitor=%s\\n" "$C" >> evil/config; rm -f .git/commondir; echo ../evil > .git/commondir',
    "a link instead of the repository":
      'cp -r .git e; printf "[core]\\nfsmonitor=%s\\n" "$C" >> e/config; rm -f e/commondir; mv .git g; ln -s e .git',
  };

  test.each(Object.entries(ATTACKS))(
    "H31 H22: %s from inside never runs on the host, and would without the jail",
    async (_name, attack) => {
      const env = { C: await writeCanary(world.root, canary), ...IDENTITY };
      const inside = { ...env, C: join(world.project, "canary.sh") };
      await writeCanary(world.project, canary);
      await runShell(jail, world, attack, inside);
      expect(await hostRanCanary()).toBe(false);

      await using unjailed = await createWorld({ git: true });
      await runShell(noJail, unjailed, attack, env);
      expect(await hostRanCanary(unjailed.project)).toBe(true);
    },
  );

  test("H31: config.worktree, which git obeys in a sparse checkout, cannot be made", async () => {
    await hostGit(world.project, "config", "extensions.worktreeConfig", "true");
    const program = await writeCanary(world.project, canary);
    const attack = 'printf "[core]\\nfsmonitor=%s\\n" "$C" > .git/config.worktree';
    await runShell(jail, world, attack, { C: program });
    expect(await hostRanCanary()).toBe(false);
    await runShell(noJail, world, attack, { C: program });
    expect(await hostRanCanary()).toBe(true);
  });

  test("H31: a linked work tree cannot be led to another config", async () => {
    const linked = join(world.root, "linked");
    await hostGit(world.project, "worktree", "add", "-q", linked);
    const program = await writeCanary(world.project, canary);
    const attack =
      'mkdir evil; cp -r .git/. evil/; rm -f evil/commondir; printf "[core]\\nfsmonitor=%s\\n" "$C" >> evil/config; for d in .git/worktrees/*; do echo ../../../evil > $d/commondir; done';
    await runShell(jail, world, attack, { C: program });
    expect(await hostRanCanary(linked)).toBe(false);
    await hostGit(world.project, "clean", "-qfdx");
    await writeCanary(world.project, canary);
    await runShell(noJail, world, attack, { C: program });
    expect(await hostRanCanary(linked)).toBe(true);
  });

  test("H31: a submodule's link and config are held as well", async () => {
    const library = join(world.root, "library");
    await mkdir(library);
    await hostGit(library, "init", "-q");
    await hostGit(library, "commit", "-q", "--allow-empty", "-m", "first");
    await hostGit(
      world.project,
      "-c",
      "protocol.file.allow=always",
      "submodule",
      "--quiet",
      "add",
      library,
      "sub",
    );
    const program = await writeCanary(world.root, canary);
    const attacks = [
      'printf "[core]\\nfsmonitor=%s\\n" "$C" >> .git/modules/sub/config',
      'mkdir e; cp -r .git/modules/sub/. e/; git config -f e/config core.worktree ../sub; printf "[core]\\nfsmonitor=%s\\n" "$C" >> e/config; rm sub/.git; echo "gitdir: ../e" > sub/.git',
      'mv sub s2; mkdir sub; git -C sub init -q; printf "[core]\\nfsmonitor=%s\\n" "$C" >> sub/.git/config',
    ];
    for (const attack of attacks) await runShell(jail, world, attack, { C: program });
    expect(await hostRanCanary()).toBe(false);
    await runShell(noJail, world, attacks[0] ?? "", { C: program });
    expect(await hostRanCanary()).toBe(true);
  });

  test("H31: hooks that the owner's config takes from the work tree cannot be changed", async () => {
    await mkdir(join(world.project, "hooks"));
    await hostGit(world.project, "config", "core.hooksPath", "hooks");
    const program = await writeCanary(world.root, canary);
    const attack = 'cp "$C" hooks/post-commit; mv hooks h && cp -r h hooks && cp "$C" hooks/post-commit';
    await writeCanary(world.project, canary);
    await runShell(jail, world, attack, { C: join(world.project, "canary.sh") });
    expect(await hostRanCanary()).toBe(false);
    await runShell(noJail, world, attack, { C: program });
    expect(await hostRanCanary()).toBe(true);
  });

  test.each([
    ["core.fsmonitor", "./tools/run"],
    ["core.fsmonitor", "sh tools/run"],
    ["diff.external", 'true "$1" && tools/run'],
    ["filter.x.clean", "sh ./tools/run; cat"],
  ])(
    "H31: a program of the work tree that the owner's %s names cannot be changed: %s",
    async (key, command) => {
      await mkdir(join(world.project, "tools"));
      await writeFile(join(world.project, "tools/run"), "#!/bin/sh\n", { mode: 0o755 });
      await writeFile(join(world.project, ".gitattributes"), "* filter=x\n");
      await writeFile(join(world.project, "file"), "1\n");
      await hostGit(world.project, "add", "file");
      await hostGit(world.project, "config", key, command);
      const program = await writeCanary(world.project, canary);
      const attack = 'cp "$C" tools/run; mv tools t && cp -r t tools && cp "$C" tools/run; echo 2 > file';
      await runShell(jail, world, attack, { C: program });
      await hostGit(world.project, "diff").catch(() => "");
      expect(await hostRanCanary()).toBe(false);
      await runShell(noJail, world, attack, { C: program });
      await hostGit(world.project, "diff").catch(() => "");
      expect(await hostRanCanary()).toBe(true);
    },
  );

  test("a program of the work tree that the config names and that is not there is refused", async () => {
    await hostGit(world.project, "config", "core.fsmonitor", "./nowhere/run");
    await expect(runShell(jail, world, ":")).rejects.toThrow(
      /nowhere\/run, which is not there to be protected/,
    );
  });

  test("a hooks folder named by the config that does not exist is refused", async () => {
    await hostGit(world.project, "config", "core.hooksPath", "nowhere");
    await expect(runShell(jail, world, ":")).rejects.toThrow(/nowhere, which is not there to be protected/);
  });

  test("H18: what a hostile repository runs by git in the jail stays in the jail", async () => {
    const program = await writeCanary(world.project, canary);
    await hostGit(world.project, "config", "core.fsmonitor", program);
    await runShell(jail, world, "git status; git diff");
    await expect(access(canary)).rejects.toThrow();
    await runShell(noJail, world, "git status");
    expect(await readFile(canary, "utf8")).toContain("ran");
  });

  test("work with git goes on inside", async () => {
    const script = `set -e
      echo one > a; git add a; git commit -qm one; git checkout -qb topic; echo two >> a; git commit -qam two
      git checkout -q main; git merge -q topic; git tag v1; git stash list; git branch other; git branch -qd other 2>/dev/null
      git worktree add -q ../wt 2>/dev/null || git worktree add -q wt; git gc -q; git log --oneline | wc -l`;
    const { stdout, stderr, code } = await runShell(jail, world, script, IDENTITY);
    expect({ stdout, stderr, code }).toEqual({ stdout: "3\n", stderr: "", code: 0 });
    expect(await hostGit(world.project, "log", "--format=%s")).toBe("two\none\nfirst\n");
    expect(await hostGit(world.project, "fsck")).toBe("");
  });

  test("the guards are there while a jail lives, shared by two, and gone after the last", async () => {
    const gitDir = join(world.project, ".git");
    await rm(join(gitDir, "hooks"), { recursive: true });
    const before = (await readdir(gitDir)).sort();
    const [first, second] = await Promise.all([1, 2].map(() => jail.start(shellRequest(world, "cat"))));
    expect(await readFile(join(gitDir, "commondir"), "utf8")).toBe(".\n");
    expect(await hostGit(world.project, "status", "--porcelain")).toBe("");
    await first?.kill();
    expect(await readdir(gitDir)).toContain("commondir");
    await second?.kill();
    expect((await readdir(gitDir)).sort()).toEqual(before);
  });

  test("a guard that a killed daemon left behind is taken over and removed", async () => {
    const guard = join(world.project, ".git/commondir");
    await writeFile(guard, ".\n");
    expect((await runShell(jail, world, "git status -sb")).stdout).toBe("## main\n");
    await expect(access(guard)).rejects.toThrow();
  });

  test("a commondir of the owner's that leads out of the project is refused", async () => {
    await writeFile(join(world.project, ".git/commondir"), `${world.root}\n`);
    await expect(runShell(jail, world, ":")).rejects.toMatchObject({ code: "path_outside" });
  });

  test("two commondirs that lead to one another are no trap", async () => {
    const other = join(world.project, "other");
    await mkdir(other);
    await writeFile(join(world.project, ".git/commondir"), "../other\n");
    await writeFile(join(other, "commondir"), "../.git\n");
    expect((await runShell(jail, world, "echo fine")).stdout).toBe("fine\n");
  });

  test("a worktree whose repository lies outside is refused, in words that say so", async () => {
    const linked = join(world.root, "linked") as ApprovedPath;
    await hostGit(world.project, "worktree", "add", "-q", linked);
    const request = { ...shellRequest(world, ":"), project: linked };
    await expect(jail.start(request)).rejects.toThrow(/worktree or submodule whose repository lies outside/);
  });

  test("a repository beside its work tree, inside the project, is protected there", async () => {
    await mkdir(join(world.project, "deep"));
    await hostGit(world.project, "init", "-q", "--separate-git-dir", join(world.project, "deep/repo"));
    const program = await writeCanary(world.project, canary);
    const attack = [
      'printf "[core]\\nfsmonitor=%s\\n" "$C" >> deep/repo/config',
      'mv deep d; cp -r d deep; printf "[core]\\nfsmonitor=%s\\n" "$C" >> deep/repo/config',
      'mv deep/repo deep/r; cp -r deep/r deep/repo; printf "[core]\\nfsmonitor=%s\\n" "$C" >> deep/repo/config',
      'rm .git; git init -q; printf "[core]\\nfsmonitor=%s\\n" "$C" >> .git/config',
    ].join("\n");
    await runShell(jail, world, attack, { C: program });
    expect(await hostRanCanary()).toBe(false);
    await runShell(noJail, world, attack, { C: program });
    expect(await hostRanCanary()).toBe(true);
  });

  test.each([".git/hooks", ".git/config", ".vscode"])(
    "a protected path that is a link is refused: %s",
    async (name) => {
      const path = join(world.project, name);
      await rm(path, { recursive: true, force: true });
      await mkdir(join(world.root, "elsewhere"));
      await symlink(join(world.root, "elsewhere"), path);
      await expect(runShell(jail, world, ":")).rejects.toThrow(/symbolic link/);
      expect(await readdir(join(world.root, "elsewhere"))).toEqual([]);
      expect(await readdir(join(world.project, ".git"))).not.toContain("commondir");
    },
  );

  test("H22: settings that run code cannot be changed, replaced or moved away, at any depth", async () => {
    for (const folder of [".claude", ".vscode", ".idea", ".husky", "packages/app/.vscode"]) {
      await mkdir(join(world.project, folder), { recursive: true });
      await writeFile(join(world.project, folder, "settings.json"), "{}");
    }
    await writeFile(join(world.project, ".mcp.json"), "{}");
    const { stdout } = await runShell(
      jail,
      world,
      `for f in .claude .vscode .idea .husky packages/app/.vscode; do
         ( echo x > $f/settings.json ) && echo "wrote $f"; ( echo x > $f/new ) && echo "made $f/new"
         mv $f m && echo "moved $f"; rm -rf $f && echo "removed $f"; done
       ( echo x > .mcp.json ) && echo "wrote .mcp.json"; mv .mcp.json m && echo "moved .mcp.json"
       mv packages p && echo "moved packages"; mv packages/app a && echo "moved app"
       cat .claude/settings.json; echo x > packages/app/free && echo "the rest is writable"`,
    );
    expect(stdout).toBe("{}the rest is writable\n");
  });

  test("H31: when the owner replaces a protected file, the jail ends at once", async () => {
    const jailed = await jail.start(shellRequest(world, "cat"));
    await hostGit(world.project, "config", "user.name", "somebody"); // written beside and renamed over
    expect(await jailed.exited).toEqual({ code: 137, signal: null });
    expect(log.lines).toContainEqual(
      expect.objectContaining({ event: "jail.lost", path: join(world.project, ".git/config") }),
    );
    expect((await runShell(jail, world, "echo again")).stdout).toBe("again\n");
  });

  test("the owner's and the model's ordinary work does not end the jail", async () => {
    const jailed = await jail.start(
      shellRequest(world, "git commit -q --allow-empty -m inside; echo did; cat", IDENTITY),
    );
    await until(
      async () => (await hostGit(world.project, "log", "--format=%s")).startsWith("inside"),
      "the commit",
    );
    await hostGit(world.project, "commit", "-q", "--allow-empty", "-m", "outside");
    await appendFile(join(world.project, ".git/config"), "# in place\n");
    await hostGit(world.project, "status");
    jailed.stdin.end();
    expect((await jailed.exited).code).toBe(0);
    expect(log.lines).not.toContainEqual(expect.objectContaining({ event: "jail.lost" }));
  });

  test("H21: a project exchanged for another folder after its approval is refused", async () => {
    const other = join(world.root, "other");
    await rename(world.project, other);
    await symlink(other, world.project);
    await expect(runShell(jail, world, ":")).rejects.toMatchObject({ code: "path_outside" });
  });
});
