import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Jail } from "../../src/jail/jail.ts";
import { createMarks } from "../../src/jail/mark.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import { readProcesses } from "../../src/jail/process-table.ts";
import { reap } from "../../src/jail/reap.ts";
import { createSeatbeltJail } from "../../src/jail/seatbelt-jail.ts";
import { createWorld, type JailWorld, memoryLog, shellRequest, until } from "../support/git-project.ts";
import { processesWith } from "../support/processes.ts";

const DAEMON = join(import.meta.dirname, "daemon.fixture.ts");
const NOBODY = 65_534;

describe.runIf(process.platform === "linux")("what an earlier life left running", () => {
  let world: JailWorld;
  let token: string;
  const log = memoryLog();

  beforeEach(async () => {
    world = await createWorld({ git: true });
    await mkdir(world.scratchDir);
    log.lines.length = 0;
    token = `token-${randomUUID()}`;
  });
  afterEach(() => world[Symbol.asyncDispose]());

  /** A command that runs for ever and can be found by the token and a name of its own. */
  const sleeper = (name: string) => `perl -e 'sleep 600' ${token} ${name}`;
  const living = (name = ""): number => processesWith(`${token}\0${name}`).length;

  async function open(over: { sandbox?: "require" | "off"; platform?: NodeJS.Platform } = {}): Promise<Jail> {
    const deps = { platform: process.platform, scratchDir: world.scratchDir, log };
    const jail = await openJail({ sandbox: "off", ...deps, ...over });
    onTestFinished(() => jail.close());
    return jail;
  }
  const reaped = () => log.lines.filter((line) => "event" in line && line.event === "jail.reaped");

  /** Starts a program outside any jail; ended at the end of the test. */
  function startOutside(name: string, env: Record<string, string>, uid?: number): ChildProcess {
    const child = spawn("/usr/bin/perl", ["-e", "sleep 600", token, name], {
      env: { PATH: "/usr/bin:/bin", ...env },
      stdio: "ignore",
      cwd: "/",
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  }

  /** A daemon with a jail that runs the script, killed with SIGKILL once `count` processes of it run. */
  async function killedDaemon(script: string, count: number): Promise<void> {
    const daemon = spawn(process.execPath, [DAEMON], { stdio: ["pipe", "ignore", "inherit"], cwd: "/" });
    daemon.stdin.end(JSON.stringify({ world, script, sandbox: "off" }));
    await until(() => living() >= count, "the processes of the jail");
    const ended = once(daemon, "exit");
    daemon.kill("SIGKILL");
    await ended;
  }

  test("H50: is ended when the next life opens its jail, setsid grandchildren and those with a wiped environment too", async () => {
    const script = `(setsid nohup ${sleeper("lost")} >/dev/null 2>&1 </dev/null &)
      (setsid sh -c "env -i ${sleeper("wiped").replaceAll('"', '\\"')}; :" >/dev/null 2>&1 </dev/null &)
      ${sleeper("child")} & ${sleeper("main")}`;
    await killedDaemon(script, 4);
    await delay(200); // what dies with the daemon by itself would be dead by now
    for (const name of ["lost", "wiped", "child", "main"]) expect(living(name)).toBeGreaterThan(0);
    await open();
    expect(living()).toBe(0);
    expect(reaped()).toEqual([{ event: "jail.reaped", count: expect.toSatisfy((count) => count >= 5) }]); // and a shell
  });

  test("is nothing after an orderly end, and nothing is told then", async () => {
    const jail = await open();
    const jailed = await jail.start(
      shellRequest(world, `(setsid ${sleeper("lost")} >/dev/null 2>&1 &); sleep 600`),
    );
    await until(() => living() > 0, "the grandchild");
    await jail.close();
    await jailed.exited;
    await open();
    expect(reaped()).toEqual([]);
  });

  test("H44: is known by its environment and by nothing else: a look-alike lives on, the true one ends", async () => {
    const [[name, value] = ["", ""]] = Object.entries(createMarks(world.scratchDir).next().env);
    const [home = "", jail = ""] = value.split(":");
    const other = createMarks(join(world.root, "another-home")).next().env;
    startOutside("true", { [name]: value });
    startOutside("home-only", { [name]: home });
    startOutside("cut", { [name]: value.slice(0, -1) });
    startOutside("longer", { [name]: `${value}0` });
    startOutside("swapped", { [name]: `${jail}:${home}` });
    startOutside("other-name", { [`X${name}`]: value, [name.toLowerCase()]: value });
    startOutside("in-a-value", { OTHER: `${name}=${value}` });
    startOutside("another-home", other);
    startOutside(`${name}=${value}`, {});
    await until(() => living() === 9, "all nine");
    await open();
    await until(() => living("true") === 0, "the end of the true one");
    expect(living()).toBe(8);
    expect(reaped()).toEqual([{ event: "jail.reaped", count: 1 }]);
  });

  test.runIf(process.getuid?.() === 0)("is this user's: another's with our mark is left alone", async () => {
    const { env } = createMarks(world.scratchDir).next();
    startOutside("ours", env);
    startOutside("theirs", env, NOBODY);
    await until(() => living() === 2, "both");
    await open();
    await until(() => living("ours") === 0, "the end of ours");
    expect(living("theirs")).toBe(1);
  });

  test("is left alone on a system whose processes cannot be read", async () => {
    startOutside("true", createMarks(world.scratchDir).next().env);
    await until(() => living() === 1, "it runs");
    await open({ platform: "freebsd" });
    expect([living(), reaped()]).toEqual([1, []]);
  });

  test("ends the start with one clear line when it cannot be ended", async () => {
    const list = async () => [{ pid: 2 ** 30, parent: 1, group: 2 ** 30, isMarked: true }];
    await expect(reap({ list, log, withinMs: 30 })).rejects.toMatchObject({
      code: "orphans_left",
      message: `Processes of an earlier life do not end: stop them by hand, then start again (${2 ** 30})`,
    });
    expect(reaped()).toEqual([]);
  });

  test("is told by a mark in every kind of jail, bwrap's own processes included", async () => {
    const marks = createMarks(world.scratchDir);
    const jails = {
      bwrap: await open({ sandbox: "require" }),
      none: await open(),
      seatbelt: createSeatbeltJail({
        scratchDir: world.scratchDir,
        marks,
        log,
        platform: process.platform,
        wrap: ({ command }) => `/bin/bash -c '${command.replaceAll("'", `'\\''`)}'`,
      }),
    };
    for (const [kind, jail] of Object.entries(jails)) {
      expect(jail.kind).toBe(kind);
      const jailed = await jail.start(shellRequest(world, `${sleeper(kind)}; :`));
      await until(() => living(kind) > 0, "the program");
      const own = new Set([jailed.pid]);
      for (let size = 0; size !== own.size; ) {
        size = own.size;
        for (const { pid, parent } of await readProcesses()) if (own.has(parent)) own.add(pid);
      }
      expect(own.size).toBe(kind === "bwrap" ? 4 : 2); // bwrap has two of its own beside the shell and its child
      const environments = await Promise.all(
        [...own].map((pid) => readFile(`/proc/${pid}/environ`, "latin1")),
      );
      const found = environments.map((text) => text.split("\0").filter(marks.isIn));
      expect(new Set(found.flat()).size).toBe(1);
      expect(found.map((entries) => entries.length)).toEqual([...own].map(() => 1));
      await jail.close();
    }
  });
});
