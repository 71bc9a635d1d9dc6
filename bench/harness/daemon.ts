import { join } from "node:path";
import { builtProgram, DIST_BIN, NODE_FLAGS, ROOT } from "./built.ts";
import { type Child, startChild } from "./child.ts";
import { firstPoll, type Stage } from "./stage.ts";

/** Starts the built daemon just as it is shipped, on the real CLI, and waits until it polls. */
export function startDaemon(stage: Stage): Promise<Child> {
  return started(stage, {
    argv: [DIST_BIN, "start"],
    env: stage.env,
    hasChannel: false,
  });
}

/**
 * Starts the built daemon from the bench's own entry file, with the bench's own stand-in for the CLI, and waits until it
 * polls. `ask` on the child's channel is served by `programs/daemon-entry.ts`.
 */
export function startStandInDaemon(stage: Stage): Promise<Child> {
  return started(stage, {
    argv: [builtProgram("daemon-entry")],
    env: { ...stage.env, BENCH_DIST: join(ROOT, "dist"), BENCH_CLAUDE: builtProgram("stand-in") },
    hasChannel: true,
  });
}

/** Starts the bare echo, and waits until it polls. */
export function startEcho(stage: Stage): Promise<Child> {
  return started(stage, { argv: [builtProgram("bare-echo")], env: stage.env, hasChannel: false });
}

async function started(
  stage: Stage,
  { argv, env, hasChannel }: { argv: readonly string[]; env: Stage["env"]; hasChannel: boolean },
): Promise<Child> {
  const outputFile = join(stage.folder, "output.log");
  const child = startChild({ flags: NODE_FLAGS, argv, env, cwd: stage.folder, outputFile, hasChannel });
  try {
    await child.alive(firstPoll(stage, child.startedAt));
    return child;
  } catch (error) {
    await child.stop();
    throw error;
  }
}
