import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { ApprovedPath } from "../../src/domain/approved-path.ts";
import type { Jail, JailRequest } from "../../src/jail/jail.ts";

const run = promisify(execFile);

/** A project with what a jail needs beside it, in one temporary folder. The socket answers "hello from the api". */
export interface JailWorld extends AsyncDisposable {
  readonly root: string;
  readonly project: ApprovedPath;
  readonly configDir: string;
  readonly apiSocket: string;
  readonly scratchDir: string;
}

/** Makes one. `git` makes the project a repository with one commit; `name` is the project folder's. */
export async function createWorld({ git = false, name = "project" } = {}): Promise<JailWorld> {
  const root = await realpath(await mkdtemp("/var/tmp/jail-")); // not /tmp, of which a jail has its own
  const project = join(root, name) as ApprovedPath;
  const world = {
    root,
    project,
    configDir: join(root, "cfg"),
    apiSocket: join(root, "api.sock"),
    scratchDir: join(root, "scratch"),
  };
  await mkdir(project);
  await mkdir(world.configDir, { mode: 0o700 });
  const server: Server = createServer((socket) => socket.end("hello from the api"));
  await new Promise<void>((resolve) => server.listen(world.apiSocket, resolve));
  if (git) {
    await hostGit(project, "init", "-q", "-b", "main");
    await hostGit(project, "commit", "-q", "--allow-empty", "-m", "first");
  }
  return {
    ...world,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** git as the owner would run it on the host: repository settings are obeyed, the machine's own are not read. */
export async function hostGit(cwd: string, ...args: readonly string[]): Promise<string> {
  const identity = { GIT_AUTHOR_NAME: "o", GIT_AUTHOR_EMAIL: "o@example.com", GIT_COMMITTER_NAME: "o" };
  const { stdout } = await run("git", [...args], {
    cwd,
    env: {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      HOME: "/nonexistent",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_COMMITTER_EMAIL: "o@example.com",
      ...identity,
    },
  });
  return stdout;
}

/** What a program in the jail did. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a shell script in the jail, gives its end. `env` is added to PATH, HOME and TMPDIR. */
export async function runShell(jail: Jail, world: JailWorld, script: string, env = {}): Promise<Ran> {
  const jailed = await jail.start(shellRequest(world, script, env));
  jailed.stdin.end();
  const [stdout, stderr, { code }] = await Promise.all([
    text(jailed.stdout),
    text(jailed.stderr),
    jailed.exited,
  ]);
  return { code, stdout, stderr };
}

/** The request that `runShell` makes. */
export function shellRequest(world: JailWorld, script: string, env = {}): JailRequest {
  return {
    project: world.project,
    program: "/bin/sh",
    configDir: world.configDir,
    apiSocket: world.apiSocket,
    args: () => ["-c", script],
    env: ({ path, home, tmp }) => ({ PATH: path, HOME: home, TMPDIR: tmp, ...env }),
  };
}

/** Waits until `isTrue`, at most 10 s. */
export async function until(isTrue: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    if (await isTrue()) return;
    await delay(10);
  }
  throw new Error(`Waited in vain for: ${what}`);
}

/** Puts a program into the folder that leaves `canary` behind when it is run, and gives its path. */
export async function writeCanary(folder: string, canary: string): Promise<string> {
  const path = join(folder, "canary.sh");
  await writeFile(path, `#!/bin/sh\necho ran >> '${canary}'\n`, { mode: 0o755 });
  return path;
}

/** A log that keeps what it was told. */
export function memoryLog() {
  const lines: object[] = [];
  const keep = (fields: object): void => void lines.push(fields);
  return { lines, info: keep, warn: keep };
}
