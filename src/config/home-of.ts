import type { Surroundings } from "./environment.ts";
import { expandHome } from "./places.ts";
import { gatherSettings } from "./raw.ts";

/** The home folder by the settings, for commands that need nothing else of them. Not checked, may not exist. */
export function homeOf(surroundings: Surroundings, envFile: string | null): string {
  const { explicit } = gatherSettings(surroundings, envFile);
  return expandHome(explicit.SALLYPORT_HOME ?? "~/.sallyport", surroundings.homeDir);
}
