/** The daemon as it is, on the bubblewrap that TEST_BWRAP names; ends with the code and the line that `start` would. */
import { readEnvironment } from "../../src/config/environment.ts";
import { loadConfig } from "../../src/config/load.ts";
import { secretValues } from "../../src/config/secret.ts";
import { exitCodeOf, messageOf } from "../../src/domain/errors.ts";
import { findSystemProgram } from "../../src/jail/open-jail.ts";
import { createLogger } from "../../src/log/logger.ts";
import { runDaemon } from "../../src/main.ts";

const loaded = loadConfig({ ...readEnvironment(), argv: {} });
const log = createLogger({ ...loaded.config.log, secretValues: secretValues(loaded.secrets) });
const ending = new AbortController();
process.on("SIGTERM", () => ending.abort("SIGTERM"));
try {
  await runDaemon(loaded, log, {
    version: "0.0.0",
    signal: ending.signal,
    findOnPath: async (name) =>
      name === "bwrap" ? (process.env.TEST_BWRAP ?? null) : findSystemProgram(name),
  });
  process.exit(0);
} catch (error) {
  process.stderr.write(`sallyport: ${messageOf(error)}\n`);
  process.exit(exitCodeOf(error));
}
