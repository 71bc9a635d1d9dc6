import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chown, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startBwrap } from "../../src/jail/bwrap-process.ts";
import type { Jail } from "../../src/jail/jail.ts";
import { createMarks } from "../../src/jail/mark.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import { readProcesses } from "../../src/jail/process-table.ts";
import {
  createWorld,
  type JailWorld,
  memoryLog,
  runShell,
  shellRequest,
  until,
} from "../support/git-project.ts";

const DAEMON = join(import.meta.dirname, "daemon.fixture.ts");
const NOBODY = 65_534;

describe.runIf(process.platform === "linux")("the life of a Linux jail", () => {
  let world: JailWorld;
  let jail: Jail;

  beforeEach(async () => {
    world = await createWorld({ git: true });
    jail = await openJail({
      sandbox: "require",
      platform: process.platform,
      scratchDir: world.scratchDir,
      log: memoryLog(),
    });
  });
  afterEach(async () => {
    await jail.close();
    await world[Symbol.asyncDispose]();
  });

  /** A script that leaves grandchildren of every sort behind, all with `token` on their command line. */
  function forks(token: string): string {
    const loop = `while :; do sleep 0.1; done # ${token}`;
    return `setsid nohup sh -c '${loop}' >/dev/null 2>&1 </dev/null &
      ( setsid sh -c '${loop}' >/dev/null 2>&1 & ) ; sh -c '${loop}' & sh -c '${loop}' `;
  }

  async function countOf(token: string): Promise<number> {
    const rows = await readProcesses();
    const lines = await Promise.all(
      rows.map(({ pid }) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
    );
    return lines.filter((line) => line.includes(token) && line.includes("while")).length;
  }

  /** Starts the fixture; gives it and what it prints. */
  function startDaemon(
    script: string,
    wrapper: readonly string[] = [],
  ): ChildProcess & { readonly stdout: NodeJS.ReadableStream } {
    const [file, ...args] = [...wrapper, process.execPath, DAEMON];
    const daemon = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"], cwd: "/" });
    daemon.stdin.end(JSON.stringify({ world, script }));
    return daemon;
  }

  test("kill ends the program with every descendant, setsid nohup ones too, and may be called twice", async () => {
    const token = randomUUID();
    const jailed = await jail.start(shellRequest(world, forks(token)));
    await until(async () => (await countOf(token)) >= 5, "the grandchildren");
    await Promise.all([jailed.kill(), jailed.kill()]);
    expect(await countOf(token)).toBe(0);
    expect(await jailed.exited).toEqual({ code: 137, signal: null });
    await jailed.kill();
  });

  test("what a program leaves behind when it ends is ended too", async () => {
    const token = randomUUID();
    const { code } = await runShell(jail, world, `${forks(token)} & sleep 0.2; exit 3`);
    expect(code).toBe(3);
    expect(await countOf(token)).toBe(0);
  });

  test("the exit code and a signal come through", async () => {
    expect((await runShell(jail, world, "exit 7")).code).toBe(7);
    expect((await runShell(jail, world, "kill -9 $$")).code).toBe(137);
  });

  test("close ends all and refuses what comes later", async () => {
    const token = randomUUID();
    const running = await Promise.all([1, 2].map(() => jail.start(shellRequest(world, forks(token)))));
    const starting = jail.start(shellRequest(world, forks(token))).catch(() => null);
    await jail.close();
    await Promise.all(running.map((jailed) => jailed.exited));
    await (await starting)?.exited;
    expect(await countOf(token)).toBe(0);
    await expect(jail.start(shellRequest(world, ":"))).rejects.toMatchObject({ code: "sandbox_missing" });
    const left = (await readdir(world.scratchDir)).filter((name) => !name.startsWith("uid-"));
    expect(left.sort()).toEqual(["empty", "group", "hosts", "passwd"]);
    expect(await readdir(join(world.project, ".git"))).not.toContain("commondir");
  });

  test("writing to a program that has ended does no harm", async () => {
    const jailed = await jail.start(shellRequest(world, "exit 0"));
    await jailed.exited;
    for (let times = 0; times < 3; times += 1) jailed.stdin.write("late\n");
    await jailed.kill();
  });

  test("output that nobody reads yet is kept", async () => {
    const jailed = await jail.start(shellRequest(world, "echo early; echo err >&2"));
    await jailed.exited;
    expect(await Promise.all([text(jailed.stdout), text(jailed.stderr)])).toEqual(["early\n", "err\n"]);
  });

  test("a command line that the system refuses is a fault of one line", async () => {
    const args = () => ["-c", ":", "x".repeat(3_000_000)];
    const starting = jail.start({ ...shellRequest(world, ""), args });
    await expect(starting).rejects.toThrow(/^Could not start \/usr\/bin\/bwrap: E2BIG$/);
    expect(await readdir(join(world.project, ".git"))).not.toContain("commondir");
  });

  test("a program that does not exist inside shows as its exit", async () => {
    const script = join(world.root, "broken");
    await writeFile(script, "#!/nonexistent/interpreter\n", { mode: 0o755 });
    const jailed = await jail.start({ ...shellRequest(world, ":"), program: script });
    expect((await jailed.exited).code).toBe(127);
  });

  test("H50: nothing is left when the daemon is killed with SIGKILL, and the next one finds its guards", async () => {
    const token = randomUUID();
    const daemon = startDaemon(forks(token));
    await until(async () => (await countOf(token)) >= 5, "the grandchildren");
    daemon.kill("SIGKILL");
    await until(async () => (await countOf(token)) === 0, "their end");
    expect(await readdir(join(world.project, ".git"))).toContain("commondir");
    expect((await runShell(jail, world, "git status -s")).code).toBe(0);
    expect(await readdir(join(world.project, ".git"))).not.toContain("commondir");
  });

  test("a program does not begin before the mounts were checked", async () => {
    const seen: string[] = [];
    const pending = startBwrap({
      bwrap: "/usr/bin/bwrap",
      scratchDir: world.scratchDir,
      mark: createMarks(world.scratchDir).next(),
      options: ["--bind", "/", "/", "--proc", "/proc", "--die-with-parent", "--unshare-pid"],
      become: [],
      argv: ["/bin/sh", "-c", `echo ran > ${world.project}/ran`],
      check: async (pid) => {
        seen.push(await readFile(`/proc/${pid}/cmdline`, "utf8"));
        throw new Error("refused");
      },
    });
    await expect(pending).rejects.toThrow();
    expect(seen[0]).toContain("bwrap");
    expect(await readdir(world.project)).toEqual([".git"]);
  });

  test.each([".vscode", "."])(
    "H21: %s, exchanged between the look and the mount, is noticed before the program runs",
    async (name) => {
      const path = join(world.project, name);
      await mkdir(join(world.project, ".vscode"));
      const wrapper = join(world.root, "bwrap");
      const swap = `cp -a '${path}' '${world.root}/other' && mv '${path}' '${world.root}/aside' && mv '${world.root}/other' '${path}'`;
      await writeFile(
        wrapper,
        `#!/bin/bash\n[ -e '${world.root}/armed' ] && { ${swap}; }\nexec /usr/bin/bwrap "$@"\n`,
        {
          mode: 0o755,
        },
      );
      const swapped = await openJail({
        sandbox: "require",
        platform: process.platform,
        scratchDir: join(world.root, "scratch-2"),
        log: memoryLog(),
        findOnPath: async () => wrapper,
      });
      expect((await runShell(swapped, world, "echo control")).stdout).toBe("control\n");
      await writeFile(join(world.root, "armed"), "");
      await expect(runShell(swapped, world, "echo ran > ran")).rejects.toMatchObject({
        code: "path_outside",
      });
      await swapped.close();
      for (const folder of [world.project, join(world.root, "aside")])
        expect(await readdir(folder)).not.toContain("ran");
    },
  );

  test("H21: a folder that keeps being exchanged for a link never shows what it leads to", async () => {
    const outside = join(world.root, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "file"), "SECRET");
    const swap = 'while :; do rm -rf "$0"; ln -s ../outside "$0"; rm -f "$0"; mkdir "$0"; done';
    const swapper = spawn("sh", ["-c", swap, join(world.project, ".vscode")], {
      stdio: "ignore",
      detached: true,
    });
    const outcomes: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      const outcome = await runShell(jail, world, "cat .vscode/file 2>/dev/null; echo ran").then(
        ({ stdout }) => stdout,
        (error: { readonly code: string }) => error.code,
      );
      outcomes.push(outcome);
    }
    const ended = once(swapper, "exit");
    process.kill(-(swapper.pid ?? 0), "SIGKILL"); // the group: also the command that the loop is at
    await ended;
    expect(outcomes.filter((outcome) => outcome.includes("SECRET"))).toEqual([]);
  });

  test("it works for an ordinary user", async ({ skip }) => {
    const asNobody =
      process.getuid?.() === 0 ? ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"] : [];
    try {
      execFileSync(asNobody[0] ?? "true", [...asNobody.slice(1), "test", "-r", DAEMON]);
    } catch {
      skip("nobody may not read this checkout, or there is no setpriv");
    }
    if (asNobody.length > 0) {
      for (const path of [world.root, world.apiSocket, world.configDir]) await chown(path, NOBODY, NOBODY);
      await jail.close();
      execFileSync("chown", ["-R", `${NOBODY}`, world.project, world.scratchDir]);
    }
    await writeFile(join(world.project, ".env"), "SECRET", { mode: 0o644 });
    const script = `cat .env; whoami; cat /etc/shadow; unshare -Ur true && echo nested
      ( echo x >> .git/config ) && echo wrote; mv .git g && echo moved; echo made > made && cat made`;
    const daemon = startDaemon(script, asNobody);
    const output = (await text(daemon.stdout)).replace("started\n", "");
    expect(JSON.parse(output)).toMatchObject({ out: "bot\nmade\n", code: 0 });
  });

  test("a flood of changes from inside does not hold the daemon up", async () => {
    const flood = `perl -e 'open(F, ">a"); mkdir "b"; $| = 1; print "begun"; while (1) { rename "a", "b/c"; rename "b/c", "a" }'`;
    const [inRoot, inGit] = await Promise.all([
      jail.start(shellRequest(world, flood)),
      jail.start(shellRequest(world, `cd .git; ${flood}`)),
    ]);
    await Promise.all([inRoot, inGit].map(({ stdout }) => once(stdout, "data")));
    expect((await runShell(jail, world, "echo fine")).stdout).toBe("fine\n");
    await Promise.all([inRoot.kill(), inGit.kill()]);
  });

  test("descriptors that the daemon inherited are closed to the jail", async () => {
    const daemon = startDaemon("for fd in /proc/self/fd/*; do readlink $fd; done; ls /proc/self/fd/40/", [
      "bash",
      "-c",
      'exec 40</ 41</etc; exec "$0" "$@"',
    ]);
    const { out } = JSON.parse((await text(daemon.stdout)).replace("started\n", ""));
    expect(out).not.toMatch(/^\/(etc)?$/m);
  });
});
