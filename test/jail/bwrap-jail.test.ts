import { access, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ApprovedPath } from "../../src/domain/approved-path.ts";
import type { Jail } from "../../src/jail/jail.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import { createWorld, type JailWorld, memoryLog, runShell, shellRequest } from "../support/git-project.ts";

const PROBE = join(import.meta.dirname, "probe.fixture.ts");

describe.runIf(process.platform === "linux")("the Linux jail", () => {
  let world: JailWorld;
  let jail: Jail;
  let noJail: Jail;

  beforeAll(async () => {
    world = await createWorld({ git: true });
    const deps = { platform: process.platform, log: memoryLog() };
    jail = await openJail({ ...deps, sandbox: "require", scratchDir: world.scratchDir });
    noJail = await openJail({ ...deps, sandbox: "off", scratchDir: join(world.root, "scratch-off") });
  });
  afterAll(async () => {
    await Promise.all([jail.close(), noJail.close()]);
    await world[Symbol.asyncDispose]();
  });

  /** Runs the probe with these acts, in the jail given. */
  async function probe(where: Jail, acts: readonly string[], env = {}): Promise<Record<string, string>> {
    const jailed = await where.start({
      ...shellRequest(world, "", env),
      program: PROBE,
      args: () => acts,
    });
    const [out, err] = await Promise.all([text(jailed.stdout), text(jailed.stderr), jailed.exited]);
    expect(err).toBe("");
    return JSON.parse(out);
  }

  test("says what it is", () => {
    expect([jail.kind, noJail.kind]).toEqual(["bwrap", "none"]);
  });

  test("files outside the project can neither be read nor written, nor made", async () => {
    const secret = join(world.root, "outside.txt");
    const fresh = join(world.root, "fresh.txt");
    await writeFile(secret, "outside");
    await symlink(secret, join(world.project, "link"));
    const acts = [`read:${secret}`, `read:${world.project}/link`, `write:${secret}`, `write:${fresh}`];

    const inside = await probe(jail, acts);
    expect(Object.values(inside)).toEqual(["ENOENT", "ENOENT", "EROFS", "EROFS"]);
    expect(await readFile(secret, "utf8")).toBe("outside");
    await expect(access(fresh)).rejects.toThrow();

    const control = await probe(noJail, acts);
    expect(Object.values(control)).toEqual(["outside", "outside", "written", "written"]);
  });

  test("nothing of the host's homes, /etc/passwd or private keys is there", async () => {
    const { stdout } = await runShell(
      jail,
      world,
      "cat /etc/passwd /etc/shadow; ls -A /root /home /etc/ssl /var/lib /srv /sys /run /opt",
    );
    expect(stdout.split("\n").filter((line) => line.startsWith("root:"))).toEqual([]);
    expect(stdout).toContain("/home:\nbot\n");
    expect(stdout).toContain("/run:\napi.sock\n");
    expect(stdout).not.toMatch(/private|\/root:|\/var\/lib:|\/srv:|\/sys:/);
  });

  test("there is no network, and the API socket answers", async () => {
    const server = createServer((socket) => socket.end("loopback"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    try {
      const inside = await probe(jail, [`tcp:${port}`, "unix:/run/api.sock"]);
      expect(Object.values(inside)).toEqual(["ECONNREFUSED", "hello from the api"]);
      expect(Object.values(await probe(noJail, [`tcp:${port}`]))).toEqual(["loopback"]);
    } finally {
      server.close();
    }
    const { stdout } = await runShell(jail, world, "cat /proc/net/route /proc/net/dev | grep -v lo:");
    expect(stdout).not.toMatch(/eth|enp|wlan/);
  });

  test("the paths told to args and env are the ones inside", async () => {
    const jailed = await jail.start({
      ...shellRequest(world, ""),
      args: (inside) => ["-c", 'printf %s "$1"', "sh", JSON.stringify(inside)],
    });
    expect(JSON.parse(await text(jailed.stdout))).toEqual({
      program: ["/opt/claude"],
      project: world.project,
      configDir: "/home/bot/.claude",
      apiSocket: "/run/api.sock",
      home: "/home/bot",
      tmp: "/tmp",
      path: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      proxyPort: null,
      cacheDir: null,
    });
  });

  const HOSTILE = [
    ["NODE_OPTIONS", "--require=/nonexistent.js"],
    ["LD_PRELOAD", "/nonexistent.so"],
    ["LD_LIBRARY_PATH", "/nonexistent"],
    ["DYLD_INSERT_LIBRARIES", "/nonexistent"],
    ["BASH_ENV", "/nonexistent"],
    ["ENV", "/nonexistent"],
    ["GIT_DIR", "/nonexistent"],
    ["GIT_CONFIG_GLOBAL", "/nonexistent"],
    ["CLAUDE_CONFIG_DIR", "/nonexistent"],
    ["ANTHROPIC_BASE_URL", "http://127.0.0.1:1"],
    ["HTTPS_PROXY", "http://127.0.0.1:1"],
    ["TELEGRAM_BOT_TOKEN", "1:secret"],
  ] as const;

  test.each(HOSTILE)("H06 H36: %s of the daemon does not reach the child", async (name, value) => {
    process.env[name] = value;
    try {
      const { env = "" } = await probe(jail, ["env"]);
      expect(Object.keys(JSON.parse(env)).sort()).toEqual([
        "HOME",
        "PATH",
        "PWD",
        "SALLYPORT_JAIL",
        "TMPDIR",
      ]);
      const { stdout } = await runShell(jail, world, "cat /proc/*/environ");
      expect(stdout).not.toContain(value);
    } finally {
      delete process.env[name];
    }
  });

  test("H28: neither the environment nor a path of the jail stands on bwrap's command line", async () => {
    const jailed = await jail.start(shellRequest(world, "cat", { TOKEN: "value-for-nobody-else" }));
    const lines = (await readFile(`/proc/${jailed.pid}/cmdline`, "utf8")).split("\0");
    const environment = await readFile(`/proc/${jailed.pid}/environ`, "utf8");
    await jailed.kill();
    expect(lines[0]).toMatch(/bwrap$/);
    expect(lines.join(" ")).not.toMatch(/value-for-nobody-else|TOKEN|scratch|api\.sock/);
    expect(environment).toMatch(/^SALLYPORT_JAIL=[0-9a-f:-]+\0$/);
  });

  test("the home is fresh each time, the config folder stays", async () => {
    await runShell(jail, world, "echo evil > ~/.bashrc; echo kept > ~/.claude/kept; echo x > /tmp/x");
    const { stdout } = await runShell(jail, world, "ls -A ~ /tmp; cat ~/.claude/kept");
    expect(stdout).toBe("/home/bot:\n.claude\n\n/tmp:\nkept\n");
    expect(await readFile(join(world.configDir, "kept"), "utf8")).toBe("kept\n");
  });

  test("folders in memory have a size", async () => {
    const { stdout } = await runShell(
      jail,
      world,
      "df -k --output=size /tmp ~ /dev/shm | tail -3; echo x > /dev/x",
    );
    expect(stdout.split("\n").map(Number).slice(0, 3)).toEqual([1024 * 1024, 256 * 1024, 256 * 1024]);
  });

  test("nothing of the system can be written, not by root either", async () => {
    const script = `for f in /x /usr/x /etc/x /opt/x /run/x /dev/x /home/x /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /proc/sysrq-trigger; do
      ( : >> "$f" ) 2>/dev/null && echo "open $f"; done; echo done; echo ok > /dev/null`;
    expect((await runShell(jail, world, script)).stdout).toBe("done\n");
  });

  test("no namespaces can be nested, and nothing is privileged", async () => {
    const { stdout } = await runShell(
      jail,
      world,
      `unshare -U true && echo nested; unshare -Ur true && echo nested; bwrap --unshare-user --ro-bind / / true && echo nested
       mount -t tmpfs x /tmp && echo mounted; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status | sort`,
    );
    expect(stdout).toBe("CapBnd:\t0000000000000000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n");
  });

  test("other processes of the host are neither seen nor reached", async () => {
    const { stdout } = await runShell(
      jail,
      world,
      `kill -0 ${process.pid} && echo reached; ls /proc | grep -c '^[0-9]'`,
    );
    expect(Number(stdout)).toBeLessThan(10);
  });

  test("descriptors that the daemon inherited do not lead out", async () => {
    const { stdout } = await runShell(jail, world, "ls -l /proc/self/fd");
    const targets = [...stdout.matchAll(/(\d+) -> (.*)/g)].map(([, fd, target]) => `${fd} ${target}`);
    const wrong = targets.filter((line) => !/^[0-2] socket:|^\d+ \/dev\/null$|^3 \/proc\//.test(line));
    expect(wrong).toEqual([]);
  });

  test("a mebibyte passes through unharmed, in both directions", async () => {
    const jailed = await jail.start(shellRequest(world, "cat"));
    const big = "ä\0\n".repeat(350_000);
    jailed.stdin.end(big);
    expect((await text(jailed.stdout)) === big).toBe(true);
    expect(await jailed.exited).toEqual({ code: 0, signal: null });
  });

  test("the real CLI answers from inside", async () => {
    const program = join(import.meta.dirname, "../../node_modules/.bin/claude");
    const jailed = await jail.start({ ...shellRequest(world, ""), program, args: () => ["--version"] });
    expect(await text(jailed.stdout)).toMatch(/^\d+\.\d+\.\d+ \(Claude Code\)/);
  });

  test.each([
    "with blank",
    "new\nline",
    "-rf",
    "ünï 日本 🦀",
    "back\\slash",
    "quo\"te's",
    "tab\there",
    "$(id)",
    "[a]*?",
  ])("a project called %j works", async (name) => {
    await using odd = await createWorld({ name });
    await writeFile(join(odd.project, ".env"), "SECRET");
    const { stdout, code } = await runShell(jail, odd, "pwd -P; cat .env; echo made > made");
    expect({ stdout, code }).toEqual({ stdout: `${odd.project}\n`, code: 0 });
    expect(await readFile(join(odd.project, "made"), "utf8")).toBe("made\n");
  });

  test("the environment cannot smuggle in an option", async () => {
    const start = (env: Record<string, string>) => jail.start(shellRequest(world, ":", env));
    await expect(start({ A: "x\0--bind\0/\0/host" })).rejects.toThrow(/NUL/);
    await expect(start({ "A=B": "x" })).rejects.toThrow(/environment variable/);
    await expect(start({ "": "x" })).rejects.toThrow(/environment variable/);
  });

  test("a project that is missing, a file or a link is refused, and nothing is started", async () => {
    const file = join(world.root, "file") as ApprovedPath;
    const link = join(world.root, "linked") as ApprovedPath;
    await writeFile(file, "");
    await symlink(world.project, link);
    const start = (project: string) =>
      jail.start({ ...shellRequest(world, ":"), project: project as ApprovedPath });
    await expect(start(join(world.root, "none"))).rejects.toMatchObject({ code: "path_invalid" });
    await expect(start(file)).rejects.toMatchObject({ code: "path_invalid" });
    await expect(start(link)).rejects.toMatchObject({ code: "path_outside" });
    await expect(start(`${world.project}/../project`)).rejects.toMatchObject({ code: "path_outside" });
    await expect(start("relative")).rejects.toMatchObject({ code: "path_invalid" });
  });

  test("H33: a project that holds a part of the daemon is refused", async () => {
    const start = (project: string) =>
      jail.start({ ...shellRequest(world, ":"), project: project as ApprovedPath });
    await expect(start(world.root)).rejects.toThrow(/a part of Sallyport itself/);
    const within = join(world.configDir, "sub");
    await mkdir(within);
    await expect(start(within)).rejects.toThrow(/own folder/);
    for (const project of ["/", "/tmp", "/usr", "/dev/shm", "/home"]) {
      await expect(start(project)).rejects.toMatchObject({ code: "path_invalid" });
    }
  });

  test("a missing program is refused", async () => {
    const request = { ...shellRequest(world, ":"), program: "/nonexistent/claude" };
    await expect(jail.start(request)).rejects.toMatchObject({ code: "claude_missing" });
  });
});
