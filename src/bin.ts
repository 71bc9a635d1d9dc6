#!/usr/bin/env -S node --
/**
 * The entry of the installed package (`dist/bin.js`). Must parse and run on Node 20: where the machine's own Node is older
 * than the program needs, the program runs on the one that the `node` package pins, in a child process that gets this
 * process's arguments, files and signals, and whose end this one repeats.
 *
 * The `--` before the script is needed: without it Node takes a `--env-file` of the program's own for itself, ends with 9
 * when that file is missing, and obeys a NODE_OPTIONS in it (nodejs/node#54232).
 */
import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import nodeModule from "node:module";
import { constants, homedir } from "node:os";
import { dirname, join } from "node:path";
import { isatty } from "node:tty";
import { fileURLToPath } from "node:url";

/** The oldest Node that better-sqlite3, execa and vitest run on. Stands in package.json's `engines` too. */
const NEEDED = { major: 24, minor: 11 };

/** A third less memory after a burst of work, and no remark about punycode, which grammY's node-fetch uses. */
const NODE_FLAGS = ["--max-semi-space-size=2", "--disable-warning=DEP0040"];

/** sysexits(3) EX_CONFIG, which supervisors do not restart; domain/errors.ts names it `EXIT.config`. */
const EXIT_CONFIG = 78;

const FORWARDED = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2"] as const;

/** A terminal sends these to the child itself. */
const SENT_BY_TERMINAL: readonly string[] = ["SIGINT", "SIGHUP", "SIGQUIT"];

if (isNodeNewEnough(process.versions.node)) {
  await startHere();
} else {
  const node = pinnedNode();
  if (node === null) refuse("the pinned one is missing or as old");
  else startOn(node);
}

function isNodeNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > NEEDED.major || (major === NEEDED.major && minor >= NEEDED.minor);
}

/** The cache lies in the user's own folder: in a shared /tmp another user could leave code in it. */
async function startHere(): Promise<void> {
  nodeModule.enableCompileCache(join(homedir(), ".cache", "sallyport", "compile"));
  await import("./cli.ts");
}

function startOn(node: string): void {
  const argv = [...NODE_FLAGS, "--", fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(node, argv, { stdio: "inherit" });
  const isTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      if (!(isTerminal && SENT_BY_TERMINAL.includes(signal))) child.kill(signal);
    });
  }
  child.on("error", (error) => refuse(`${node} does not run (${error.message})`));
  child.on("exit", (code, signal) => {
    for (const each of FORWARDED) process.removeAllListeners(each);
    process.exitCode = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
    if (signal !== null) process.kill(process.pid, signal);
  });
}

/** Null when it is not there, or is the very Node that is too old. Never one of NODE_PATH or of the home folder, as require() takes. */
function pinnedNode(): string | null {
  try {
    const manifest = fileURLToPath(import.meta.resolve("node/package.json"));
    const node = realpathSync(join(dirname(manifest), "bin", "node"));
    return node === realpathSync(process.execPath) ? null : node;
  } catch {
    return null; // not installed, or its install script was not run
  }
}

function refuse(why: string): void {
  const needed = `${NEEDED.major}.${NEEDED.minor}`;
  process.stderr.write(
    `sallyport: expected Node ${needed} or newer, got ${process.versions.node}, and ${why}: run npm rebuild node, or install Node ${needed}\n`,
  );
  process.exitCode = EXIT_CONFIG;
}
