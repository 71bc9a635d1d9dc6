import { collectOutput } from "./collect-output.ts";
import { HOST_PATH, type HostCommand, type SiftEntry } from "./host-command.ts";
import type { Sift } from "./jail.ts";
import type { Marks } from "./mark.ts";
import { SIFT_MAX_BYTES, SIFT_TIMEOUT_MS, siftArgv } from "./sift-argv.ts";
import { findSiftProgram } from "./sift-program.ts";
import { spawnChild } from "./spawn.ts";

interface HostSiftDeps {
  readonly marks: Marks;
  readonly siftCommand: (entry: SiftEntry) => Promise<HostCommand>;
}

/** Runs a program of `sift/` at its host path, in what `siftCommand` puts round it: nothing at all where the sandbox is off. */
export function createHostSift({ marks, siftCommand }: HostSiftDeps): Sift {
  return async (request) => {
    const { file, target, signal } = request;
    const { node, script, parts } = await findSiftProgram(request.program);
    const argv = siftArgv({ node, script, file, target: target ?? "" }, request);
    const reads = [file, node, ...parts.flatMap(({ source, path }) => [source, path])];
    const command = await siftCommand({ argv, reads: [...new Set(reads)], target });
    const env = { PATH: HOST_PATH, HOME: "/var/empty", LC_ALL: "C", ...marks.next().env };
    const { kill: killOnce, ...child } = await spawnChild({ ...command, env, cwd: "/" });
    const kill = async (): Promise<void> => killOnce();
    signal.addEventListener("abort", killOnce, { once: true });
    if (signal.aborted) killOnce();
    try {
      return await collectOutput(
        { ...child, kill },
        { timeoutMs: SIFT_TIMEOUT_MS, maxBytes: SIFT_MAX_BYTES },
      );
    } finally {
      signal.removeEventListener("abort", killOnce);
    }
  };
}
