import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { Duplex, PassThrough, pipeline, type Readable, type Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { execa } from "execa";
import { AppError, isErrno, messageOf } from "../domain/errors.ts";
import type { JailExit } from "./jail.ts";

const O_CLOEXEC = 0o2000000;
const FIRST_EXTRA_FD = 3;

/** What to run. `extra` are the descriptors from 3 on: an open one to hand down, or a two-way pipe to the child. */
export interface SpawnRequest {
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly extra?: readonly (number | "pipe")[];
  /** True makes it the leader of a session and process group of its own. */
  readonly isDetached?: boolean;
}

/** A running child. `pipes` are the two-way pipes of `extra`, in their order. */
export interface Spawned {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly pipes: readonly Duplex[];
  /** The end of the process itself, not of its streams. Never rejects. */
  readonly exited: Promise<JailExit>;
  readonly kill: () => void;
}

/**
 * Starts a process without a shell, with exactly the environment given, buffering nothing.
 * @throws AppError `sandbox_missing` when the operating system could not start it.
 */
export async function spawnChild(request: SpawnRequest): Promise<Spawned> {
  const { file, argv, env, cwd, extra = [], isDetached = false } = request;
  const devNull = openSync("/dev/null", "r+");
  const stdio = [
    ...extra.map((item) => (item === "pipe" ? item : descriptor(item))),
    ...plugs(FIRST_EXTRA_FD + extra.length, devNull),
  ];
  const child = execa(file, [...argv], {
    env,
    cwd,
    extendEnv: false,
    shell: false,
    buffer: false,
    reject: false,
    cleanup: true,
    detached: isDetached,
    stdio: ["pipe", "pipe", "pipe", ...stdio],
  });
  closeSync(devNull);
  const { pid, nodeChildProcess } = child;
  if (pid === undefined) throw spawnFault(file, await child);
  const exited = new Promise<JailExit>((resolve) => {
    nodeChildProcess.on("exit", (code, signal) => resolve({ code, signal }));
  });
  const pipes = child.stdio.slice(FIRST_EXTRA_FD).filter((stream) => stream instanceof Duplex);
  for (const stream of [child.stdin, ...pipes]) stream.on("error", ignore);
  const stdout = kept(child.stdout);
  const stderr = kept(child.stderr);
  await keepFromDraining(pipes);
  return {
    pid,
    stdin: child.stdin,
    stdout,
    stderr,
    pipes,
    exited,
    kill: () => void nodeChildProcess.kill("SIGKILL"),
  };
}

/** The system's code alone: execa's message holds the whole command line. */
function spawnFault(file: string, fault: unknown): AppError {
  const code = fault instanceof Error && "code" in fault ? String(fault.code) : "unknown error";
  return new AppError("sandbox_missing", `Could not start ${file}: ${code}`);
}

interface RunOptions {
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Aborted = it is ended. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a short helper to its end and gives what it printed. Never throws for a non-zero exit; `code` is null when it did
 * not run or was cut by the deadline.
 */
export async function runToEnd(
  file: string,
  argv: readonly string[],
  { timeoutMs, env = {}, signal }: RunOptions,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const result = await execa(file, [...argv], {
    env: { LC_ALL: "C", ...env },
    cwd: "/",
    extendEnv: false,
    shell: false,
    reject: false,
    stdin: "ignore",
    timeout: timeoutMs,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    maxBuffer: 20_000_000,
  });
  return {
    code: result.exitCode ?? null,
    stdout: result.stdout ?? "",
    stderr: (result.stderr ?? "") || (result.failed ? messageOf(result) : ""),
  };
}

/** execa hands any open descriptor down, but its types know those below 10 only. */
type Descriptor = 3 | 4 | 5 | 6 | 7 | 8 | 9;

function isDescriptor(fd: number): fd is Descriptor {
  return fd >= FIRST_EXTRA_FD;
}

function descriptor(fd: number): Descriptor {
  if (isDescriptor(fd)) return fd;
  throw new Error(`Expected an open descriptor above 2, got ${fd}`);
}

/** A pipe that breaks because the other end is gone shows as the exit; unheard it would end the daemon. */
function ignore(): void {}

/**
 * A stream of its own for an output, since Node throws away at the child's exit what nobody has read by then. A full one
 * holds the child back, as the pipe itself would.
 */
function kept(output: Readable): Readable {
  const stream = new PassThrough();
  stream.on("error", ignore);
  pipeline(output, stream, ignore);
  return stream;
}

/**
 * With `buffer: false` execa throws away, one turn of the event loop after the spawn, what nobody reads yet. A listener
 * stops it; once that turn is over the streams are as new, and hold their data for whoever comes.
 */
async function keepFromDraining(streams: readonly Readable[]): Promise<void> {
  for (const stream of streams) stream.on("readable", ignore);
  await setImmediate();
  for (const stream of streams) stream.off("readable", ignore);
}

/**
 * Entries of `stdio` from `from` on that put /dev/null over descriptors which this process inherited without
 * close-on-exec (a shell's `exec 20<dir`): Node closes only the first few itself, and an open directory is a way out.
 */
function plugs(from: number, devNull: number): readonly (Descriptor | "ignore")[] {
  const leaking = inheritable().filter((fd) => fd >= from);
  const length = Math.max(from, ...leaking.map((fd) => fd + 1)) - from;
  return Array.from({ length }, (_, index) =>
    leaking.includes(from + index) ? descriptor(devNull) : "ignore",
  );
}

function inheritable(): readonly number[] {
  try {
    return readdirSync("/proc/self/fdinfo").map(Number).filter(isInheritable);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return []; // no procfs: macOS
    throw error;
  }
}

function isInheritable(fd: number): boolean {
  try {
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "0";
    return (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false; // the listing's own descriptor, closed again
    throw error;
  }
}
