import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { MacOSSandboxParams } from "@anthropic-ai/sandbox-runtime/dist/sandbox/macos-sandbox-utils.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Jail } from "../../src/jail/jail.ts";
import { createMarks } from "../../src/jail/mark.ts";
import { createSeatbeltJail } from "../../src/jail/seatbelt-jail.ts";
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

/** sandbox-runtime's own wrapper for Linux, given what the adapter asks of the one for macOS. It takes no patterns. */
async function loadLinuxWrap(emptyDir: string) {
  const { wrapCommandWithSandboxLinux } = await import(
    "@anthropic-ai/sandbox-runtime/dist/sandbox/linux-sandbox-utils.js"
  );
  const literal = (paths: readonly string[] = []) => paths.filter((path) => !path.includes("*"));
  return async ({ command, binShell, readConfig, writeConfig }: MacOSSandboxParams): Promise<string> => {
    process.chdir(emptyDir); // as the adapter's own loader does
    return wrapCommandWithSandboxLinux({
      command,
      ...(binShell === undefined ? {} : { binShell }),
      needsNetworkRestriction: true,
      allowAllUnixSockets: true, // there they cannot be told apart by their paths
      readConfig: { ...readConfig, denyOnly: literal(readConfig?.denyOnly) },
      writeConfig: {
        ...writeConfig,
        allowOnly: [],
        denyWithinAllow: [],
        // What does not exist can be forbidden there only by making it; a Mac forbids the name.
        literalDenyWithinAllow: (writeConfig?.literalDenyWithinAllow ?? []).filter((path) =>
          existsSync(path),
        ),
      },
    });
  };
}

describe.runIf(process.platform === "linux")("the macOS adapter in the sandbox of its library", () => {
  let world: JailWorld;
  let jail: Jail;
  const cwd = process.cwd();

  beforeEach(async () => {
    world = await createWorld({ git: true });
    const { root, scratchDir } = world;
    const emptyDir = join(root, "nothing");
    for (const folder of [scratchDir, emptyDir]) await mkdir(folder);
    await writeFile(join(root, "outside"), "OUTSIDE");
    await writeFile(join(world.project, ".env"), "SECRET");
    await writeFile(join(world.project, "server.key"), "SECRET");
    jail = createSeatbeltJail({
      scratchDir,
      marks: createMarks(scratchDir),
      log: memoryLog(),
      platform: process.platform,
      wrap: await loadLinuxWrap(emptyDir),
      hidden: [root],
    });
  });
  afterEach(async () => {
    await jail.close();
    process.chdir(cwd);
    await world[Symbol.asyncDispose]();
  });

  const run = (script: string, env = {}) => runShell(jail, world, script, env);

  test("the program works in the project, in a home and a temp folder of its own", async () => {
    const { stdout, code } = await run(
      'echo made > made; cd "$HOME" && echo x > x; cd "$TMPDIR" && echo y > y; pwd; exit 4',
    );
    expect(code).toBe(4);
    expect(stdout).toMatch(/\/scratch\/jail-[0-9a-f]{8}\/tmp\n$/);
    expect(await readFile(join(world.project, "made"), "utf8")).toBe("made\n");
  });

  test("what is hidden can neither be read nor written, by any way", async () => {
    await symlink(join(world.root, "outside"), join(world.project, "link"));
    const { stdout } = await run("cat link ../outside; ls ..; echo x > ../made; echo x >> link; echo end");
    expect(stdout).not.toContain("OUTSIDE");
    expect(await readFile(join(world.root, "outside"), "utf8")).toBe("OUTSIDE");
    expect(existsSync(join(world.root, "made"))).toBe(false);
  });

  test("H05: secrets cannot be read, changed or moved away", async () => {
    const { stdout } = await run(
      "cat .env server.key .e*v; mv .env moved; cp server.key copy; cat copy moved; echo end",
    );
    expect(stdout).toBe("end\n");
    expect(await readFile(join(world.project, ".env"), "utf8")).toBe("SECRET");
  });

  test("H22 H31: what the host's git would run cannot be changed, replaced or moved away", async () => {
    const canary = join(world.root, "canary");
    const program = await writeCanary(world.project, canary);
    await run(`
      git config core.fsmonitor '${program}'; echo '[core] fsmonitor = ${program}' >> .git/config
      cp ${program} .git/hooks/post-checkout; mv .git g; cp -r g .git; echo end`);
    await hostGit(world.project, "status");
    expect(existsSync(canary)).toBe(false);
    // The same without the sandbox runs it.
    await hostGit(world.project, "config", "core.fsmonitor", program);
    await hostGit(world.project, "status");
    expect(existsSync(canary)).toBe(true);
  });

  test("no listener on the host's loopback is reached; the API's socket is", async () => {
    let reached = 0;
    const server = createServer((socket) => {
      reached += 1;
      socket.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    const script = `curl -s -m 2 http://127.0.0.1:${port}/; socat -u UNIX-CONNECT:${world.apiSocket} -`;
    const { stdout } = await run(script);
    server.close();
    expect(reached).toBe(0);
    expect(stdout).toBe("hello from the api");
  });

  test("a tool's folder is given back, read-only", async () => {
    const tool = join(world.root, "tools");
    await mkdir(tool);
    await writeFile(join(tool, "greet"), "#!/bin/sh\necho hello\n");
    await chmod(join(tool, "greet"), 0o755);
    const request = shellRequest(world, "greet; echo x > ../tools/made");
    const workshop = {
      tools: [tool],
      path: [tool],
      cacheDir: null,
      uploadsDir: null,
      env: () => ({}),
      exposed: [],
    };
    const jailed = await jail.start({ ...request, workshop });
    let stdout = "";
    jailed.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    await jailed.exited;
    expect(stdout).toBe("hello\n");
    expect(existsSync(join(tool, "made"))).toBe(false);
  });

  test("H50: killing it takes its descendants along, those of other sessions too", async () => {
    const beat = join(world.project, "beat");
    const script = `(setsid sh -c 'while :; do echo x >> beat; sleep 0.05; done' &) ; sleep 60`;
    const jailed = await jail.start(shellRequest(world, script));
    await until(() => existsSync(beat), "the grandchild works");
    await jailed.kill();
    const before = await readFile(beat, "utf8");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await readFile(beat, "utf8")).toBe(before);
  });
});
