import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { dirname, isAbsolute, join } from "node:path";
import { adoptTimeZone, readEnvironment } from "./config/environment.ts";
import { likelyHomeOf } from "./config/home-of.ts";
import { loadConfig } from "./config/load.ts";
import { secretValues } from "./config/secret.ts";
import { systemNow } from "./domain/clock.ts";
import { AppError, EXIT, exitCodeOf, messageOf } from "./domain/errors.ts";
import { createLogger, type Logger } from "./log/logger.ts";
import { createRedactor } from "./log/redact.ts";
import { runDaemon } from "./main.ts";
import { troubleOf } from "./store/fault.ts";

interface StartOptions {
  readonly envFile?: string;
  readonly supervised?: boolean;
  readonly version: string;
}

/** Exit codes of faults that a restart cannot mend; launchd would restart on them for ever (H80, H81). */
const UNMENDABLE: readonly number[] = [EXIT.tokenRejected, EXIT.config];
/** What closing may take before the process ends all the same. */
const CLOSE_MS = 4_500;

/**
 * Runs the daemon until SIGTERM or SIGINT and returns the exit code. A fault is told in one line on stderr; supervised, one
 * that a restart cannot mend is left in `stopped.json` of the home folder, and the code is 0.
 */
export async function start({ envFile, supervised = false, version }: StartOptions): Promise<number> {
  const surroundings = readEnvironment();
  const stoppedFile = (): string => join(likelyHomeOf(surroundings, envFile ?? null), "stopped.json");
  let redact = createRedactor([]);
  let log: Logger | null = null;
  try {
    const loaded = loadConfig({ ...surroundings, argv: { envFile } });
    const { config, secrets, warnings } = loaded;
    const zone = adoptTimeZone(config.timeZone);
    redact = createRedactor(secretValues(secrets));
    log = createLogger({ ...config.log, secretValues: secretValues(secrets) });
    if (zone.isMadeUp)
      log.warn(
        { event: "config.doubt" },
        "The system names no time zone, so that days begin in UTC: set TIMEZONE",
      );
    for (const warning of warnings) log.warn({ event: "config.doubt" }, warning);
    rmSync(stoppedFile(), { force: true });
    endOnCrash(log);
    await runDaemon(loaded, log, { version, signal: untilSignal(), onReady: flushCompileCache });
    log.info({ event: "daemon.ended" }, "ended");
    return EXIT.ok;
  } catch (error) {
    const code = exitCodeOf(error);
    const isTaken = error instanceof AppError && error.code === "already_running"; // which says what to do
    const mend = isTaken ? undefined : troubleOf(error)?.mend;
    const message = redact(`${messageOf(error)}${mend === undefined ? "" : `: ${mend}`}`);
    log?.fatal({ event: "daemon.failed", code }, message);
    process.stderr.write(`sallyport: ${message}\n`);
    if (!supervised || !UNMENDABLE.includes(code)) return code;
    noteStop(stoppedFile(), { at: new Date(systemNow()).toISOString(), code, message });
    return EXIT.ok;
  }
}

/** Aborted with the signal's name by the first SIGTERM, SIGINT or SIGHUP; a second one, or 4.5 s, end the process at once. */
function untilSignal(): AbortSignal {
  const controller = new AbortController();
  const end = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(EXIT.failure);
    setTimeout(() => process.exit(EXIT.failure), CLOSE_MS).unref();
    controller.abort(signal);
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  process.on("SIGHUP", end); // the terminal was closed
  return controller.signal;
}

/** What nobody caught goes through the redacting log, not through Node's own print (H23); the state on disk is sound. */
function endOnCrash(log: Logger): void {
  process.on("uncaughtException", (error, origin) => {
    log.fatal({ event: "daemon.crashed", origin, err: error }, "the daemon ends on a fault of its own");
    process.exit(EXIT.failure);
  });
}

function noteStop(path: string, note: { at: string; code: number; message: string }): void {
  try {
    if (isAbsolute(path)) mkdirSync(dirname(path), { recursive: true, mode: 0o700 }); // at the first start there is none
    writeFileSync(path, `${JSON.stringify(note)}\n`, { mode: 0o600 });
  } catch (error) {
    process.stderr.write(`sallyport: ${path} cannot be written: ${messageOf(error)}\n`);
  }
}
