import { z } from "zod";
import { type BucketState, fullBucket, type Rate, rescale } from "./token-bucket.ts";

/** A refusal that the person was told of: until `untilMs` further ones are silent. Milliseconds since the epoch. */
export interface Told {
  readonly atMs: number;
  readonly untilMs: number;
}

/** What is kept of one bucket across a restart. */
export interface KeptBucket {
  readonly bucket: BucketState;
  readonly told: Told | null;
}

const KeptText = z.object({
  level: z.int().min(0),
  updatedAtMs: z.int(),
  windowMs: z.int().min(1),
  told: z.object({ atMs: z.int(), untilMs: z.int() }).nullable(),
});

/** The text that the store keeps. It names the window that the level was counted in. */
export function formatKept({ bucket, told }: KeptBucket, rate: Rate): string {
  return JSON.stringify({ ...bucket, windowMs: rate.windowMs, told });
}

/**
 * Reads what `formatKept` wrote, under today's rate. Null (nothing kept) is a full bucket; what cannot be read is an
 * empty one, which mends itself within a window.
 */
export function parseKept(text: string | null, rate: Rate, nowMs: number): KeptBucket {
  if (text === null) return { bucket: fullBucket(rate, nowMs), told: null };
  const kept = KeptText.safeParse(jsonOrNull(text));
  if (!kept.success) return { bucket: { level: 0, updatedAtMs: Math.floor(nowMs) }, told: null };
  const { level, updatedAtMs, windowMs, told } = kept.data;
  const bucket = { level, updatedAtMs };
  return { bucket: windowMs === rate.windowMs ? bucket : rescale(bucket, rate, windowMs), told };
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null; // the caller fails closed on it
    throw error;
  }
}
