import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Jail } from "../../src/jail/jail.ts";
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

describe.runIf(process.platform === "linux")("the jail of kind none", () => {
  let world: JailWorld;
  let jail: Jail;
  let log: ReturnType<typeof memoryLog>;

  beforeEach(async () => {
    world = await createWorld();
    log = memoryLog();
    jail = await openJail({ sandbox: "off", platform: process.platform, scratchDir: world.scratchDir, log });
  });
  afterEach(async () => {
    await jail.close();
    await world[Symbol.asyncDispose]();
  });

  async function countOf(token: string): Promise<number> {
    const rows = await readProcesses();
    const lines = await Promise.all(
      rows.map(({ pid }) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
    );
    return lines.filter((line) => line.includes(token) && line.includes("while")).length;
  }

  test("says at its opening that nothing is held", () => {
    expect(jail.kind).toBe("none");
    expect(log.lines).toEqual([{ event: "jail.off" }]);
  });

  test("H06 H36: the environment is built from nothing", async () => {
    process.env.TELEGRAM_BOT_TOKEN = "1:secret";
    try {
      const { stdout } = await runShell(jail, world, "env | cut -d= -f1 | sort | tr '\\n' ' '");
      expect(stdout).toBe("HOME PATH PWD SALLYPORT_JAIL TMPDIR ");
    } finally {
      delete process.env.TELEGRAM_BOT_TOKEN;
    }
  });

  test("home and temp folder are the program's own, and removed after it", async () => {
    const script = 'echo x > ~/a; echo y > "$TMPDIR/b"; ls -A ~ "$TMPDIR"; stat -c %a ~; pwd';
    const { stdout } = await runShell(jail, world, script);
    expect(stdout).toMatch(new RegExp(`/home:\na\n\n.*/tmp:\nb\n700\n${world.project}\n$`));
    expect(await readdir(world.scratchDir)).toEqual([]);
  });

  test("kill finds grandchildren that left the session and lost their parent", async () => {
    const token = randomUUID();
    const loop = `sh -c 'while :; do sleep 0.1; done # ${token}'`;
    const script = `( setsid nohup ${loop} >/dev/null 2>&1 & ) ; setsid ${loop} & ${loop} & ${loop}`;
    const jailed = await jail.start(shellRequest(world, script));
    await until(async () => (await countOf(token)) >= 4, "the grandchildren");
    await Promise.all([jailed.kill(), jailed.kill()]);
    expect(await countOf(token)).toBe(0);
    expect(await jailed.exited).toEqual({ code: null, signal: "SIGKILL" });
  });

  test("what a program leaves behind when it ends is ended too", async () => {
    const token = randomUUID();
    const loop = `sh -c 'while :; do sleep 0.1; done # ${token}'`;
    const jailed = await jail.start(
      shellRequest(world, `( setsid ${loop} >/dev/null 2>&1 & ); sleep 0.1; exit 5`),
    );
    expect(await jailed.exited).toEqual({ code: 5, signal: null });
    expect(await countOf(token)).toBe(0);
  });

  test("a program whose arguments cannot be built leaves nothing behind", async () => {
    const args = (): never => {
      throw new Error("no arguments");
    };
    await expect(jail.start({ ...shellRequest(world, ""), args })).rejects.toThrow("no arguments");
    expect(await readdir(world.scratchDir)).toEqual([]);
  });
});
