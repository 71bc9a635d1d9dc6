/**
 * What the escape self-test tries: small acts, done here. The same file runs in two places: inside the jail, as the whole
 * program, and in the daemon, which shows that each act succeeds where no jail is. So it imports `node:` only.
 */
import { spawn } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, type NetConnectOpts } from "node:net";
import { text } from "node:stream/consumers";

/** More of a file than this is not read. */
const MAX_BYTES = 65_536;
const CONNECT_MS = 5_000;
const RUN_MS = 5_000;

/** One act. Paths are absolute; what it makes are files of the self-test's own. */
export type Act =
  | { readonly kind: "read" | "list" | "open"; readonly path: string }
  /** Adds to the file, and makes it where there is none. */
  | { readonly kind: "write"; readonly path: string; readonly text: string }
  /** Writes `beside` and renames it over the file. */
  | { readonly kind: "replace"; readonly path: string; readonly beside: string; readonly text: string }
  /** Moves it there, and back. */
  | { readonly kind: "move"; readonly path: string; readonly to: string }
  /** Makes a hard or a symbolic link `at` and reads through it. */
  | { readonly kind: "link" | "symlink"; readonly path: string; readonly at: string }
  /** Gives what the other side says. A path that begins with NUL is a name of the abstract namespace. */
  | { readonly kind: "connect"; readonly to: number | string }
  /** Asks whether the process may be signalled, and gives /proc's line on it where there is one. */
  | { readonly kind: "signal"; readonly pid: number }
  /** Runs a program with the own environment, or with none, and gives what it prints. */
  | { readonly kind: "run"; readonly argv: readonly string[]; readonly isBare?: boolean };

/** What became of an act: it succeeded, with what it read or heard; or it failed, with the error's code. */
export type Answer =
  | { readonly isDone: true; readonly text: string }
  | { readonly isDone: false; readonly code: string };

/** Does one act. What touches files is over when the call returns. Never rejects. */
export async function attempt(act: Act): Promise<Answer> {
  try {
    return { isDone: true, text: await perform(act) };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return { isDone: false, code };
  }
}

function perform(act: Act): string | Promise<string> {
  switch (act.kind) {
    case "read":
      return read(act.path);
    case "list":
      return readdirSync(act.path).join("\n");
    case "open":
      closeSync(openSync(act.path, "r+"));
      return "";
    case "write":
      appendFileSync(act.path, act.text);
      return "";
    case "replace":
      writeFileSync(act.beside, act.text);
      renameSync(act.beside, act.path);
      return "";
    case "move":
      renameSync(act.path, act.to);
      renameSync(act.to, act.path);
      return "";
    case "link":
      linkSync(act.path, act.at);
      return read(act.at);
    case "symlink":
      symlinkSync(act.path, act.at);
      return read(act.at);
    case "connect":
      return hear(act.to);
    case "signal":
      process.kill(act.pid, 0);
      return existsSync(`/proc/${act.pid}/stat`) ? read(`/proc/${act.pid}/stat`) : "";
    case "run":
      return run(act);
  }
}

function read(path: string): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(MAX_BYTES);
    return bytes.subarray(0, readSync(file, bytes, 0, MAX_BYTES, null)).toString("latin1");
  } finally {
    closeSync(file);
  }
}

async function hear(to: number | string): Promise<string> {
  const options: NetConnectOpts = typeof to === "number" ? { port: to, host: "127.0.0.1" } : { path: to };
  const socket = connect(options);
  socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error("timeout")));
  return text(socket);
}

async function run({ argv: [file = "", ...argv], isBare }: Extract<Act, { kind: "run" }>): Promise<string> {
  const env = isBare === true ? { env: {} } : {};
  const child = spawn(file, argv, { stdio: ["ignore", "pipe", "ignore"], timeout: RUN_MS, ...env });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  const [output, code] = await Promise.all([text(child.stdout), ended]);
  if (code === 0) return output;
  throw new Error(`ended with ${code}`);
}

/** As a program: takes a list of acts as JSON on stdin, and prints a line for each as it is answered: [index, answer]. */
if (import.meta.main) {
  const acts: readonly Act[] = JSON.parse(await text(process.stdin));
  await Promise.all(
    acts.map(async (act, index) => {
      process.stdout.write(`${JSON.stringify([index, await attempt(act)])}\n`);
    }),
  );
}
