import type { ApprovedPath } from "../domain/approved-path.ts";
import { collectOutput } from "../jail/collect-output.ts";
import { GIT_ENV, type GitDeps } from "./git.ts";

/** A repository: a project, or a folder below one. */
export interface RepositoryPlace {
  readonly project: ApprovedPath;
  /** Relative to the project; `.` for the project itself. */
  readonly folder: string;
  /** Relative to the folder: `.` where that is git's own (a bare repository, a submodule's). */
  readonly gitDir: ".git" | ".";
}

/** How a history was read: whole, up to a bound, or not at all. */
export interface HistoryRead {
  readonly end: "whole" | "cut" | "unreadable";
  readonly bytes: number;
}

/** What an object is. A tree's content holds names, and the ids of what they name as bytes. */
export type ObjectKind = "blob" | "commit" | "tag" | "tree";

/** Takes the content of one object as it comes. */
export interface ObjectReader {
  readonly push: (piece: Buffer) => void;
  readonly end: () => void;
}

interface ReadOptions {
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** What takes an object. */
  readonly readerOf: (id: string, kind: ObjectKind) => ObjectReader;
}

const HEADER = /^([0-9a-f]{40}|[0-9a-f]{64}) (blob|commit|tag|tree) (\d{1,15})$/;
const MAX_HEADER = 120;
const LOCATE_MS = 60_000;
const LOCATE_BYTES = 262_144;

/**
 * Reads every object of a repository, reachable or not, past `readerOf`. git runs in a jail of its own (H18) and is given no
 * secret: what is looked for stays outside. Nothing is fetched; memory is bounded by a piece.
 */
export async function readObjects(
  deps: GitDeps,
  place: RepositoryPlace,
  { maxBytes, timeoutMs, readerOf }: ReadOptions,
): Promise<HistoryRead> {
  const jailed = await startGit(deps, place, [
    "cat-file",
    "--batch-all-objects",
    "--unordered",
    "--buffer",
    "--batch",
  ]);
  const timer = setTimeout(() => void jailed.kill(), timeoutMs);
  jailed.stdin.end();
  jailed.stderr.resume();
  const parser = createParser(readerOf);
  let bytes = 0;
  let isSound = true;
  let isCut = false;
  const pieces: AsyncIterable<Buffer> = jailed.stdout;
  for await (const piece of pieces) {
    if (!isSound || isCut) continue; // to the end, which the kill brings
    bytes += piece.length;
    isSound = parser.push(piece);
    isCut = bytes > maxBytes;
    if (!isSound || isCut) void jailed.kill();
  }
  const { code } = await jailed.exited;
  clearTimeout(timer);
  if (!isSound || (bytes === 0 && code !== 0)) return { end: "unreadable", bytes };
  return { end: isCut || code !== 0 || !parser.isBetween() ? "cut" : "whole", bytes };
}

/** The oldest commit, of those that a branch or tag leads to, in which an object comes or goes, and its path there; null for none. */
export async function locateObject(
  deps: GitDeps,
  place: RepositoryPlace,
  id: string,
): Promise<{ readonly commit: string; readonly path: string } | null> {
  const argv = [
    "-c",
    "core.quotePath=false", // a value in a name is hidden as it is known, not in another writing
    "log",
    "--all",
    `--find-object=${id}`,
    "--format=commit %H",
    "--name-only",
    "--no-show-signature",
    "-m",
  ];
  const jailed = await startGit(deps, place, argv);
  const { code, stdout } = await collectOutput(jailed, { timeoutMs: LOCATE_MS, maxBytes: LOCATE_BYTES });
  if (code !== 0) return null;
  const last = stdout.split(/^commit (?=[0-9a-f]{40})/m).at(-1) ?? "";
  const [commit = "", , path = ""] = last.split("\n");
  return /^[0-9a-f]{40,64}$/.test(commit) ? { commit, path } : null;
}

function startGit(
  { jail, configDir, apiSocket }: GitDeps,
  { project, folder, gitDir }: RepositoryPlace,
  argv: readonly string[],
) {
  const script = 'cd -- "$1" || exit 3; shift; exec git --no-pager "$@" 2>/dev/null';
  return jail.start({
    project,
    program: "/bin/sh",
    configDir,
    apiSocket,
    args: ({ project: inside }) => ["-c", script, "sh", `${inside}/${folder}`, ...argv],
    env: ({ path, home, tmp }) => ({
      ...GIT_ENV,
      // None of a folder above, and no work tree that a submodule's names and that is gone.
      GIT_DIR: gitDir,
      GIT_WORK_TREE: ".",
      GIT_NO_LAZY_FETCH: "1",
      PATH: path,
      HOME: home,
      TMPDIR: tmp,
    }),
  });
}

function isKind(type: string): type is ObjectKind {
  return type === "blob" || type === "commit" || type === "tag" || type === "tree";
}

/** Takes `git cat-file --batch` apart (git-cat-file(1), "BATCH OUTPUT"). `push` is false for what git would not print. */
function createParser(readerOf: ReadOptions["readerOf"]) {
  let header = "";
  let reader: ObjectReader | null = null;
  /** Bytes of the object still to come, and the newline after them. */
  let left = 0;

  function takeHeader(piece: Buffer): Buffer | null {
    const end = piece.indexOf(10);
    header += piece.subarray(0, end < 0 ? piece.length : end).toString("latin1");
    if (header.length > MAX_HEADER) return null;
    if (end < 0) return piece.subarray(piece.length);
    const [, id = "", type = "", size = ""] = HEADER.exec(header) ?? [];
    if (id === "") return null;
    header = "";
    left = Number(size) + 1;
    reader = isKind(type) ? readerOf(id, type) : null;
    return piece.subarray(end + 1);
  }

  return {
    push: (piece: Buffer): boolean => {
      let rest = piece;
      while (rest.length > 0) {
        if (left === 0) {
          const after = takeHeader(rest);
          if (after === null) return false;
          rest = after;
          continue;
        }
        const body = rest.subarray(0, Math.min(left - 1, rest.length));
        reader?.push(body);
        const taken = Math.min(left, rest.length);
        left -= taken;
        if (left === 0) reader?.end();
        rest = rest.subarray(taken);
      }
      return true;
    },
    /** True when no object is half read. */
    isBetween: (): boolean => left === 0 && header === "",
  };
}
