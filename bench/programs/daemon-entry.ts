/**
 * The built daemon with the bench's own program in the CLI's place, which `dist/bin.js` has no setting for, and with what
 * can only be measured from inside: the delay of the event loop, and a profile. Everything else is as in `start.ts`.
 */
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type * as Environment from "../../src/config/environment.ts";
import type * as Load from "../../src/config/load.ts";
import type * as Secret from "../../src/config/secret.ts";
import type * as Log from "../../src/log/logger.ts";
import type * as Main from "../../src/main.ts";

const { BENCH_DIST: dist = "", BENCH_CLAUDE: claudeProgram = "" } = process.env;
const { readEnvironment }: typeof Environment = await import(`${dist}/config/environment.js`);
const { loadConfig }: typeof Load = await import(`${dist}/config/load.js`);
const { secretValues }: typeof Secret = await import(`${dist}/config/secret.js`);
const { createLogger }: typeof Log = await import(`${dist}/log/logger.js`);
const { runDaemon }: typeof Main = await import(`${dist}/main.js`);

const RESOLUTION_MS = 10;
const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
const session = new Session();

/** What the bench may ask on the channel; each is answered by one message. */
async function serve(command: { readonly kind: string; readonly path?: string }): Promise<object> {
  switch (command.kind) {
    case "watch-loop":
      loop.reset();
      loop.enable();
      return {};
    case "loop": {
      // The histogram holds the spans between ticks of a timer: what is above its interval is delay.
      const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
      return {
        p50: ms(loop.percentile(50)),
        p99: ms(loop.percentile(99)),
        p999: ms(loop.percentile(99.9)),
        max: ms(loop.max),
      };
    }
    case "profile":
      session.connect();
      await session.post("Profiler.enable");
      await session.post("Profiler.setSamplingInterval", { interval: 200 });
      await session.post("Profiler.start");
      return {};
    case "end-profile": {
      const { profile } = await session.post("Profiler.stop");
      writeFileSync(command.path ?? "", JSON.stringify(profile));
      return {};
    }
    default:
      throw new Error(`Nothing is known of ${command.kind}`);
  }
}

const ending = new AbortController();
process.on("SIGTERM", () => ending.abort("SIGTERM"));
process.on("message", (command: { readonly kind: string; readonly path?: string }) => {
  void serve(command).then((answer) => process.send?.(answer));
});

const loaded = loadConfig({ ...readEnvironment(), argv: {} });
const log = createLogger({ ...loaded.config.log, secretValues: secretValues(loaded.secrets) });
await runDaemon(loaded, log, { version: "bench", signal: ending.signal, claudeProgram });
process.exit(0);
