import type { BwrapJailDeps } from "./bwrap-jail.ts";
import { bwrapOptions } from "./bwrap-options.ts";
import { startBwrap } from "./bwrap-process.ts";
import { collectOutput } from "./collect-output.ts";
import { INSIDE } from "./inside-paths.ts";
import { READING_ENV, type RunReading } from "./read-git-configs.ts";
import { approvedFolder } from "./verify-mounts.ts";

/** Milliseconds; a few are enough where all is well. */
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 16 * 1024 * 1024;

/** Runs a command in a Linux jail that has the system and one project, read-only, and nothing else: no socket, no secret of ours. */
export function createBwrapReading(
  deps: Pick<BwrapJailDeps, "bwrap" | "scratchDir" | "marks" | "tenants">,
): RunReading {
  const { bwrap, scratchDir, marks, tenants } = deps;
  return async (project, argv) => {
    const { owner } = await approvedFolder(project);
    const { system, identity, become, moveIn } = await tenants.of(owner);
    const running = await startBwrap({
      bwrap,
      scratchDir,
      mark: marks.next(),
      options: bwrapOptions({
        system,
        identity,
        binds: [{ source: project, target: project, isWritable: false }],
        protectedPaths: [],
        env: { ...READING_ENV, PATH: INSIDE.path, HOME: INSIDE.home },
        cwd: "/",
      }),
      become,
      argv,
      check: moveIn,
    });
    return collectOutput(
      { ...running.child, exited: running.exited, kill: running.kill },
      { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES },
    );
  };
}
