import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { readEnvironment } from "../config/environment.ts";
import { homeOf } from "../config/home-of.ts";
import { systemNow } from "../domain/clock.ts";
import { EXIT } from "../domain/errors.ts";
import { openJail } from "../jail/open-jail.ts";
import { type ProofLine, proveJail } from "../jail/proof/prove-jail.ts";

const SHOWN: Readonly<Record<ProofLine["outcome"], string>> = {
  held: "OK  ",
  works: "OK  ",
  untried: "-   ",
  through: "FAIL",
  unproved: "FAIL",
};
const silent = { info: () => undefined, warn: () => undefined };

/**
 * Tries to break out of this machine's sandbox and prints a line for each attempt: OK, FAIL, or `-` where it cannot succeed
 * without the sandbox either. Returns the exit code. Uses a folder of its own in SALLYPORT_HOME, so that it may run beside
 * the daemon; the setting SANDBOX does not count. Throws `sandbox_missing` with the mend.
 */
export async function selfTest({ envFile }: { readonly envFile?: string }): Promise<number> {
  const home = homeOf(readEnvironment(), envFile ?? null);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const scratchDir = await mkdtemp(join(await realpath(home), "self-test-"));
  await using scope = new AsyncDisposableStack();
  scope.defer(() => rm(scratchDir, { recursive: true, force: true }));
  const { platform } = process;
  const jail = await openJail({ sandbox: "require", platform, scratchDir, log: silent });
  scope.defer(() => jail.close());

  const lines = await proveJail({ jail, home, platform, now: systemNow, signal: untilInterrupted() });
  const failed = lines.filter(({ outcome }) => SHOWN[outcome] === "FAIL").length;
  for (const { name, outcome, why } of lines) {
    process.stdout.write(`${SHOWN[outcome]} ${name}${why === "" ? "" : `: ${why}`}\n`);
  }
  const verdict = failed === 0 ? "The sandbox holds." : `The sandbox does NOT hold: ${failed} failed.`;
  process.stdout.write(`${verdict}\n`);
  return failed === 0 ? EXIT.ok : EXIT.config;
}

/** Ctrl-C ends the sandbox, and all is cleared away; a second one ends this process. */
function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => controller.abort(name));
  return controller.signal;
}
