import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { steadyNow } from "./clock.ts";

const STOP_MS = 10_000;

/** What to start. */
export interface ChildRequest {
  /** Node's own flags. */
  readonly flags?: readonly string[];
  /** A script and its arguments. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** What it writes goes here: a pipe would make this process run whenever it logs. */
  readonly outputFile: string;
  readonly hasChannel?: boolean;
}

/** A process of this bench. Disposing ends it. */
export interface Child extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly pid: number;
  /** When it was started, by `steadyNow`. */
  readonly startedAt: number;
  /** What it wrote so far. */
  readonly output: () => Promise<string>;
  /** Rejects, with what it wrote, when it ends before `promise` does. */
  readonly alive: <T>(promise: Promise<T>) => Promise<T>;
  /** SIGTERM, and SIGKILL ten seconds later. */
  readonly stop: () => Promise<void>;
}

/** Starts this very Node on a script. */
export function startChild({ flags = [], argv, env, cwd, outputFile, hasChannel }: ChildRequest): Child {
  const output = openSync(outputFile, "a", 0o600);
  const startedAt = steadyNow();
  const child = spawn(process.execPath, [...flags, "--", ...argv], {
    env,
    cwd,
    stdio: ["ignore", output, output, ...(hasChannel === true ? ["ipc" as const] : [])],
  });
  const exited = once(child, "exit");
  const read = (): Promise<string> => readFile(outputFile, "utf8");
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await exited;
    clearTimeout(timer);
  };
  return {
    process: child,
    pid: child.pid ?? 0,
    startedAt,
    output: read,
    alive: (promise) =>
      Promise.race([
        promise,
        exited.then(async () => {
          const how = child.signalCode ?? `code ${child.exitCode}`;
          throw new Error(`${argv[0]} ended too early (${how}):\n${(await read()).slice(-4000)}`);
        }),
      ]),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
