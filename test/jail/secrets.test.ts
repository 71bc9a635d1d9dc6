import { execFileSync } from "node:child_process";
import { mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Jail } from "../../src/jail/jail.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import { createWorld, type JailWorld, memoryLog, runShell, shellRequest } from "../support/git-project.ts";

describe.runIf(process.platform === "linux")("H05: secret files in the Linux jail", () => {
  let world: JailWorld;
  let jail: Jail;
  let log: ReturnType<typeof memoryLog>;

  beforeEach(async () => {
    world = await createWorld();
    log = memoryLog();
    jail = await openJail({
      sandbox: "require",
      platform: process.platform,
      scratchDir: world.scratchDir,
      log,
    });
  });
  afterEach(async () => {
    await jail.close();
    await world[Symbol.asyncDispose]();
  });

  async function put(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(world.project, name)), { recursive: true });
    await writeFile(join(world.project, name), text);
  }

  test("they read as empty at any depth, by any way, and cannot be changed", async () => {
    const secrets = [".env", ".env.local", ".envrc", ".ENV", "a/b/.env.production", ".venv/.env"];
    for (const name of secrets) await put(name, `SECRET ${name}`);
    await put(".env.example", "EXAMPLE");
    await put(".environment/readme", "SECRET in a folder of such a name");
    const { stdout } = await runShell(
      jail,
      world,
      `cat .e*v .env* .ENV a/b/.env.production .venv/.env; grep -r SECRET .; wc -c < .env; cp .env copy; cat copy
       ( echo x > .env ) && echo wrote; rm -f .env && echo removed; mv .env moved && echo moved; ln .env hard && cat hard
       mv a c && cat c/b/.env.production; cat .environment/readme`,
    );
    expect(stdout).toBe("EXAMPLE0\n");
    expect(await readFile(join(world.project, ".env"), "utf8")).toBe("SECRET .env");
  });

  test("a link to one is masked at its target in the project, and leads nowhere outside", async () => {
    await put("secrets/real", "SECRET");
    await writeFile(join(world.root, "outside"), "SECRET");
    await symlink("secrets/real", join(world.project, ".env"));
    await symlink(join(world.root, "outside"), join(world.project, ".env.outside"));
    await symlink("nowhere", join(world.project, ".env.dangling"));
    await symlink(".env.loop", join(world.project, ".env.loop"));
    await symlink("secrets", join(world.project, ".env.folder"));
    const { stdout } = await runShell(jail, world, "cat .env .env.* secrets/real .env.folder/real; echo end");
    expect(stdout).toBe("end\n");
    expect(await readFile(join(world.root, "outside"), "utf8")).toBe("SECRET");
  });

  test("what a link to a folder gives the names of secrets is masked, and nothing else there", async () => {
    await put("keys/work", "SECRET");
    await put("conf/nvim/init", "init");
    await put("cloud/token", "SECRET");
    await mkdir(join(world.project, "home"));
    await symlink("../keys", join(world.project, "home/.ssh"));
    await symlink("conf", join(world.project, ".config"));
    await symlink("../cloud", join(world.project, "conf/gcloud"));
    const { stdout } = await runShell(
      jail,
      world,
      "cat keys/work home/.ssh/work cloud/token .config/gcloud/token; cat .config/nvim/init",
    );
    expect(stdout).toBe("init");
  });

  test("a link to a folder of secrets with more names than are looked through is refused, with what to do", async () => {
    await mkdir(join(world.project, "many"));
    for (let n = 0; n < 2_000; n += 1) await writeFile(join(world.project, `many/${n}`), "");
    await symlink("many", join(world.project, ".ssh"));
    await expect(jail.start(shellRequest(world, "true"))).rejects.toMatchObject({
      code: "path_invalid",
      message: expect.stringMatching(/\.ssh leads: put the real folder there, or remove it$/),
    });
  });

  test("a pipe called .env, as password managers make it, is masked too", async () => {
    execFileSync("sh", ["-c", 'mkfifo "$0"', join(world.project, ".env")]);
    expect((await runShell(jail, world, "cat .env; echo end")).stdout).toBe("end\n");
  });

  test("a virtual environment called .env keeps working, with its own secrets masked", async () => {
    await put(".env/pyvenv.cfg", "");
    await put(".env/bin/tool", "tool");
    await put(".env/.env", "SECRET");
    expect((await runShell(jail, world, "cat .env/bin/tool .env/.env")).stdout).toBe("tool");
  });

  test("when the owner's editor replaces one, the jail ends at once", async () => {
    await put(".env", "SECRET");
    const jailed = await jail.start(shellRequest(world, "cat"));
    await put(".env.new", "SECRET 2");
    await rename(join(world.project, ".env.new"), join(world.project, ".env"));
    expect((await jailed.exited).code).toBe(137);
    expect(log.lines).toContainEqual(expect.objectContaining({ event: "jail.lost" }));
  });
});
