import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { AppError, messageOf } from "../domain/errors.ts";

/** Where the daemon keeps what it needs. */
export interface Home {
  readonly database: string;
  /** Sockets of the running daemon. */
  readonly run: string;
  /** The jail's scratch folder. */
  readonly jail: string;
  /** The CLI's folders, one for each person and project. */
  readonly claude: string;
  /** What was taken out of projects. */
  readonly quarantine: string;
  /** Caches of package managers, one for each person and project. */
  readonly caches: string;
  /** Files that people sent, a folder for each person and project. */
  readonly uploads: string;
  /** Copies of the database. */
  readonly backups: string;
  /** The key by which the settings of two starts are compared; in no copy of the database. */
  readonly settingsKey: string;
}

/** Where things are in a home folder; touches nothing. */
export function homePaths(home: string): Home {
  return {
    database: join(home, "sallyport.db"),
    run: join(home, "run"),
    jail: join(home, "jail"),
    claude: join(home, "claude"),
    quarantine: join(home, "quarantine"),
    caches: join(home, "cache"),
    uploads: join(home, "uploads"),
    backups: join(home, "backups"),
    settingsKey: join(home, "settings.key"),
  };
}

/** Makes the home folder and its parts, for its owner's eyes only (0700). Throws `store_failed`. */
export function prepareHome(home: string): Home {
  const paths = homePaths(home);
  try {
    for (const folder of [
      home,
      paths.run,
      paths.jail,
      paths.claude,
      paths.quarantine,
      paths.caches,
      paths.uploads,
      paths.backups,
    ]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      chmodSync(folder, 0o700);
    }
  } catch (cause) {
    throw new AppError("store_failed", `SALLYPORT_HOME ${home} cannot be made private: ${messageOf(cause)}`, {
      cause,
    });
  }
  return paths;
}
