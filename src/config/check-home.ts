import { statSync } from "node:fs";
import { isErrno, messageOf } from "../domain/errors.ts";
import { quoted, type Remarks } from "./faults.ts";
import { isWithin, realPathOf } from "./places.ts";
import { type Exposure, exposuresAbove, exposuresOfFolder, judgeExposures } from "./private-path.ts";
import type { SoundSettings } from "./settings.ts";

const KEY = "SALLYPORT_HOME";
const NOTHING: Remarks = { faults: [], warnings: [] };

/** The program's own folder must be one, or not be there yet, and not be or hold the user's home. `home` is real; empty is passed over. */
export function checkHome(home: string, homeDir: string): Remarks {
  if (home === "") return NOTHING;
  const shown = quoted(home);
  if (isWithin(realPathOf(homeDir), home)) return fault("a folder of its own", shown);
  try {
    if (statSync(home).isDirectory()) return NOTHING;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return NOTHING; // made at the first start
    return fault("a folder within reach", messageOf(error));
  }
  return fault("a directory", `${shown}, which is none`);
}

function fault(expected: string, got: string): Remarks {
  return { faults: [{ key: KEY, expected, got }], warnings: [] };
}

/**
 * Who else gets at the home folder, the settings file and files that hold secrets. Without a known environment there is a fault
 * already; the mild rules then add no second one that may be none.
 */
export function checkPrivacy({
  settings,
  exposures,
  home,
  userId,
}: {
  readonly settings: SoundSettings;
  readonly exposures: readonly Exposure[];
  readonly home: string;
  readonly userId: number | null;
}): Remarks {
  const { SALLYPORT_HOME: path = "", ENVIRONMENT: environment = "development" } = settings;
  const own =
    path === ""
      ? []
      : [
          ...exposuresOfFolder({ key: KEY, path: home }, userId),
          ...exposuresAbove({ key: KEY, path }, userId),
        ];
  const each = new Map([...exposures, ...own].map((one) => [one.what, one]));
  return judgeExposures([...each.values()], environment);
}
