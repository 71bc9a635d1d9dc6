import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../domain/errors.ts";
import type { Jail } from "../../jail/jail.ts";
import { openJail } from "../../jail/open-jail.ts";
import type { GitDeps } from "../../workspace/git.ts";
import { type HistoryDeps, scanHistory } from "./history.ts";
import type { ScanPart } from "./leak.ts";
import type { Repository } from "./repositories.ts";
import { untilSignal } from "./until-signal.ts";

interface HistoriesDeps extends HistoryDeps {
  readonly repositories: readonly Repository[];
  /** `SALLYPORT_HOME`, real. */
  readonly home: string;
}

const silent = { info: () => undefined, warn: () => undefined };

/**
 * Looks through the histories of repositories. git runs only in jails, in a folder of its own (in the home folder, once there is one), so that a
 * running daemon is not disturbed; where there is no sandbox, none is looked through, and that is told.
 */
export async function scanHistories(deps: HistoriesDeps): Promise<ScanPart> {
  if (deps.repositories.length === 0) return { leaks: [], files: 0, bytes: 0, notes: [] };
  const parts = await untilSignal((signal) => scanEach(deps, signal));
  return {
    leaks: parts.flatMap(({ leaks }) => leaks),
    files: parts.reduce((sum, { files }) => sum + files, 0),
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    notes: parts.flatMap(({ notes }) => notes),
  };
}

/** Aborted, it ends its jails, puts its folder away and rejects. */
async function scanEach(deps: HistoriesDeps, signal: AbortSignal): Promise<readonly ScanPart[]> {
  const parts: ScanPart[] = [];
  await using scope = new AsyncDisposableStack();
  const git = await openGit(scope, deps.home).catch((error: unknown) => messageOf(error));
  if (typeof git === "string") return [nothingOf(`no git history was looked through: ${git}`)];
  signal.addEventListener("abort", () => void git.jail.close());
  for (const repository of deps.repositories) {
    signal.throwIfAborted();
    const part = await scanHistory(git, repository, deps).catch((error: unknown) =>
      nothingOf(`the git history of ${repository.folder} was not looked through: ${messageOf(error)}`),
    );
    parts.push(part);
  }
  signal.throwIfAborted();
  return parts;
}

function nothingOf(note: string): ScanPart {
  return { leaks: [], files: 0, bytes: 0, notes: [note] };
}

async function openGit(
  scope: AsyncDisposableStack,
  home: string,
): Promise<GitDeps & { readonly jail: Jail }> {
  const place = await realpath(home).catch(() => realpath(tmpdir())); // not there before the first start
  const folder = await mkdtemp(join(place, "scan-"));
  scope.defer(() => rm(folder, { recursive: true, force: true }));
  const configDir = join(folder, "config");
  await mkdir(configDir, { mode: 0o700 });
  const jail: Jail = await openJail({
    sandbox: "require",
    platform: process.platform,
    scratchDir: join(folder, "jail"),
    log: silent,
  });
  scope.defer(() => jail.close());
  const apiSocket = join(folder, "api.sock");
  const server = createServer((socket) => socket.destroy()); // a jail wants one; nothing is to be had from it
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(apiSocket, resolve));
  scope.defer(() => void server.close());
  return { jail, configDir, apiSocket };
}
