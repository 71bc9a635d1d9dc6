/**
 * The daemon as it is, but with real fault points: it ends itself by SIGKILL at the one that it is told. The only entry that
 * can do so; it lies outside `src/` and is not part of the program. It also does its housekeeping as often as it is told.
 */
import { join } from "node:path";
import { readEnvironment } from "../../src/config/environment.ts";
import { loadConfig } from "../../src/config/load.ts";
import { secretValues } from "../../src/config/secret.ts";
import type { Reach } from "../../src/domain/fault-point.ts";
import { createLogger } from "../../src/log/logger.ts";
import { runDaemon } from "../../src/main.ts";

const { env } = process;
/** `outbox.sent:before#2` ends it when that point is reached the second time, `#300` at the 300th of all. */
const [point = "", nth = "1"] = (env.TEST_KILL_AT ?? "").split("#");
let left = Number(nth);

const reach: Reach = (reached) => {
  if (env.TEST_KILL_AT === undefined || (point !== "" && reached !== point)) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, "SIGKILL");
};

const loaded = loadConfig({ ...readEnvironment(), argv: {} });
const log = createLogger({ ...loaded.config.log, secretValues: secretValues(loaded.secrets) });
const ending = new AbortController();
process.on("SIGTERM", () => ending.abort("SIGTERM"));
const standIn = join(import.meta.dirname, "../../src/demo/stand-in-claude.ts");
await runDaemon(loaded, log, {
  version: "0.0.0",
  signal: ending.signal,
  reach,
  ...(env.TEST_HOUSEKEEPING_MS === undefined
    ? {}
    : { housekeepingEveryMs: Number(env.TEST_HOUSEKEEPING_MS) }),
  ...(env.TEST_STORE_AGAIN_MS === undefined ? {} : { storeAgainMs: Number(env.TEST_STORE_AGAIN_MS) }),
  ...(env.TEST_STAND_IN === undefined ? {} : { claudeProgram: standIn }),
});
process.exit(0);
