import type { Now } from "../domain/clock.ts";

/** Telegram's clock, as far as it is known. */
export interface ServerClock {
  /** The server said what time it is, just now (ms since the epoch). */
  readonly learn: (serverTime: number) => void;
  /** Milliseconds since a time of the server's, by the server's clock. Before the first `learn`: by this machine's. */
  readonly ageOf: (sentAt: number) => number;
}

/** Tells how old a message is though this machine's clock may be wrong by hours: by how far the two clocks lie apart. */
export function createServerClock(now: Now): ServerClock {
  let aheadMs = 0;

  return {
    learn: (serverTime) => {
      aheadMs = serverTime - now();
    },
    ageOf: (sentAt) => now() + aheadMs - sentAt,
  };
}
