import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { HostEntry } from "../../src/jail/host-process.ts";
import { BARE_WORKSHOP } from "../../src/jail/jail.ts";
import { createMarks } from "../../src/jail/mark.ts";
import type { ProtectedPath } from "../../src/jail/protection.ts";
import { createSeatbeltJail, loadWrap } from "../../src/jail/seatbelt-jail.ts";
import { MAC_HIDDEN, seatbeltParams, withoutServices, withPorts } from "../../src/jail/seatbelt-params.ts";
import { createWorld, type JailWorld, memoryLog, runShell } from "../support/git-project.ts";

const PROJECT = "/Users/u/code/shop";
const MAC = { guarded: [], hidden: MAC_HIDDEN };
const OWN = "/Users/u/Library/Application Support/sallyport";

function entry(project = PROJECT, argv = ["/opt/claude", "-p", 'it\'s "x" $HOME\n']): HostEntry {
  const program = { kind: "binary" as const, file: "/Users/u/.local/bin/claude" };
  const [configDir, apiSocket] = [`${OWN}/cfg`, `${OWN}/api.sock`];
  const places = { project, configDir, apiSocket };
  return {
    checked: { ...places, program, netSocket: null, netPort: null, localPorts: [], workshop: BARE_WORKSHOP },
    inside: {
      ...places,
      program: [program.file],
      home: `${OWN}/j/home`,
      tmp: `${OWN}/j/tmp`,
      path: "/usr/bin",
      proxyPort: null,
      cacheDir: null,
    },
    argv,
  };
}

const found: readonly ProtectedPath[] = [
  { path: `${PROJECT}/.git`, kind: "pin", dev: 1n, ino: 1n },
  { path: `${PROJECT}/.git/config`, kind: "readonly", dev: 1n, ino: 2n },
  { path: `${PROJECT}/x[1]/.ENV`, kind: "mask", dev: 1n, ino: 3n },
];

describe("the parameters of the macOS sandbox", () => {
  const params = seatbeltParams(entry(), found, { ...MAC, guarded: [`${PROJECT}/deep/repo/commondir`] });

  test("hide people's folders and give back only what the program needs", () => {
    expect(params.readConfig?.denyOnly).toEqual(
      expect.arrayContaining(["/Users", "/Volumes", "/private/var/folders"]),
    );
    expect(params.readConfig?.literalAllowWithinDeny).toEqual([
      PROJECT,
      `${OWN}/cfg`,
      `${OWN}/j/home`,
      `${OWN}/j/tmp`,
      `${OWN}/api.sock`,
      "/Users/u/.local/bin/claude",
    ]);
  });

  test("allow writing to four folders and nothing else", () => {
    expect(params.writeConfig?.allowOnly).toEqual([]);
    expect(params.writeConfig?.literalAllowOnly).toEqual([
      PROJECT,
      `${OWN}/cfg`,
      `${OWN}/j/home`,
      `${OWN}/j/tmp`,
    ]);
  });

  test("allow one unix socket, no network, no loopback, no Apple events, no terminal", () => {
    expect(params).toMatchObject({
      needsNetworkRestriction: true,
      allowUnixSockets: [`${OWN}/api.sock`],
      allowAllUnixSockets: false,
      allowLocalBinding: false,
      allowAppleEvents: false,
      allowPty: false,
    });
    expect(params.httpProxyPort).toBeUndefined();
    expect(params.setEnvVars).toBeUndefined();
  });

  test("refuse a project whose path would be read as a pattern", () => {
    for (const sign of "*?[]{}") {
      expect(() => seatbeltParams(entry(`/Users/u/a${sign}b`), [], MAC)).toThrow(/has one of/);
    }
  });
});

describe("the profile that sandbox-runtime makes of them", async () => {
  const wrap = await loadWrap("/usr");
  const command = withoutServices(
    wrap(seatbeltParams(entry(), found, { ...MAC, guarded: [`${PROJECT}/deep/repo/commondir`] })),
  );

  test("hides and gives back in an order that holds", () => {
    // Rules of reading alone: those of writing name the same places after them.
    const from = command.indexOf("(allow file-read*)");
    const reading = command.slice(from, command.indexOf("(deny file-write-unlink", from));
    const hidden = reading.indexOf('(subpath "/Users")');
    const given = reading.indexOf(`(subpath "${PROJECT}")`);
    const masked = reading.lastIndexOf("\\\\.env[^/]*");
    expect(hidden).toBeGreaterThan(0);
    expect(given).toBeGreaterThan(hidden);
    expect(masked).toBeGreaterThan(given);
    expect(reading.lastIndexOf(`(subpath "${PROJECT}/x[1]/.ENV")`)).toBeGreaterThan(given);
  });

  test("H22 H31: forbids what the host would obey, whether it exists or not", () => {
    for (const name of [
      ".git/config",
      ".git/hooks",
      ".git/commondir",
      ".git/config.worktree",
      ".mcp.json",
      ".claude",
    ]) {
      const escaped = name.replaceAll(".", "\\\\.");
      expect(command).toContain(`^${PROJECT}/(.*/)?${escaped}(/.*)?$`);
    }
  });

  test("opens no way to the network, the keychain, the pasteboard or other programs", () => {
    expect(command).not.toMatch(
      /SecurityServer|securityd|launchservicesd|pasteboard|appleevent|lsopen|trustd/,
    );
    expect(command).not.toMatch(/\(allow network\*\)|remote ip|local ip|HTTP_PROXY|allow mach-lookup\)/);
    expect(command.match(/network-outbound[^\n]*/g)).toEqual([
      `network-outbound (remote unix-socket (subpath "${OWN}/api.sock")))`,
    ]);
    expect(command.match(/\(allow mach-lookup\s+\(global-name/g)).toHaveLength(1);
  });

  test("lets through to the ports that it is told of, and to no other of the loopback", () => {
    const opened = withPorts(command, [49_152, 5432]);
    expect(opened.match(/network-outbound[^\n]*/g)).toEqual([
      'network-outbound (remote ip "localhost:49152"))',
      'network-outbound (remote ip "localhost:5432"))',
      `network-outbound (remote unix-socket (subpath "${OWN}/api.sock")))`,
    ]);
    expect(opened).not.toMatch(/network-(bind|inbound) \(local ip/);
    expect(opened.replaceAll(/\(allow network-outbound \(remote ip "localhost:\d+"\)\)\n/g, "")).toBe(
      command,
    );
    expect(() => withPorts("(version 1)", [1])).toThrow(/no rule for sockets/);
  });

  test("H36: nothing of the daemon's environment is handed down", () => {
    process.env.JAVA_TOOL_OPTIONS = "-javaagent:evil";
    try {
      expect(wrap(seatbeltParams(entry(), [], MAC))).not.toContain("javaagent");
    } finally {
      delete process.env.JAVA_TOOL_OPTIONS;
    }
  });

  test("forbids to make what would be obeyed in a repository elsewhere in the project", () => {
    expect(command).toContain(`(subpath "${PROJECT}/deep/repo/commondir")`);
  });

  test("stays a well-formed profile", () => {
    const profile = command.slice(command.indexOf("(version 1)"), command.lastIndexOf("/bin/bash"));
    const bare = profile.replace(/"(?:[^"\\]|\\.)*"/g, "").replace(/^;.*$/gm, "");
    expect(bare.split("(").length).toBe(bare.split(")").length);
  });
});

describe.runIf(process.platform === "linux")("the macOS adapter, with its sandbox left out", () => {
  let world: JailWorld;
  let scratchDir: string;
  beforeEach(async () => {
    world = await createWorld({ git: true });
    scratchDir = world.scratchDir;
    await mkdir(scratchDir);
  });
  afterEach(() => world[Symbol.asyncDispose]());

  /** What `sandbox-exec -p PROFILE bash -c COMMAND` does without `sandbox-exec`. */
  const wrap = ({ command }: { readonly command: string }) =>
    `env SANDBOX_RUNTIME=1 TMPDIR=/tmp/claude /bin/bash -c '${command.replaceAll("'", `'\\''`)}'`;

  test("the program gets its arguments and environment whole, and a temp folder of its own", async () => {
    const jail = createSeatbeltJail({
      scratchDir,
      marks: createMarks(scratchDir),
      log: memoryLog(),
      platform: process.platform,
      wrap,
    });
    const script = `printf '%s|%s|%s' "$TMPDIR" "$SANDBOX_RUNTIME" "$ODD"; exit 4`;
    const { stdout, code, stderr } = await runShell(jail, world, script, { ODD: 'it\'s "$HOME"\n' });
    await jail.close();
    expect({ stderr, code }).toEqual({ stderr: "", code: 4 });
    expect(stdout).toMatch(/\/scratch\/jail-[0-9a-f]{8}\/tmp\|\|it's "\$HOME"\n$/);
  });

  test("a protected path that is a link is refused there too", async () => {
    await writeFile(join(world.root, "elsewhere"), "");
    await symlink(join(world.root, "elsewhere"), join(world.project, ".mcp.json"));
    const marks = createMarks(scratchDir);
    const jail = createSeatbeltJail({
      scratchDir,
      marks,
      log: memoryLog(),
      platform: process.platform,
      wrap,
    });
    await expect(runShell(jail, world, ":")).rejects.toThrow(/symbolic link/);
    await jail.close();
  });
});
