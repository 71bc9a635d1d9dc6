import { AppError } from "../domain/errors.ts";
import { risksFrom } from "../security/risk.ts";

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A day, with a time of it if any, with a zone if any (ISO 8601). */
const DATE_TIME = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)?(Z|[+-]\d\d:\d\d)?$/;

/**
 * A moment on the command line, in milliseconds since the epoch: `90m`, `48h`, `7d` ago, or a date and time, which is of UTC where it
 * names no zone, as the tail prints it. Throws `config_invalid`.
 */
export function parseMoment(option: string, text: string, now: number): number {
  const [, count = "", unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  const at = unitMs === undefined ? parseDateTime(text) : now - Number(count) * unitMs;
  if (Number.isNaN(at))
    throw new AppError(
      "config_invalid",
      `${option} must be like 90m, 48h, 7d or 2026-11-26T14:00 (UTC), got "${text}"`,
    );
  return at;
}

/** NaN for what is no such moment, the 30th of February too. */
function parseDateTime(text: string): number {
  const [, day = "", time = "T00:00", zone = "Z"] = DATE_TIME.exec(text) ?? [];
  const midnight = Date.parse(day);
  const isDay = !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day);
  return isDay ? Date.parse(`${day}${time}${zone}`) : Number.NaN;
}

/** That risk and those above it; all without one. Throws `config_invalid`. */
export function parseRisks(text: string): readonly string[] {
  const risks = risksFrom(text);
  if (risks === null)
    throw new AppError("config_invalid", `--risk must be low, medium, high or critical, got "${text}"`);
  return risks;
}

/** A whole number of that many digits at most. Throws `config_invalid`. */
export function parseNumber(option: string, text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new AppError("config_invalid", `${option} must be a whole number, got "${text}"`);
  return Number(text);
}
