import { AppError } from "../domain/errors.ts";
import type { JailLog } from "./jail.ts";
import { findSystemProgram } from "./open-jail.ts";
import { runToEnd } from "./spawn.ts";

const APT_TIMEOUT_MS = 300_000;
const MEND = "Install it: sudo apt-get install -y bubblewrap";

/** What decides about installing. `find` gives a system program's path or null. */
export interface SystemPackagesDeps {
  readonly platform: NodeJS.Platform;
  readonly isRoot: boolean;
  readonly log: JailLog;
  readonly find?: (name: string) => Promise<string | null>;
  readonly run?: typeof runToEnd;
}

/**
 * Sees to it that the Linux sandbox's package is there: installs it by apt-get when root. Does nothing on other systems,
 * or when it is there. Only for tests and the demo; a daemon installs nothing.
 * @throws AppError `sandbox_missing` with the line to run.
 */
export async function ensureSystemPackages(deps: SystemPackagesDeps): Promise<void> {
  const { platform, isRoot, log, find = findSystemProgram, run = runToEnd } = deps;
  if (platform !== "linux" || (await find("bwrap")) !== null) return;
  const apt = await find("apt-get");
  if (apt === null)
    throw new AppError(
      "sandbox_missing",
      "The sandbox needs bubblewrap: install it with your system's package manager",
    );
  if (!isRoot) throw new AppError("sandbox_missing", MEND);

  log.info({ event: "jail.installing", package: "bubblewrap" }, "installing bubblewrap");
  const options = {
    timeoutMs: APT_TIMEOUT_MS,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", DEBIAN_FRONTEND: "noninteractive" },
  };
  const update = await run(apt, ["update"], options);
  const install = await run(apt, ["install", "-y", "--no-install-recommends", "bubblewrap"], options);
  if (install.code === 0 && (await find("bwrap")) !== null) return;
  const words = `${update.code === 0 ? "" : update.stderr}${install.stderr}`.trim();
  throw new AppError("sandbox_missing", `bubblewrap could not be installed: ${words}. ${MEND}`);
}
