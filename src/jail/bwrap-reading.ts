import { text } from "node:stream/consumers";
import type { BwrapJailDeps } from "./bwrap-jail.ts";
import { bwrapOptions } from "./bwrap-options.ts";
import { startBwrap } from "./bwrap-process.ts";
import { INSIDE } from "./inside-paths.ts";
import { READING_ENV, type RunReading } from "./read-git-configs.ts";

/** Milliseconds; a few are enough where all is well. */
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 16 * 1024 * 1024;

/** Runs a command in a Linux jail that has the system and one project, read-only, and nothing else: no socket, no secret of ours. */
export function createBwrapReading(
  deps: Pick<BwrapJailDeps, "bwrap" | "scratchDir" | "marks" | "system">,
): RunReading {
  const { bwrap, scratchDir, marks, system } = deps;
  return async (project, argv) => {
    const running = await startBwrap({
      bwrap,
      scratchDir,
      mark: marks.next(),
      options: bwrapOptions({
        system,
        binds: [{ source: project, target: project, isWritable: false }],
        protectedPaths: [],
        env: { ...READING_ENV, PATH: INSIDE.path, HOME: INSIDE.home },
        cwd: "/",
      }),
      argv,
      check: async () => undefined,
    });
    const { stdin, stdout, stderr } = running.child;
    const timer = setTimeout(() => void running.kill(), TIMEOUT_MS);
    stdin.end();
    stderr.resume();
    let bytes = 0;
    stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) void running.kill();
    });
    const [printed, { code }] = await Promise.all([text(stdout), running.exited]);
    clearTimeout(timer);
    return { code, stdout: printed };
  };
}
