import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { builtProgram, NODE_FLAGS } from "../harness/built.ts";
import { type Child, startChild } from "../harness/child.ts";
import { startDaemon, startEcho } from "../harness/daemon.ts";
import { type Bench, type Figure, repeat } from "../harness/figure.ts";
import { usageOf } from "../harness/processes.ts";
import { createStage, firstPoll, type Stage } from "../harness/stage.ts";

const NAME = "idle";
const SETTLE_MS = 5_000;
const WATCH_MS = 60_000;

/** What an idle program takes: memory at the end of a minute, and processor time in it. */
interface Idle {
  readonly rssMb: number;
  readonly pssMb: number | null;
  readonly cpuPercent: number;
}

/** Memory and processor time of the idle daemon over 60 s; the three programs are watched side by side. */
export const idle: Bench = {
  name: NAME,
  measure: async (options) => {
    const runs = await repeat(options, NAME, sideBySide);
    const figures = (bare: "node" | "echo"): readonly Figure[] => {
      const head = { bench: NAME, bare: bare === "node" ? "bare node" : "bare echo" };
      const of = (value: (idle: Idle) => number | null) =>
        runs.map((run) => ({ ours: value(run.daemon) ?? Number.NaN, bare: value(run[bare]) }));
      return [
        {
          ...head,
          name: "idle resident memory (RSS)",
          unit: "MB",
          runs: of(({ rssMb }) => rssMb),
          aim: { of: "ours", atMost: 100 },
        },
        { ...head, name: "idle share of memory (PSS)", unit: "MB", runs: of(({ pssMb }) => pssMb) },
        {
          ...head,
          name: "idle processor time, of one core",
          unit: "%",
          runs: of(({ cpuPercent }) => cpuPercent),
        },
      ];
    };
    return [...figures("node"), ...figures("echo")];
  },
};

async function sideBySide(): Promise<{ daemon: Idle; echo: Idle; node: Idle }> {
  await using daemonStage = await createStage();
  await using echoStage = await createStage();
  await using nodeStage = await createStage();
  await using daemon = await startDaemon(daemonStage);
  await using echo = await startEcho(echoStage);
  await using node = await startBareNode(nodeStage);
  await sleep(SETTLE_MS);
  const children = [daemon, echo, node];
  const before = children.map(({ pid }) => usageOf(pid).cpuMs);
  await Promise.race([
    sleep(WATCH_MS),
    ...children.map((child) => child.alive(new Promise<never>(() => undefined))),
  ]);
  const [ofDaemon, ofEcho, ofNode] = children.map(({ pid }, index): Idle => {
    const { rssMb, pssMb, cpuMs } = usageOf(pid);
    return { rssMb, pssMb, cpuPercent: ((cpuMs - (before[index] ?? 0)) / WATCH_MS) * 100 };
  });
  if (!ofDaemon || !ofEcho || !ofNode) throw new Error("Three programs were watched");
  return { daemon: ofDaemon, echo: ofEcho, node: ofNode };
}

async function startBareNode(stage: Stage): Promise<Child> {
  const child = startChild({
    flags: NODE_FLAGS,
    argv: [builtProgram("bare-node")],
    env: stage.env,
    cwd: stage.folder,
    outputFile: join(stage.folder, "output.log"),
  });
  await child.alive(firstPoll(stage, child.startedAt));
  return child;
}
