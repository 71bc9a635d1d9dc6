import type { LoadedConfig } from "../config/load.ts";
import type { AuditEvent } from "../domain/audit-event.ts";
import type { Store } from "../store/store.ts";
import type { HomeKey } from "./home-key.ts";

interface NoteDeps {
  readonly store: Pick<Store, "facts" | "transaction">;
  readonly digestsBy: LoadedConfig["digestsBy"];
  readonly key: HomeKey;
  readonly record: (event: AuditEvent) => void;
}

const FACT = "settings.digests";

/**
 * Puts on record which settings are not those of the last start, by name. What is kept of them are digests under a key of the
 * home folder, so that the database and its copies tell nothing of a value. The first start, and one after the key was lost, has
 * nothing to compare with.
 */
export function noteSettings({ store, digestsBy, key, record }: NoteDeps): void {
  const now = digestsBy(key.text);
  const text = store.facts.get(FACT);
  const last: Readonly<Record<string, string>> | null = text === null || key.isNew ? null : JSON.parse(text);
  const names = [...new Set([...Object.keys(now), ...Object.keys(last ?? {})])].sort();
  const keys = last === null ? [] : names.filter((name) => now[name] !== last[name]);
  if (last !== null && keys.length === 0) return;
  store.transaction(() => {
    store.facts.set(FACT, JSON.stringify(now));
    if (keys.length > 0) record({ type: "config.changed", keys });
  });
}
