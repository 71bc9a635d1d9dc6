/** Chance that a seed makes come out the same way again. */
export interface Random {
  /** A whole number from 0 to `most`. */
  readonly upTo: (most: number) => number;
  readonly chance: (probability: number) => boolean;
  readonly pick: <T>(from: readonly T[]) => T;
}

/** mulberry32: small, and good enough to spread faults. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    upTo: (most) => Math.floor(next() * (most + 1)),
    chance: (probability) => next() < probability,
    pick: (from) => {
      const [picked] = from.slice(Math.floor(next() * from.length));
      if (picked === undefined) throw new Error("Expected something to pick from");
      return picked;
    },
  };
}
