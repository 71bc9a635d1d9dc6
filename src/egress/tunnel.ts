import type { Socket } from "node:net";
import { type Duplex, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

/** A tunnel over which nothing went for so long is closed. */
const IDLE_MS = 15 * 60_000;

/** What went through, in bytes: in is towards the jail. */
export interface Carried {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Carries bytes both ways, with backpressure, until both sides have ended, one breaks, or the signal aborts. Never rejects. */
export async function carry(client: Duplex, remote: Socket, signal: AbortSignal): Promise<Carried> {
  const inward = counter();
  const outward = counter();
  remote.setTimeout(IDLE_MS, () => remote.destroy());
  await Promise.allSettled([
    pipeline(remote, inward.stream, client, { signal }),
    pipeline(client, outward.stream, remote, { signal }),
  ]);
  for (const side of [client, remote]) side.destroy();
  return { bytesIn: inward.bytes(), bytesOut: outward.bytes() };
}

function counter() {
  let bytes = 0;
  const stream = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, bytes: () => bytes };
}
