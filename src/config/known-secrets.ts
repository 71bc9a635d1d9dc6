import type { Surroundings } from "./environment.ts";
import { gitTokenKey } from "./git-token.ts";
import { gatherSettings } from "./raw.ts";
import { SECRET_KEYS } from "./settings.ts";

/** The secrets that the settings hold, in clear, for commands that must not show them; none that cannot be read. */
export function knownSecrets(surroundings: Surroundings, envFile: string | null): readonly string[] {
  const { explicit, tracked } = gatherSettings(surroundings, envFile);
  const isSecret = (key: string): boolean =>
    SECRET_KEYS.some((name) => name === key) || gitTokenKey(key) === key;
  const own = Object.entries(explicit).flatMap(([key, value]) => (isSecret(key) ? [value] : []));
  return [...own, ...Object.values(tracked)];
}
