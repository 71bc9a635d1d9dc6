import type { Surroundings } from "./environment.ts";
import { configError, type Fault } from "./faults.ts";
import { expandHome } from "./places.ts";
import { judgeExposures } from "./private-path.ts";
import { gatherSettings, type RawSettings } from "./raw.ts";
import { absolutePath } from "./values.ts";

const KEY = "SALLYPORT_HOME";
const STANDARD = "~/.sallyport";

/**
 * The home folder by the settings, for commands that need nothing else of them; it may not exist. Throws `config_invalid` with every
 * fault that could lead to another home than the daemon's: a settings file that cannot be read or that others may change, and what
 * is wrong in it where the environment does not name the home.
 */
export function homeOf(surroundings: Surroundings, envFile: string | null): string {
  const raw = gatherSettings(surroundings, envFile);
  const faults = faultsOfHome(raw, surroundings);
  if (faults.length > 0) throw configError(faults, [], raw.settingsFile ?? "no settings file");
  return homeIn(raw, surroundings);
}

/** The home folder as far as it can be known, for leaving a note about the faults themselves. */
export function likelyHomeOf(surroundings: Surroundings, envFile: string | null): string {
  return homeIn(gatherSettings(surroundings, envFile), surroundings);
}

function homeIn({ explicit }: RawSettings, { homeDir }: Surroundings): string {
  return expandHome(explicit[KEY] ?? STANDARD, homeDir);
}

function faultsOfHome(raw: RawSettings, { env, homeDir }: Surroundings): readonly Fault[] {
  const isNamed = (env[KEY] ?? "").trim() !== "";
  // Who can only read the file decides nothing, so that he is no fault here.
  const exposed = judgeExposures(raw.exposures, "development").faults;
  const ofFile = [...raw.faults, ...exposed].filter(({ key }) => !isNamed || key === "settings file");
  const home = absolutePath(homeDir).safeParse(raw.explicit[KEY] ?? STANDARD);
  const ofHome = (home.error?.issues ?? []).map(({ message }) => ({
    key: KEY,
    expected: message,
    got: "another text",
  }));
  return [...ofFile, ...ofHome];
}
