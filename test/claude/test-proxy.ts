import { type ClaudeCredential, createSecret } from "../../src/config/secret.ts";
import type { ProxyLease } from "../../src/domain/usage.ts";
import { createLeases } from "../../src/egress/leases.ts";
import { createPriceTable } from "../../src/egress/prices.ts";
import { createCredentialProxy } from "../../src/egress/proxy.ts";
import type { Logger } from "../../src/log/logger.ts";

/** The credential proxy, which counts its leases. */
export interface TestProxy {
  readonly openLease: () => ProxyLease;
  readonly openLeases: () => number;
  /** How many of them somebody pays for. */
  readonly paidLeases: () => number;
  readonly close: () => Promise<void>;
}

interface TestProxyDeps {
  readonly socketPath: string;
  readonly upstream: string;
  readonly auth: ClaudeCredential["kind"];
  readonly log: Logger;
}

/** Listens on a unix socket and forwards to `upstream`. */
export async function createTestProxy({
  socketPath,
  upstream,
  auth,
  log,
}: TestProxyDeps): Promise<TestProxy> {
  const leases = createLeases();
  const credential = { kind: auth, value: createSecret("the-real-credential") };
  const prices = createPriceTable();
  const proxy = await createCredentialProxy({
    socketPath,
    upstream,
    leases,
    credential,
    prices,
    log,
    now: Date.now,
  });
  const paid = new Map<ProxyLease, boolean>();
  return {
    openLease: () => {
      const lease = leases.open();
      const counted: ProxyLease = {
        ...lease,
        setPayer: (payer) => {
          if (paid.has(counted)) paid.set(counted, payer !== null);
          lease.setPayer(payer);
        },
        release: () => {
          paid.delete(counted);
          lease.release();
        },
      };
      paid.set(counted, false);
      return counted;
    },
    openLeases: () => paid.size,
    paidLeases: () => [...paid.values()].filter(Boolean).length,
    close: proxy.close,
  };
}
