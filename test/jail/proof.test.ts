import { mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bwrapOptions, insideArgv, programBinds } from "../../src/jail/bwrap-options.ts";
import { startBwrap } from "../../src/jail/bwrap-process.ts";
import { createGuardKeeper } from "../../src/jail/git-guards.ts";
import { INSIDE } from "../../src/jail/inside-paths.ts";
import type { Jail, JailRequest } from "../../src/jail/jail.ts";
import { createMarks } from "../../src/jail/mark.ts";
import { findSystemProgram, openJail } from "../../src/jail/open-jail.ts";
import { planProtection } from "../../src/jail/plan-protection.ts";
import { resolveProgram } from "../../src/jail/program.ts";
import { assertProved, type ProofLine, proveJail } from "../../src/jail/proof/prove-jail.ts";
import { identify, type ProtectedPath } from "../../src/jail/protection.ts";
import { systemBinds } from "../../src/jail/system-binds.ts";
import { memoryLog } from "../support/git-project.ts";
import { hostReading } from "../support/reading.ts";

describe.runIf(process.platform === "linux")("the escape self-test", () => {
  let home: string;
  beforeAll(async () => {
    home = await realpath(await mkdtemp("/var/tmp/proof-"));
  });
  afterAll(() => rm(home, { recursive: true }));

  const prove = (
    jail: Pick<Jail, "start">,
    signal = new AbortController().signal,
  ): Promise<readonly ProofLine[]> =>
    proveJail({ jail, home, platform: process.platform, now: Date.now, signal });

  const named = (lines: readonly ProofLine[], outcome: ProofLine["outcome"]): readonly string[] =>
    lines.filter((line) => line.outcome === outcome).map(({ name }) => name);

  const open = (sandbox: "require" | "off"): Promise<Jail> =>
    openJail({ sandbox, platform: process.platform, scratchDir: join(home, sandbox), log: memoryLog() });

  /** A jail made of the same parts, with a hole in it, that looks at no mount. */
  interface Hole {
    readonly options?: (options: readonly string[]) => readonly string[];
    readonly isKept?: (path: ProtectedPath) => boolean;
    /** No system call filter. */
    readonly isUnfiltered?: boolean;
    /** The jail is killed at once. */
    readonly isKilled?: boolean;
  }
  function withHole({ options: weaken = (same) => same, isKept = () => true, isUnfiltered, isKilled }: Hole) {
    return {
      start: async (request: JailRequest): ReturnType<Jail["start"]> => {
        const scratchDir = await realpath(await mkdtemp(join(home, "hole-")));
        const program = await resolveProgram(request.program);
        const inside = {
          ...INSIDE,
          program: insideArgv(program),
          project: request.project,
          proxyPort: null,
          cacheDir: null,
        };
        const argv = [...insideArgv(program), ...request.args(inside)];
        const mark = createMarks(scratchDir).next();
        const bind = (source: string, target: string, isWritable: boolean) => ({
          source,
          target,
          isWritable,
        });
        const plan = await planProtection(request.project, { run: hostReading });
        const release = await createGuardKeeper().hold(plan.guards);
        const options = bwrapOptions({
          system: await systemBinds(scratchDir),
          binds: [
            bind(request.configDir, INSIDE.configDir, true),
            ...programBinds(program),
            bind(request.apiSocket, INSIDE.apiSocket, false),
            bind(request.project, request.project, true),
          ],
          protectedPaths: (await identify(plan)).filter(isKept),
          env: { ...request.env(inside), ...mark.env },
          cwd: request.project,
        });
        const real = (await findSystemProgram("bwrap")) ?? "";
        const bwrap = isUnfiltered ? await withoutFilter(scratchDir, real) : real;
        const { child, exited, kill } = await startBwrap({
          bwrap,
          scratchDir,
          mark,
          options: weaken(options),
          become: [],
          argv,
          check: async () => undefined,
        });
        if (isKilled) await kill();
        const { pid, stdin, stdout, stderr } = child;
        return {
          pid,
          stdin,
          stdout,
          stderr,
          exited: exited.then(async (exit) => {
            await release();
            return exit;
          }),
          kill,
          settle: async () => undefined,
          baseline: [],
        };
      },
    };
  }

  async function withoutFilter(folder: string, bwrap: string): Promise<string> {
    const path = join(folder, "bwrap");
    const script = `#!/bin/bash\nargs=()\nwhile [ "$1" != -- ]; do if [ "$1" = --seccomp ]; then shift; else args+=("$1"); fi; shift; done\nexec ${bwrap} "\${args[@]}" "$@"\n`;
    await writeFile(path, script, { mode: 0o755 });
    return path;
  }

  test("every attempt is held by the sandbox of this system, and each succeeds without it", async () => {
    const jail = await open("require");
    const lines = await prove(jail);
    await jail.close();
    expect(named(lines, "through")).toEqual([]);
    expect(named(lines, "unproved")).toEqual([]);
    expect(named(lines, "held").length).toBeGreaterThan(40);
    const asAnother = lines.filter(({ name }) => name.endsWith(", as another user"));
    const isRoot = process.getuid?.() === 0;
    expect(asAnother).toHaveLength(isRoot ? lines.length / 2 : 0);
    expect(named(lines, "works")).toHaveLength(isRoot ? 6 : 3);
    expect(() => assertProved(lines)).not.toThrow();
    expect(await readdir(join(home, "proof"))).toEqual([]);
  });

  test("where there is no sandbox, nothing is held", async () => {
    const jail = await open("off");
    const lines = await prove(jail);
    await jail.close();
    // The environment is built from nothing there too.
    expect(named(lines, "held")).toEqual(["get the daemon's environment"]);
    expect(named(lines, "through").length).toBeGreaterThan(40);
    expect(() => assertProved(lines)).toThrow(
      expect.objectContaining({
        code: "sandbox_broken",
        message: expect.stringContaining("read a file outside the project"),
      }),
    );
  });

  const without =
    (...gone: readonly string[]) =>
    (options: readonly string[]) =>
      options.filter((option) => !gone.includes(option));

  test.each<[string, Hole, readonly string[]]>([
    [
      "shares the host's network",
      { options: without("--unshare-net") },
      ["reach a loopback port of the host", "reach an abstract socket of the host"],
    ],
    [
      "shares the host's processes",
      { options: without("--unshare-pid") },
      ["see the daemon among the processes"],
    ],
    [
      "shows a folder of the host's",
      { options: (options) => ["--ro-bind", "/var/tmp", "/var/tmp", ...options] },
      [
        "read a file outside the project",
        "read outside through a link",
        "list the daemon's own folder",
        "reach a socket outside the project",
      ],
    ],
    [
      "lets a folder of the host's be written",
      { options: (options) => ["--bind", "/var/tmp", "/var/tmp", ...options] },
      ["make a file outside the project", "make a file outside through a linked folder"],
    ],
    [
      "leaves out the masks",
      { isKept: ({ kind }) => kind !== "mask" },
      [
        "read the secret .env",
        "read the secret .env through a hard link",
        "read the secret deep/er/.env.local",
      ],
    ],
    ["leaves out the pins", { isKept: ({ kind }) => kind !== "pin" }, ["move .git away"]],
    [
      "leaves out what is read-only",
      { isKept: ({ kind }) => kind !== "readonly" },
      ["write .git/config", "replace .git/config", "make a hook", "write .mcp.json", "move .git/hooks away"],
    ],
    [
      "allows namespaces in it",
      { options: without("--disable-userns", "--assert-userns-disabled"), isUnfiltered: true },
      ["make a user namespace"],
    ],
  ])("a sandbox that %s is found out, and the way is named", async (_name, hole, ways) => {
    expect(named(await prove(withHole({})), "through")).toEqual([]);
    const lines = await prove(withHole(hole));
    expect(named(lines, "through")).toEqual(expect.arrayContaining([...ways]));
    expect(() => assertProved(lines)).toThrow(/^The sandbox does not hold: /);
  });

  test("one that is cut off by the daemon's end proves nothing, and leaves nothing behind", async () => {
    const jail = await open("require");
    const lines = await prove(jail, AbortSignal.abort("SIGTERM"));
    await jail.close();
    expect(named(lines, "held")).toEqual([]);
    expect(await readdir(join(home, "proof"))).toEqual([]);
  });

  test("a sandbox that ends before its program has answered proves nothing", async () => {
    const lines = await prove(withHole({ isKilled: true }));
    expect(named(lines, "held")).toEqual([]);
    expect(() => assertProved(lines)).toThrow(/the sandbox ended before it answered|fails in the sandbox/);
  });
});
