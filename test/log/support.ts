import type { LogOptions } from "../../src/log/logger.ts";
import { createLogger } from "../../src/log/logger.ts";

/** A logger that keeps what it wrote: `text` whole, `lines` parsed, `last` the last of them. */
export function captureLog(options: Partial<LogOptions> = {}) {
  const written: string[] = [];
  const log = createLogger({
    level: "trace",
    format: "json",
    secretValues: [],
    destination: { write: (text) => written.push(text) },
    ...options,
  });
  const text = () => written.join("");
  const lines = () => written.map((line): Record<string, unknown> => JSON.parse(line));
  const last = (): Record<string, unknown> => JSON.parse(written.at(-1) ?? "{}");
  return { log, text, lines, last };
}
