import { chmod, mkdir, mkdtemp, readdir, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lacksSetfcap, mendFor } from "../../src/jail/bwrap-trial.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import { ensureSystemPackages } from "../../src/jail/system-packages.ts";
import { memoryLog } from "../support/git-project.ts";

let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "open-")));
});
afterEach(() => rm(root, { recursive: true }));

const deps = () => ({ sandbox: "require" as const, scratchDir: join(root, "scratch"), log: memoryLog() });

/** A bwrap that fails with these words. */
async function failing(words: string): Promise<() => Promise<string>> {
  const path = join(root, "bwrap");
  await writeFile(path, `#!/bin/sh\necho "bwrap: ${words}" >&2\nexit 1\n`);
  await chmod(path, 0o755);
  return async () => path;
}

test("without bubblewrap the line to install it is told", async () => {
  const opening = openJail({ ...deps(), platform: "linux", findOnPath: async () => null });
  await expect(opening).rejects.toMatchObject({
    code: "sandbox_missing",
    message: expect.stringContaining("sudo apt-get install -y bubblewrap"),
  });
});

test("an unknown system is refused, and served when the sandbox is off", async () => {
  await expect(openJail({ ...deps(), platform: "win32" })).rejects.toMatchObject({ code: "sandbox_missing" });
  const jail = await openJail({ ...deps(), sandbox: "off", platform: "freebsd" });
  expect(jail.kind).toBe("none");
});

test("the folder of the jails is closed to others", async () => {
  await openJail({ ...deps(), sandbox: "off", platform: "linux" });
  expect((await stat(join(root, "scratch"))).mode & 0o777).toBe(0o700);
});

test("what a killed daemon left behind is removed, and nothing else", async () => {
  const scratch = join(root, "scratch");
  await mkdir(join(scratch, "jail-0123abcd/home"), { recursive: true });
  await writeFile(join(scratch, "options-0b7e1c1e-0000-4000-8000-000000000000"), "");
  await writeFile(join(scratch, "other"), "");
  await openJail({ ...deps(), sandbox: "off", platform: "linux" });
  expect(await readdir(scratch)).toEqual(["other"]);
});

describe.runIf(process.platform === "linux")("the trial run", () => {
  test.each([
    ["Unknown option --disable-userns", /0\.8\.0 or newer/],
    ["No permissions to create new namespace", /restricts unprivileged user namespaces/],
    ["setting up uid map: Permission denied", /restricts unprivileged user namespaces/],
    ["something quite new", /does not work here: .*something quite new/],
  ])("a bwrap that says %j is refused with the mend", async (words, mend) => {
    const opening = openJail({ ...deps(), platform: "linux", findOnPath: await failing(words) });
    await expect(opening).rejects.toMatchObject({
      code: "sandbox_missing",
      message: expect.stringMatching(mend),
    });
  });

  test("a bwrap that cannot be run at all is refused", async () => {
    const opening = openJail({ ...deps(), platform: "linux", findOnPath: async () => join(root, "none") });
    await expect(opening).rejects.toMatchObject({ code: "sandbox_missing" });
  });

  test("a bwrap that sandboxes nothing but runs its command is refused", async () => {
    const path = join(root, "bwrap");
    const script = `#!/bin/bash
printf '{"child-pid": %d}' $$ >&5
while [ "$1" != -- ]; do shift; done; shift; exec "$@"
`;
    await writeFile(path, script, { mode: 0o755 });
    const opening = openJail({ ...deps(), platform: "linux", findOnPath: async () => path });
    await expect(opening).rejects.toThrow(/made no user namespace/);
  });
});

test.each([
  ["setfcap", "--cap-add SETFCAP"],
  ["apparmor", "kernel.apparmor_restrict_unprivileged_userns=0"],
  ["clone", "kernel.unprivileged_userns_clone=1"],
  ["max", "user.max_user_namespaces=15000"],
] as const)("a system that restricts namespaces by %s is told how to allow them", (restriction, line) => {
  expect(mendFor("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", [restriction])).toContain(
    line,
  );
});

test("a root without CAP_SETFCAP is known by its status, an ordinary user needs none", () => {
  const status = (uid: number, capabilities: string): string =>
    `Name:\tnode\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nCapEff:\t${capabilities}\n`;
  expect(lacksSetfcap(status(0, "00000000a80425fb"))).toBe(false); // Docker's own set holds it
  expect(lacksSetfcap(status(0, "00000000280425fb"))).toBe(true);
  expect(lacksSetfcap(status(1000, "0000000000000000"))).toBe(false);
});

describe("the system's packages", () => {
  const calls: string[][] = [];
  const run = async (_file: string, argv: readonly string[]) => {
    calls.push([...argv]);
    return { code: 0, stdout: "", stderr: "" };
  };
  beforeEach(() => {
    calls.length = 0;
  });
  const base = { platform: "linux" as const, isRoot: true, log: memoryLog(), run };

  test("nothing is done when bubblewrap is there, or on another system", async () => {
    await ensureSystemPackages({ ...base, find: async () => "/usr/bin/x" });
    await ensureSystemPackages({ ...base, platform: "darwin", find: async () => null });
    expect(calls).toEqual([]);
  });

  test("root gets it installed by apt-get", async () => {
    const find = async (name: string) =>
      name === "apt-get" || calls.length === 2 ? `/usr/bin/${name}` : null;
    await ensureSystemPackages({ ...base, find });
    expect(calls).toEqual([["update"], ["install", "-y", "--no-install-recommends", "bubblewrap"]]);
  });

  test("an ordinary user, and a failed installation, are told the line to run", async () => {
    const find = async (name: string) => (name === "apt-get" ? "/usr/bin/apt-get" : null);
    const mend = {
      code: "sandbox_missing",
      message: expect.stringContaining("sudo apt-get install -y bubblewrap"),
    };
    await expect(ensureSystemPackages({ ...base, isRoot: false, find })).rejects.toMatchObject(mend);
    expect(calls).toEqual([]);
    await expect(ensureSystemPackages({ ...base, find })).rejects.toMatchObject(mend);
  });

  test("a system without apt-get is told to use its own", async () => {
    const asking = ensureSystemPackages({ ...base, find: async () => null });
    await expect(asking).rejects.toThrow(/your system's package manager/);
  });
});
