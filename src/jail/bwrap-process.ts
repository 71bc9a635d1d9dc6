import { randomUUID } from "node:crypto";
import { type FileHandle, open, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { AppError, messageOf } from "../domain/errors.ts";
import type { JailExit } from "./jail.ts";
import type { Mark } from "./mark.ts";
import { readProcess } from "./process-table.ts";
import { seccompFilter } from "./seccomp.ts";
import { type Spawned, spawnChild } from "./spawn.ts";

/** From spawn to a jail that is set up: milliseconds where all is well. */
const SETUP_TIMEOUT_MS = 15_000;
/** The kernel ends a PID namespace at once; only a process stuck in a device keeps it. */
const GONE_TIMEOUT_MS = 10_000;
const POLL_MS = 5;

/**
 * Runs inside, before the program: says that the mounts stand, waits for leave, and becomes the program. Without leave,
 * which includes a daemon that died meanwhile, it ends: bwrap's own --block-fd would go on.
 */
const GATE = [
  "/bin/sh",
  "-c",
  'printf r >&4 && IFS= read -r go <&4 && [ "$go" = go ] && exec "$@" 4<&-; exit 125',
  "sh",
];

/**
 * What to run. `mark` is bwrap's own environment, so that its processes too are known as the jail's. `check` is given the
 * host pid of the jail's first process and may refuse by throwing.
 */
export interface BwrapStart {
  readonly bwrap: string;
  readonly scratchDir: string;
  readonly mark: Mark;
  readonly options: readonly string[];
  /** What becomes another user before anything else is run; empty for none. */
  readonly become: readonly string[];
  readonly argv: readonly string[];
  readonly check: (pid: number) => Promise<void>;
}

/** A program running under bwrap. */
export interface BwrapProcess {
  readonly child: Spawned;
  /** When every process of the jail is gone. Never rejects. */
  readonly exited: Promise<JailExit>;
  /** Ends them all; resolves with `exited`. */
  readonly kill: () => Promise<void>;
}

/**
 * Sets a jail up, has it checked, and lets the program run.
 * @throws AppError `sandbox_missing` with bwrap's own words when it could not be set up; what `check` throws.
 */
export async function startBwrap({
  bwrap,
  scratchDir,
  mark,
  options,
  become,
  argv,
  check,
}: BwrapStart): Promise<BwrapProcess> {
  const child = await spawnWithOptions({ bwrap, scratchDir, mark, options, become, argv });
  const [gate, info] = child.pipes;
  if (gate === undefined || info === undefined) throw new Error("Expected the two pipes that were asked for");

  const deadline = AbortSignal.timeout(SETUP_TIMEOUT_MS);
  try {
    const init = await firstOf(child, deadline, readInit(info));
    await firstOf(child, deadline, readByte(gate));
    await check(init.pid);
    gate.end("go\n", () => gate.destroy());
    info.destroy();
    return supervised(child, init);
  } catch (error) {
    child.kill();
    const { code } = await child.exited;
    const words = await textOf(child.stderr);
    for (const stream of [child.stdin, child.stdout, gate, info]) stream.destroy();
    if (error instanceof AppError) throw error;
    const cause = words || `${messageOf(error)} (code ${code})`;
    throw new AppError("sandbox_missing", `The sandbox could not be set up: ${cause}`, { cause: error });
  }
}

interface Init {
  readonly pid: number;
  readonly startedAt: string;
}

function supervised(child: Spawned, init: Init): BwrapProcess {
  const exited = child.exited.then(async (exit) => {
    await gone(init);
    return exit;
  });
  return {
    child,
    exited,
    kill: async () => {
      // The first process of the namespace takes all others with it, and bwrap, its parent, ends after it.
      if (await isAlive(init)) killPid(init.pid);
      else child.kill();
      await exited;
    },
  };
}

/** Hands the options down in a file that has no name any more, so that they show on no command line. */
async function spawnWithOptions({
  bwrap,
  scratchDir,
  mark,
  options,
  become,
  argv,
}: Omit<BwrapStart, "check">): Promise<Spawned> {
  await using file = await namelessFile(scratchDir, options.map((option) => `${option}\0`).join(""));
  await using filter = await namelessFile(scratchDir, seccompFilter(process.arch));
  return await spawnChild({
    file: bwrap,
    argv: ["--args", "3", "--info-fd", "5", "--seccomp", "6", "--", ...become, ...GATE, ...argv],
    env: mark.env, // and no more: a jailed process can read bwrap's environment in /proc/1/environ
    cwd: "/",
    extra: [file.fd, "pipe", "pipe", filter.fd],
  });
}

async function namelessFile(folder: string, content: string | Buffer): Promise<FileHandle> {
  const path = join(folder, `options-${randomUUID()}`);
  await writeFile(path, content, { mode: 0o600, flag: "wx" });
  try {
    return await open(path, "r");
  } finally {
    await unlink(path);
  }
}

/** The first process of the jail, from what bwrap writes to --info-fd. */
async function readInit(info: Duplex): Promise<Init> {
  const pid = Number(/"child-pid":\s*(\d+)/.exec(await textOf(info, "}"))?.[1]);
  const row = await readProcess(pid);
  if (row === null) throw new Error("bwrap ended before its program began");
  return { pid, startedAt: row.startedAt };
}

async function readByte(gate: Duplex): Promise<void> {
  if ((await textOf(gate, "r")) === "") throw new Error("bwrap ended before its program began");
}

/** Text up to and with `end`, or to the end of the stream. Leaves the stream open. */
async function textOf(stream: Readable, end?: string): Promise<string> {
  let text = "";
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (end !== undefined && text.includes(end)) break;
  }
  return text.trim();
}

/** `step`, unless the process ends or the deadline passes first. */
async function firstOf<T>(child: Spawned, deadline: AbortSignal, step: Promise<T>): Promise<T> {
  step.catch(() => undefined); // it may lose the race
  const isOver = new Promise<never>((_resolve, reject) => {
    deadline.addEventListener("abort", () => reject(new Error("bwrap took too long")), { once: true });
    void child.exited.then(() => reject(new Error("bwrap ended")));
  });
  return Promise.race([step, isOver]);
}

async function isAlive({ pid, startedAt }: Init): Promise<boolean> {
  const row = await readProcess(pid);
  return row !== null && !row.isZombie && row.startedAt === startedAt;
}

async function gone(init: Init): Promise<void> {
  for (let waited = 0; waited < GONE_TIMEOUT_MS && (await isAlive(init)); waited += POLL_MS)
    await delay(POLL_MS);
}

function killPid(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error; // gone is the goal
  }
}
