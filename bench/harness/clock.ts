import type { Now } from "../../src/domain/clock.ts";
import { systemNow } from "../../src/domain/clock.ts";

const ORIGIN_MS = systemNow() - Number(process.hrtime.bigint()) / 1e6;

/**
 * Milliseconds since the epoch in fractions, by the machine's steady clock: all processes of the machine read the same one,
 * inside a jail too, and nobody sets it.
 */
export const steadyNow: Now = () => atOfHrtime(process.hrtime.bigint());

/** The time at which a process of this machine read `process.hrtime.bigint()`. */
export function atOfHrtime(nanoseconds: bigint): number {
  return ORIGIN_MS + Number(nanoseconds) / 1e6;
}
