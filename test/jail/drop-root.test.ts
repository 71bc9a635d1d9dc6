import { execFileSync } from "node:child_process";
import { chmod, lstat, mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { identityOfOwner } from "../../src/jail/identity.ts";
import type { Jail } from "../../src/jail/jail.ts";
import { findSystemProgram, openJail } from "../../src/jail/open-jail.ts";
import { hasBecome } from "../../src/jail/verify-identity.ts";
import { createWorld, type JailWorld, memoryLog, runShell, shellRequest } from "../support/git-project.ts";
import { until } from "../support/until.ts";

const USER = 54_321;
const GROUP = 54_322;
const isRoot = process.platform === "linux" && process.getuid?.() === 0;

describe.runIf(isRoot)("the jail of a root daemon", () => {
  let world: JailWorld;
  let jail: Jail;
  let log: ReturnType<typeof memoryLog>;
  beforeEach(async () => {
    world = await createWorld({ git: true });
    log = memoryLog();
    jail = await open();
  });
  afterEach(async () => {
    await jail.close();
    await world[Symbol.asyncDispose]();
  });

  const open = (find = findSystemProgram): Promise<Jail> =>
    openJail({ sandbox: "require", platform: "linux", scratchDir: world.scratchDir, log, findOnPath: find });
  const give = (owner: string, ...paths: readonly string[]): void =>
    void execFileSync("chown", ["-hR", owner, ...(paths.length === 0 ? [world.project] : paths)]);
  const warnings = () => log.lines.filter((line) => "event" in line && line.event === "jail.root");
  const CAPABILITIES = "grep -E '^(Cap|NoNew|Groups)' /proc/self/status | tr -s '\\t ' ' '";
  const NONE = ["Inh", "Prm", "Eff", "Bnd", "Amb"].map((name) => `Cap${name}: 0000000000000000\n`).join("");

  test("runs as the owner of the project, without a capability or a way to get one", async () => {
    give(`${USER}:${GROUP}`);
    const { stdout } = await runShell(jail, world, `id -u; id -g; id -G; whoami; ${CAPABILITIES}`);
    expect(stdout).toBe(`${USER}\n${GROUP}\n${GROUP}\nbot\nGroups: \n${NONE}NoNewPrivs: 1\n`);
    expect(warnings()).toEqual([]);
  });

  test("runs in root's own project as root without capabilities, and says so once for a project", async () => {
    for (let times = 0; times < 2; times += 1) {
      const { stdout } = await runShell(jail, world, "id -u; grep CapEff /proc/self/status; echo x > made");
      expect(stdout).toMatch(/^0\nCapEff:\s0+\n$/);
    }
    expect(warnings()).toEqual([{ event: "jail.root", project: world.project }]);
  });

  test("reaches files of the project as its owner does, and makes files that are his", async () => {
    give(`${USER}:${GROUP}`);
    await writeFile(join(world.project, "roots"), "ROOTS", { mode: 0o600 });
    await writeFile(join(world.project, "his"), "HIS", { mode: 0o600 });
    give(`${USER}:${GROUP}`, join(world.project, "his"));
    const script = `cat roots; cat his; echo > roots; mkdir folder && echo new > folder/made
      echo a > "$HOME/a" && echo b > "$TMPDIR/b" && echo c > /dev/shm/c && echo d > "$HOME/.claude/d" && cat "$HOME/a"
      stat -c %u:%a "$HOME"; git status --short && git -c user.name=x -c user.email=x@y commit -qm x --allow-empty && echo committed`;
    const { stdout, stderr } = await runShell(jail, world, script);
    expect(stdout, stderr).toMatch(/^HISa\n54321:700\n[\s\S]*committed\n$/);
    expect(await readFile(join(world.project, "roots"), "utf8")).toBe("ROOTS");
    for (const made of [join(world.project, "folder/made"), join(world.configDir, "d")]) {
      expect(await stat(made)).toMatchObject({ uid: USER, gid: GROUP });
    }
    // Without a jail root reads it, as it did in one that kept root's user.
    give("0:0");
    expect((await runShell(jail, world, "cat roots")).stdout).toBe("ROOTS");
  });

  test("makes no user namespace, and so nothing that a user may do only in one", async () => {
    give(`${USER}:${GROUP}`);
    const clone3 = `perl -e 'my $a = pack("Q11", 0x10000000, (0) x 10); my $r = syscall(435, $a, 88); exit 0 if $r == 0; print $r < 0 ? "clone3 refused, " : "made"'`;
    const setns = `perl -e 'open F, "/proc/self/ns/user"; print "setns ", syscall(${process.arch === "arm64" ? 268 : 308}, fileno(F), 0), " $!"'`;
    const script = `unshare -U true && echo nested; unshare -Ur true && echo rooted; unshare -n true && echo net
      bwrap --unshare-user --ro-bind / / true && echo bwrapped; ${clone3}; ${setns}`;
    expect((await runShell(jail, world, script)).stdout).toBe(
      "clone3 refused, setns -1 Function not implemented",
    );
    const outside = execFileSync("/usr/bin/setpriv", [
      `--reuid=${USER}`,
      `--regid=${GROUP}`,
      "--clear-groups",
      "sh",
      "-c",
      "unshare -U true && echo nested",
    ]);
    expect(String(outside)).toBe("nested\n");
  });

  test("hides secrets, keeps settings, and shows the rest of the machine as little as ever", async () => {
    await writeFile(join(world.project, ".env"), "SECRET");
    await mkdir(join(world.project, ".vscode"));
    await writeFile(join(world.project, ".vscode/tasks.json"), "{}");
    await writeFile(join(world.root, "canary"), "CANARY");
    await chmod(world.root, 0o755);
    give(`${USER}:${GROUP}`);
    await chmod(world.root, 0o700);
    const script = `cat .env && echo empty; echo x >> .git/config && echo wrote; echo x > .vscode/tasks.json && echo set
      mv .git g && echo moved; mv .env e && echo renamed; rm -rf .git/hooks && echo gone; cat ${world.root}/canary; ls /root
      cat /etc/shadow; cat /proc/1/environ; ls /proc/1/root; kill -9 1 && echo signalled; echo x > /proc/sys/kernel/core_pattern && echo kernel
      ls /proc | grep -c '^[0-9]'`;
    const { stdout } = await runShell(jail, world, script);
    expect(stdout).toMatch(/^empty\n[2-6]\n$/);
  });

  test("is killed by the daemon with all that it started", async () => {
    give(`${USER}:${GROUP}`);
    const jailed = await jail.start(shellRequest(world, "setsid sleep 1000 & echo begun; sleep 1000"));
    await new Promise((resolve) => jailed.stdout.once("data", resolve));
    const asUser = () =>
      execFileSync("sh", ["-c", `ps -o pid= -u ${USER} | wc -l`], { encoding: "utf8" }).trim();
    await until(() => Number(asUser()) > 2, "all that it starts");
    await jailed.kill();
    expect(asUser()).toBe("0");
  });

  test("reaches its sockets, and nobody else's folder is opened for that", async () => {
    give(`${USER}:${GROUP}`);
    const { api } = {
      api: "perl -MIO::Socket::UNIX -e 'print IO::Socket::UNIX->new(\"/run/api.sock\")->getline'",
    };
    expect(await runShell(jail, world, api)).toMatchObject({ stderr: "", stdout: "hello from the api" });
    await chmod(world.apiSocket, 0o600);
    await chmod(world.root, 0o755);
    await expect(jail.start(shellRequest(world, ":"))).rejects.toThrow(/chmod 700/);
  });

  test("has its own folder back whoever the project is given to, and follows no link in it", async () => {
    const victim = join(world.root, "victim");
    await writeFile(victim, "");
    await symlink(victim, join(world.configDir, "link"));
    await writeFile(join(world.configDir, "old"), "OLD", { mode: 0o600 });
    for (const [owner, uid] of [
      [`${USER}:${GROUP}`, USER],
      ["12345:0", 12_345],
      ["0:0", 0],
    ] as const) {
      give(owner);
      expect((await runShell(jail, world, "cat ~/.claude/old; echo x >> ~/.claude/new")).stdout).toBe("OLD");
      expect((await lstat(join(world.configDir, "new"))).uid).toBe(uid);
    }
    expect((await stat(victim)).uid).toBe(0);
  });

  test("is not trusted when its program did not become another user, and the reason is told", async () => {
    const asIs = join(world.root, "setpriv");
    await writeFile(asIs, '#!/bin/sh\nwhile [ $1 != -- ]; do shift; done; shift; exec "$@"\n', {
      mode: 0o755,
    });
    const bwrap = join(world.root, "bwrap");
    const script = `#!/bin/bash\nexec ${await findSystemProgram("bwrap")} "\${@:1:6}" --ro-bind ${asIs} /usr/bin/setpriv "\${@:7}"\n`;
    await writeFile(bwrap, script, { mode: 0o755 });
    await jail.close();
    jail = await open(async (name) => (name === "bwrap" ? bwrap : findSystemProgram(name)));
    expect(warnings()).toEqual([
      { event: "jail.root", why: expect.stringContaining("should run as the user 65534 without privileges") },
    ]);
  });

  test.each(["setpriv", "chown"])(
    "keeps root's user where there is no %s, and says how to mend it",
    async (missing) => {
      await jail.close();
      jail = await open(async (name) => (name === missing ? null : findSystemProgram(name)));
      expect(warnings()).toEqual([
        { event: "jail.root", why: expect.stringContaining("apt-get install -y util-linux coreutils") },
      ]);
      expect((await runShell(jail, world, `id -u; ${CAPABILITIES}`)).stdout).toContain(`0\n`);
    },
  );

  test("names a program that the owner may not run", async () => {
    give(`${USER}:${GROUP}`);
    const program = join(world.root, "tool");
    await writeFile(program, "#!/bin/sh\n", { mode: 0o700 });
    await expect(jail.start({ ...shellRequest(world, ":"), program })).rejects.toMatchObject({
      code: "claude_missing",
      message: expect.stringContaining(`chmod a+rx`),
    });
    await rm(program);
  });
});

test("only root's user is kept, and root's group is given to nobody", () => {
  expect(identityOfOwner({ uid: 0n, gid: 5n })).toBeNull();
  expect(identityOfOwner({ uid: 7n, gid: 0n })).toEqual({ uid: 7, gid: 7 });
  expect(identityOfOwner({ uid: 7n, gid: 9n })).toEqual({ uid: 7, gid: 9 });
});

test("a program has become another user only when nothing of root is left", () => {
  const status = (over: Readonly<Record<string, string>> = {}): string =>
    Object.entries({
      Uid: "7\t7\t7\t7",
      Gid: "9\t9\t9\t9",
      Groups: " ",
      NoNewPrivs: "1",
      ...Object.fromEntries(
        ["Inh", "Prm", "Eff", "Bnd", "Amb"].map((name) => [`Cap${name}`, "0000000000000000"]),
      ),
      ...over,
    })
      .map(([name, value]) => `${name}:\t${value}\n`)
      .join("");
  const identity = { uid: 7, gid: 9 };
  expect(hasBecome(status(), identity)).toBe(true);
  for (const over of [
    { Uid: "7\t7\t0\t7" },
    { Gid: "9\t0\t9\t9" },
    { Groups: "0 9 " },
    { NoNewPrivs: "0" },
    ...["Inh", "Prm", "Eff", "Bnd", "Amb"].map((name) => ({ [`Cap${name}`]: "0000000000000080" })),
  ]) {
    expect([over, hasBecome(status(over), identity)]).toEqual([over, false]);
  }
  expect(hasBecome("", identity)).toBe(false);
});
