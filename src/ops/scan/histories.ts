import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import type { ApprovedPath } from "../../domain/approved-path.ts";
import { messageOf } from "../../domain/errors.ts";
import type { Jail } from "../../jail/jail.ts";
import { openJail } from "../../jail/open-jail.ts";
import { createPathJail } from "../../security/paths.ts";
import type { GitDeps } from "../../workspace/git.ts";
import {
  locateObject,
  type ObjectKind,
  type RepositoryPlace,
  readObjects,
} from "../../workspace/git-objects.ts";
import type { Leak, ScanPart } from "./leak.ts";
import { createSearch, type Needles } from "./search.ts";
import { untilSignal } from "./until-signal.ts";

interface HistoriesDeps {
  /** Folders that have a `.git`, absolute and real. */
  readonly repositories: readonly string[];
  readonly approvedDirectory: string;
  /** `SALLYPORT_HOME`, real. */
  readonly home: string;
  readonly needles: Needles;
  /** Of each repository. */
  readonly maxBytes: number;
}

/** An object in which a credential stands. */
interface Hit {
  readonly id: string;
  readonly kind: ObjectKind;
}

const TIMEOUT_MS = 600_000;
/** Objects of one repository that are told, for each credential. */
const MAX_OBJECTS = 5;
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
      nothingOf(`the git history of ${repository} was not looked through: ${messageOf(error)}`),
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

async function scanHistory(
  git: GitDeps,
  repository: string,
  { approvedDirectory, needles, maxBytes }: HistoriesDeps,
): Promise<ScanPart> {
  const place = await placeOf(repository, approvedDirectory);
  const hits = new Map<string, Hit[]>();
  let files = 0;
  const read = await readObjects(git, place, {
    maxBytes,
    timeoutMs: TIMEOUT_MS,
    readerOf: (id, kind) => {
      const search = createSearch(needles);
      return {
        push: search.push,
        end: () => {
          files += 1;
          for (const credential of search.found().keys())
            hits.set(credential, [...(hits.get(credential) ?? []), { id, kind }]);
        },
      };
    },
  });
  const leaks: Leak[] = [];
  const notes: string[] = [];
  for (const [credential, found] of hits) {
    for (const hit of found.slice(0, MAX_OBJECTS))
      leaks.push(await leakOf(git, place, { credential, repository, hit }));
    if (found.length > MAX_OBJECTS)
      notes.push(
        `${credential} stands in ${found.length} objects of ${repository}, of which ${MAX_OBJECTS} are told`,
      );
  }
  if (read.end === "unreadable") notes.push(`the git history of ${repository} could not be read`);
  if (read.end === "cut")
    notes.push(
      `the git history of ${repository} was looked through up to ${read.bytes} bytes only: --max-mb`,
    );
  return { leaks, files, bytes: read.bytes, notes };
}

async function leakOf(
  git: GitDeps,
  place: RepositoryPlace,
  {
    credential,
    repository,
    hit,
  }: { readonly credential: string; readonly repository: string; readonly hit: Hit },
): Promise<Leak> {
  const history = `the git history of ${repository}`;
  const { id, kind } = hit;
  if (kind === "commit") return { credential, place: `${history}, in the message of a commit`, commit: id };
  const found = await locateObject(git, place, id);
  if (found === null)
    return { credential, place: `${history}, in the object ${id}, which no commit of a branch has` };
  return { credential, place: history, commit: found.commit, path: found.path };
}

/** A repository below the approved directory lies in the project that holds it; the program's own checkout is a project of its parent. */
async function placeOf(repository: string, approvedDirectory: string): Promise<RepositoryPlace> {
  const below = relative(approvedDirectory, repository);
  const isBelow = below !== "" && !below.startsWith("..");
  const [root, name] = isBelow
    ? [approvedDirectory, below.split("/")[0] ?? ""]
    : [dirname(repository), basename(repository)];
  const project: ApprovedPath = await (await createPathJail(root)).resolveProjectName(name);
  return { project, folder: relative(project, repository) || "." };
}
