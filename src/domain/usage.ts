import type { MicroUsd } from "./money.ts";
import type { NetPolicy } from "./net.ts";

/** Tokens of one API request. Cache writes are apart because they are priced apart. */
export interface TokenCounts {
  readonly inputTokens: number;
  readonly cacheWrite5mTokens: number;
  readonly cacheWrite1hTokens: number;
  readonly cacheReadTokens: number;
  readonly outputTokens: number;
}

/** What one API request used, as seen on the wire. Reported when its answer starts and again, final, when it ends. */
export interface ApiUsage extends TokenCounts {
  /** Ours, unique per request; the second report replaces the first. */
  readonly requestId: string;
  readonly model: string;
  readonly costMicroUsd: MicroUsd;
  /** Set for a model without a price: its cost is that of the dearest known. */
  readonly isUnpriced?: true;
  /** True once the answer is over, whole or cut. */
  readonly isFinal: boolean;
  /** True when the answer ended early, so that `outputTokens` is estimated from the bytes seen. */
  readonly isCut: boolean;
}

/** What is judged of an API request before it is passed on. */
export interface WireRequest {
  readonly model: string;
  /** True when the model is offered any tool. */
  readonly hasTools: boolean;
  /** Null when the request does not say. */
  readonly maxOutputTokens: number | null;
  /** False when the answer is to come whole, so that nothing of it is known before its end. */
  readonly isStreamed: boolean;
  /** Bytes of the body without pictures and documents, whose tokens their bytes do not tell. */
  readonly textBytes: number;
}

/** Who pays for a process's API requests just now. Asked before each request, told of each usage. Must not throw. */
export interface Payer {
  /**
   * A refusal's `message` is shown to the person as it stands. `pendingMicroUsd` is what this request and those under way may
   * cost together at most; 0 when none is under way. `wait`: it may begin once it is known what they cost.
   */
  readonly mayStart: (
    request: WireRequest,
    pendingMicroUsd: MicroUsd,
  ) => { readonly kind: "ok" | "wait" } | { readonly kind: "refuse"; readonly message: string };
  readonly onUsage: (usage: ApiUsage) => void;
}

/** A process's right to use the credential proxy and the network's filter. */
export interface ProxyLease {
  /** Random, per process: stands where the credential would stand, and is worth nothing elsewhere. */
  readonly token: string;
  /**
   * Null refuses every request: no turn is running. What the payer before has under way is cut, and by the time this returns it has
   * been told what that used.
   */
  readonly setPayer: (payer: Payer | null) => void;
  /** Who decides what the process may reach beside the API; null refuses everything: no turn is running. */
  readonly setNet: (policy: NetPolicy | null) => void;
  /** Waited for before each request of the process is passed on (see `JailedProcess.settle`). Must not reject. */
  readonly setBarrier: (barrier: () => Promise<void>) => void;
  readonly release: () => void;
}
