import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { reply } from "../../src/demo/messages-api/scripts.ts";
import { createMessagesApi } from "../../src/demo/messages-api/server.ts";
import type { Jail } from "../../src/jail/jail.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import { proveJail } from "../../src/jail/proof/prove-jail.ts";
import { approved } from "../harness/approved.ts";
import { type BareCli, startBareCli, startJailedCli } from "../harness/bare-cli.ts";
import { steadyNow } from "../harness/clock.ts";
import { type Bench, latencyFigures, repeat } from "../harness/figure.ts";

const NAME = "jail";
const COMMANDS = 100;
const PROOFS = 10;
const CLI_STARTS = 5;
const PAUSE_MS = 300;
const silent = { info: () => undefined, warn: () => undefined };

/** What the jail costs: a bare command, the escape self-test, and the real CLI up to its first delta. */
export const jail: Bench = {
  name: NAME,
  measure: async (options) => {
    const runs = await repeat(options, NAME, measureOnce);
    const figures = (part: "command" | "proof" | "cli", name: string, bare: string) =>
      latencyFigures({ bench: NAME, name, bare, runs: runs.map((run) => run[part]) });
    return [
      ...figures("command", "/bin/true in a jail: start → gone", "spawn of the same, without a jail"),
      ...figures("proof", "the escape self-test, whole", "a bare Node that does nothing: spawn → gone"),
      ...figures(
        "cli",
        "cold CLI in a jail: start → it asks the model",
        "the same CLI and prompt, without a jail",
      ),
    ];
  },
};

interface Samples {
  readonly ours: number[];
  readonly bare: number[];
}

async function measureOnce(): Promise<Readonly<Record<"command" | "proof" | "cli", Samples>>> {
  const folder = realpathSync(mkdtempSync("/var/tmp/spb-jail-")); // a jail has a /tmp of its own
  const opened = await openJail({
    sandbox: "require",
    platform: process.platform,
    scratchDir: join(folder, "scratch"),
    log: silent,
  });
  try {
    return {
      command: await commands(opened, folder),
      proof: await proofs(opened, folder),
      cli: await cliStarts(opened),
    };
  } finally {
    await opened.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Takes both samples right after each other, `count` times. The first pair reads from the disk and does not count. */
async function pairs(
  count: number,
  { ours, bare }: { readonly ours: () => Promise<number>; readonly bare: () => Promise<number> },
): Promise<Samples> {
  const samples: Samples = { ours: [], bare: [] };
  for (let index = 0; index <= count; index += 1) {
    const pair = { ours: await ours(), bare: await bare() };
    if (index === 0) continue;
    samples.ours.push(pair.ours);
    samples.bare.push(pair.bare);
  }
  return samples;
}

async function timeOf(act: () => Promise<unknown>): Promise<number> {
  const startedAt = steadyNow();
  await act();
  return steadyNow() - startedAt;
}

/** Until a program without a jail is gone. */
async function ended(file: string, argv: readonly string[]): Promise<void> {
  await once(spawn(file, argv, { stdio: "ignore", env: {} }), "exit");
}

async function commands(opened: Jail, folder: string): Promise<Samples> {
  const [project, configDir] = [join(folder, "project"), join(folder, "config")];
  for (const path of [project, configDir]) mkdirSync(path, { mode: 0o700 });
  const apiSocket = join(folder, "api.sock");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(apiSocket, resolve));
  const request = { project: approved(project), program: "/bin/true", configDir, apiSocket };
  const samples = await pairs(COMMANDS, {
    ours: () =>
      timeOf(async () => {
        const jailed = await opened.start({ ...request, args: () => [], env: () => ({}) });
        await jailed.exited;
      }),
    bare: () => timeOf(() => ended("/bin/true", [])),
  });
  server.close();
  return samples;
}

function proofs(opened: Jail, home: string): Promise<Samples> {
  const { signal } = new AbortController();
  return pairs(PROOFS, {
    ours: () =>
      timeOf(() => proveJail({ jail: opened, home, platform: process.platform, now: steadyNow, signal })),
    bare: () => timeOf(() => ended(process.execPath, ["-e", ""])),
  });
}

async function cliStarts(opened: Jail): Promise<Samples> {
  let askedAt = Number.NaN;
  const api = createMessagesApi({
    script: ({ isAuxiliary }) => {
      if (!isAuxiliary) askedAt = steadyNow();
      return reply("Short.");
    },
    now: steadyNow,
  });
  const url = await api.listen();
  const firstAsk = async (start: () => Promise<BareCli>): Promise<number> => {
    await sleep(PAUSE_MS);
    await using cli = await start();
    await cli.turn("a cold turn");
    return askedAt - cli.startedAt;
  };
  const samples = await pairs(CLI_STARTS, {
    ours: () => firstAsk(() => startJailedCli(opened, url)),
    bare: () => firstAsk(() => startBareCli(url)),
  });
  await api.close();
  return samples;
}
