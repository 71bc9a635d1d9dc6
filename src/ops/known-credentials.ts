import type { LoadedConfig } from "../config/load.ts";
import type { Secrets } from "../config/secret.ts";
import type { Now } from "../domain/clock.ts";
import { homePaths } from "../store/home.ts";
import { seenCredentials } from "../store/seen-credentials.ts";
import { existingHomeKey } from "./home-key.ts";
import { daysBetween, fingerprintsBy } from "./note-credentials.ts";

/** A credential as this shell has it, beside what the daemon has seen; nothing of its value. */
export interface KnownCredential {
  readonly name: string;
  /** The file it comes from; null for the environment. */
  readonly file: string | null;
  /** Tells it from another value; null before the daemon's first start, which makes the key. */
  readonly fingerprint: string | null;
  /** `seen`: the value that the daemon last started with. `other`: not that value. `new`: none is known. */
  readonly kind: "seen" | "other" | "new";
  /** Of a seen one: when that was first, in milliseconds since the epoch, and how many days ago. */
  readonly since: number | null;
  readonly ageDays: number | null;
}

/** Compares the credentials with what the daemon has noted of them. Changes nothing: another shell's value is no rotation. */
export function knownCredentials(
  loaded: Pick<LoadedConfig, "digestsBy"> & { readonly secrets: Pick<Secrets, "named"> },
  home: string,
  now: Now,
): readonly KnownCredential[] {
  const paths = homePaths(home);
  const key = existingHomeKey(paths.settingsKey);
  const seen = seenCredentials(paths.database);
  const fingerprints = key === null ? null : fingerprintsBy(loaded, key);
  return loaded.secrets.named.map(({ name, file }) => {
    const whole = fingerprints?.whole(name) ?? null;
    const fingerprint = fingerprints?.shown(name) ?? null;
    const before = seen.get(name);
    if (before === undefined || whole === null)
      return { name, file, fingerprint, kind: "new", since: null, ageDays: null };
    if (before.fingerprint !== whole)
      return { name, file, fingerprint, kind: "other", since: null, ageDays: null };
    const { since } = before;
    return { name, file, fingerprint, kind: "seen", since, ageDays: daysBetween(since, now()) };
  });
}
