import type { Socket } from "node:net";
import type { Internet, NetTarget } from "../domain/net.ts";
import { isPublicAddress } from "./address.ts";

const LOOKUP_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 15_000;
/** Of a name's addresses, this many are tried. */
const MAX_TRIES = 3;

/** A connection to a host of the internet, or why there is none, in words for the program that asked. */
export type Dialled =
  | { readonly kind: "connected"; readonly socket: Socket }
  | { readonly kind: "failed"; readonly reason: string; readonly isPrivate: boolean };

/**
 * Looks the name up here, and connects to an address that was looked at: what the name means later changes nothing. A name of
 * whose addresses one is not public is refused as a whole. Never rejects.
 */
export async function dial(internet: Internet, target: NetTarget, signal: AbortSignal): Promise<Dialled> {
  const addresses = await within(LOOKUP_TIMEOUT_MS, internet.lookup(target.host)).catch(() => null); // told just below
  if (addresses === null || addresses.length === 0) return failed(`${target.host} was not found`);
  if (!addresses.every(isPublicAddress)) {
    return { kind: "failed", reason: `${target.host} is not on the public internet`, isPrivate: true };
  }
  for (const address of addresses.slice(0, MAX_TRIES)) {
    if (signal.aborted) break;
    const socket = await connected(internet, { address, port: target.port }, signal);
    if (socket !== null) return { kind: "connected", socket };
  }
  return failed(`${target.host} could not be reached`);
}

function failed(reason: string): Dialled {
  return { kind: "failed", reason, isPrivate: false };
}

function connected(
  internet: Internet,
  target: { readonly address: string; readonly port: number },
  signal: AbortSignal,
): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = internet.connect(target);
    const end = (outcome: Socket | null) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      socket.off("error", giveUp).off("close", giveUp).off("connect", succeed);
      if (outcome === null) socket.on("error", () => undefined).destroy(); // its failure was the answer
      resolve(outcome);
    };
    const giveUp = () => end(null);
    const succeed = () => end(socket);
    const timer = setTimeout(giveUp, CONNECT_TIMEOUT_MS);
    signal.addEventListener("abort", giveUp, { once: true });
    socket.on("error", giveUp).on("close", giveUp).on("connect", succeed);
  });
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
