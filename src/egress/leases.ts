import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { NetPolicy } from "../domain/net.ts";
import type { Payer, ProxyLease } from "../domain/usage.ts";

/** A lease as the proxy sees it. */
export interface Lease {
  /** For logs: says nothing about the token. */
  readonly id: string;
  readonly payer: () => Payer | null;
  /** Aborted when the payer that `payer` gives now is taken away, at the latest at release: what it has under way ends. */
  readonly payerSignal: () => AbortSignal;
  readonly net: () => NetPolicy | null;
  /** Aborted when the policy that `net` gives now is taken away, at the latest at release. */
  readonly netSignal: () => AbortSignal;
  /** Resolves when the lease, if it is still alive, may be acted on; see `ProxyLease.setBarrier`. */
  readonly barrier: () => Promise<void>;
  /** Aborted at release. */
  readonly signal: AbortSignal;
  /** Takes one of the places for requests under way; null when all are taken. Give it back by calling what it returns. */
  readonly enter: () => (() => void) | null;
}

/** The leases that are alive. */
export interface Leases {
  readonly open: () => ProxyLease;
  /** The lease whose token is among the presented ones. Compares with all of them, in constant time. */
  readonly find: (presented: readonly string[]) => Lease | null;
  readonly releaseAll: () => void;
}

/**
 * More than the CLI uses with its subagents. Each request that runs beside others was admitted without knowing what they
 * will cost, so their number bounds how far a budget can be overrun.
 */
const MAX_PARALLEL_REQUESTS = 16;

/** Hands out leases. The token looks like a key to the CLI, holds 256 random bits and is kept only as a hash. */
export function createLeases(): Leases {
  const alive = new Map<Lease, { readonly hash: Buffer; readonly release: () => void }>();
  return {
    open: () => {
      const token = `sallyport-${randomBytes(32).toString("base64url")}`;
      const released = new AbortController();
      let payer: Payer | null = null;
      let payerEnd = new AbortController();
      let net: NetPolicy | null = null;
      let netEnd = new AbortController();
      let barrier = (): Promise<void> => Promise.resolve();
      let running = 0;
      const lease: Lease = {
        id: randomUUID(),
        payer: () => payer,
        payerSignal: () => payerEnd.signal,
        net: () => net,
        netSignal: () => netEnd.signal,
        barrier: () => barrier(),
        signal: released.signal,
        enter: () => {
          if (running >= MAX_PARALLEL_REQUESTS) return null;
          running += 1;
          return () => {
            running -= 1;
          };
        },
      };
      const release = () => {
        alive.delete(lease);
        released.abort();
        payerEnd.abort();
        netEnd.abort();
      };
      alive.set(lease, { hash: hashOf(token), release });
      return {
        token,
        setPayer: (next) => {
          payer = next;
          payerEnd.abort();
          payerEnd = new AbortController();
          setMaxListeners(0, payerEnd.signal); // `enter` bounds how many wait on it
          if (released.signal.aborted) payerEnd.abort();
        },
        setNet: (next) => {
          net = next;
          netEnd.abort();
          netEnd = new AbortController();
          setMaxListeners(0, netEnd.signal); // the gates bound how many wait on it
          if (released.signal.aborted) netEnd.abort();
        },
        setBarrier: (next) => {
          barrier = next;
        },
        release,
      };
    },
    find: (presented) => {
      const hashes = presented.map(hashOf);
      let found: Lease | null = null;
      for (const [lease, { hash }] of alive) {
        for (const candidate of hashes) if (timingSafeEqual(hash, candidate)) found = lease;
      }
      return found;
    },
    releaseAll: () => {
      for (const { release } of alive.values()) release();
    },
  };
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
