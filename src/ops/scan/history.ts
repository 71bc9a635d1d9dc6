import { basename, dirname, relative } from "node:path";
import type { ApprovedPath } from "../../domain/approved-path.ts";
import { createPathJail } from "../../security/paths.ts";
import type { GitDeps } from "../../workspace/git.ts";
import {
  locateObject,
  type ObjectKind,
  type RepositoryPlace,
  readObjects,
} from "../../workspace/git-objects.ts";
import type { Leak, ScanPart } from "./leak.ts";
import { borrowsElsewhere, type Repository } from "./repositories.ts";
import { createSearch, type Needles } from "./search.ts";
import { createTreeReader, type TreeEntry } from "./tree-names.ts";

/** What a history is looked through with. */
export interface HistoryDeps {
  readonly approvedDirectory: string;
  readonly needles: Needles;
  /** Of each repository. */
  readonly maxBytes: number;
}

/** An object in which a credential stands, or a name in a tree; null for a name in a tree that is too large. */
type Hit =
  | { readonly in: "content"; readonly id: string; readonly kind: ObjectKind }
  | { readonly in: "name"; readonly tree: string; readonly entry: TreeEntry | null };

const TIMEOUT_MS = 600_000;
/** Objects and names of one repository that are told, for each credential. */
const MAX_HITS = 5;

/** Looks through the history of one repository: every object, and the names in its trees. */
export async function scanHistory(
  git: GitDeps,
  repository: Repository,
  { approvedDirectory, needles, maxBytes }: HistoryDeps,
): Promise<ScanPart> {
  const place = await placeOf(repository, approvedDirectory);
  const history = `the git history of ${repository.folder}`;
  const hits = createHits(needles);
  const read = await readObjects(git, place, { maxBytes, timeoutMs: TIMEOUT_MS, readerOf: hits.readerOf });
  const leaks: Leak[] = [];
  const notes: string[] = [];
  for (const [credential, found] of hits.found()) {
    for (const hit of found.slice(0, MAX_HITS)) {
      const { within, ...where } = await whereIs(git, place, hit);
      leaks.push({ credential, place: history + within, ...where });
    }
    if (found.length > MAX_HITS)
      notes.push(
        `${credential} stands in ${found.length} objects of ${repository.folder}, of which ${MAX_HITS} are told`,
      );
  }
  if (read.end === "unreadable") notes.push(`${history} could not be read`);
  if (read.end === "cut")
    notes.push(`${history} was looked through up to ${read.bytes} bytes only: --max-mb`);
  if (await borrowsElsewhere(repository, place.project))
    notes.push(
      `${history} was not wholly looked through: it takes objects from elsewhere (objects/info/alternates)`,
    );
  return { leaks, files: hits.count(), bytes: read.bytes, notes };
}

/** Collects what is found. A name is taken once, in whichever trees it stands. */
function createHits(needles: Needles) {
  const found = new Map<string, Hit[]>();
  const names = new Set<string>();
  let count = 0;
  const add = (credential: string, hit: Hit): void =>
    void found.set(credential, [...(found.get(credential) ?? []), hit]);

  function ofTree(id: string) {
    return createTreeReader(needles, id.length / 2, (credential, entry) => {
      const key = JSON.stringify([credential, entry?.name ?? null]);
      if (!names.has(key)) add(credential, { in: "name", tree: id, entry });
      names.add(key);
    });
  }

  function ofContent(id: string, kind: ObjectKind) {
    const search = createSearch(needles);
    return {
      push: search.push,
      end: () => {
        count += 1;
        for (const credential of search.found().keys()) add(credential, { in: "content", id, kind });
      },
    };
  }

  return {
    readerOf: (id: string, kind: ObjectKind) => (kind === "tree" ? ofTree(id) : ofContent(id, kind)),
    found: (): ReadonlyMap<string, readonly Hit[]> => found,
    count: () => count,
  };
}

/** Where in the history: `within` is what follows its name. */
async function whereIs(git: GitDeps, place: RepositoryPlace, hit: Hit) {
  if (hit.in === "name") {
    const { tree, entry } = hit;
    const named = entry === null ? null : await locateObject(git, place, entry.id);
    // The same content may have come with another name before.
    return named !== null && basename(named.path) === entry?.name
      ? { within: ", in the name of a file", ...named }
      : { within: `, in the name of a file of the tree ${tree}` };
  }
  const { id, kind } = hit;
  if (kind === "commit") return { within: ", in the message of a commit", commit: id };
  const found = await locateObject(git, place, id);
  return found === null
    ? { within: `, in the object ${id}, which no commit of a branch has` }
    : { within: "", ...found };
}

/** A repository below the approved directory lies in the project that holds it; the program's own checkout is a project of its parent. */
async function placeOf({ folder, gitDir }: Repository, approvedDirectory: string): Promise<RepositoryPlace> {
  const below = relative(approvedDirectory, folder);
  const isBelow = below !== "" && !below.startsWith("..");
  const [root, name] = isBelow
    ? [approvedDirectory, below.split("/")[0] ?? ""]
    : [dirname(folder), basename(folder)];
  const project: ApprovedPath = await (await createPathJail(root)).resolveProjectName(name);
  return { project, folder: relative(project, folder) || ".", gitDir };
}
