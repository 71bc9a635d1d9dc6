import { rmSync } from "node:fs";
import { join } from "node:path";
import { builtProgram, DIST_BIN, NODE_FLAGS } from "../harness/built.ts";
import { startChild } from "../harness/child.ts";
import { type Bench, type Figure, repeat } from "../harness/figure.ts";
import { createStage, firstPoll, type Stage } from "../harness/stage.ts";
import { median } from "../harness/statistics.ts";

const NAME = "start";
const STARTS = 5;

/** From the spawn of the process to its first getUpdates; the compile cache filled by a start before, or empty. */
export const start: Bench = {
  name: NAME,
  measure: async (options) => {
    const runs = await repeat(options, NAME, async () => {
      await using stage = await createStage();
      return {
        node: await medianStart(stage, { argv: [builtProgram("bare-node")], isCold: false }),
        echo: await medianStart(stage, { argv: [builtProgram("bare-echo")], isCold: false }),
        warm: await medianStart(stage, { argv: [DIST_BIN, "start"], isCold: false }),
        cold: await medianStart(stage, { argv: [DIST_BIN, "start"], isCold: true }),
      };
    });
    const figure = (cache: "warm" | "cold", bare: "node" | "echo"): Figure => ({
      bench: NAME,
      name: `spawn → first getUpdates, ${cache} compile cache`,
      unit: "ms",
      bare:
        bare === "node"
          ? "bare node: spawn → its first request"
          : "bare echo, warm: spawn → its first getUpdates",
      runs: runs.map((run) => ({ ours: run[cache], bare: run[bare] })),
      ...(cache === "warm" && bare === "echo" ? { aim: { of: "ours", atMost: 400 } as const } : {}),
    });
    return [figure("warm", "echo"), figure("warm", "node"), figure("cold", "echo"), figure("cold", "node")];
  },
};

interface StartRequest {
  readonly argv: readonly string[];
  readonly isCold: boolean;
}

/** Starts one after another; with a cache to fill, the first one fills it and does not count. */
async function medianStart(stage: Stage, request: StartRequest): Promise<number> {
  if (!request.isCold) await startOnce(stage, request);
  const times: number[] = [];
  for (let index = 0; index < STARTS; index += 1) times.push(await startOnce(stage, request));
  return median(times);
}

async function startOnce(stage: Stage, { argv, isCold }: StartRequest): Promise<number> {
  if (isCold) rmSync(join(stage.folder, ".cache"), { recursive: true, force: true });
  await using child = startChild({
    flags: NODE_FLAGS,
    argv,
    env: {
      ...stage.env,
      ...(argv[0] === DIST_BIN ? {} : { NODE_COMPILE_CACHE: join(stage.folder, "bare-cache") }),
    },
    cwd: stage.folder,
    outputFile: join(stage.folder, "output.log"),
  });
  const polledAt = await child.alive(firstPoll(stage, child.startedAt));
  return polledAt - child.startedAt;
}
