import { createHash } from "node:crypto";
import type { LoadedConfig } from "../config/load.ts";
import type { Secrets } from "../config/secret.ts";
import type { AuditEvent } from "../domain/audit-event.ts";
import type { Now } from "../domain/clock.ts";
import type { Store } from "../store/store.ts";

const DAY_MS = 86_400_000;
const SHOWN_SIGNS = 8;

interface NoteDeps {
  readonly store: Pick<Store, "credentials" | "transaction">;
  readonly loaded: Pick<LoadedConfig, "digestsBy"> & { readonly secrets: Pick<Secrets, "named"> };
  /** The key of the home folder. */
  readonly key: string;
  readonly record: (event: AuditEvent) => void;
  readonly now: Now;
}

/**
 * Notes which credentials are in use, gives their names, and puts on record which have another value than when they were last seen: with that
 * their age begins anew. Kept are digests under the home folder's key; when that was lost, ages go on and nothing is claimed.
 */
export function noteCredentials({ store, loaded, key, record, now }: NoteDeps): readonly string[] {
  const { keyId, whole } = fingerprintsBy(loaded, key);
  const names = loaded.secrets.named.map(({ name }) => name);
  store.transaction(() => {
    for (const name of names) note(name, whole(name));
  });
  return names;

  function note(name: string, fingerprint: string): void {
    const before = store.credentials.find(name);
    if (before?.fingerprint === fingerprint) return;
    if (before !== null && !before.fingerprint.startsWith(`${keyId}:`)) {
      store.credentials.renew(name, fingerprint);
      return;
    }
    store.credentials.begin(name, fingerprint);
    if (before !== null)
      record({ type: "credential.changed", name, ageDays: daysBetween(before.since, now()) });
  }
}

/** Fingerprints under a key: whole, with what tells the key from another, and as much as is shown. */
export function fingerprintsBy({ digestsBy }: Pick<LoadedConfig, "digestsBy">, key: string) {
  const digests = digestsBy(key);
  const keyId = createHash("sha256").update(`key ${key}`).digest("hex").slice(0, SHOWN_SIGNS);
  return {
    keyId,
    whole: (name: string): string => `${keyId}:${digests[name] ?? ""}`,
    shown: (name: string): string => (digests[name] ?? "").slice(0, SHOWN_SIGNS),
  };
}

/** Whole days; none when the clock was set back. */
export function daysBetween(from: number, to: number): number {
  return Math.max(0, Math.floor((to - from) / DAY_MS));
}
