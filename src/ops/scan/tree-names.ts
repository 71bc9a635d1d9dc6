import type { ObjectReader } from "../../workspace/git-objects.ts";
import { createSearch, type Needles } from "./search.ts";

/** A name in a tree of a history, with the object that it names. */
export interface TreeEntry {
  readonly id: string;
  readonly name: string;
}

/** A larger tree is searched, but not taken apart. */
const MAX_TREE_BYTES = 8_388_608;

/**
 * Takes a tree of git, and tells at its end of each credential that stands in a name in it: by the entry, or null where the tree is
 * too large to be taken apart.
 */
export function createTreeReader(
  needles: Needles,
  idBytes: number,
  onHit: (credential: string, entry: TreeEntry | null) => void,
): ObjectReader {
  const search = createSearch(needles);
  const pieces: Buffer[] = [];
  let bytes = 0;
  return {
    push: (piece) => {
      search.push(piece);
      bytes += piece.length;
      if (bytes <= MAX_TREE_BYTES) pieces.push(Buffer.from(piece));
      else pieces.length = 0;
    },
    end: () => {
      const found = [...search.found().keys()];
      if (found.length === 0) return;
      if (bytes > MAX_TREE_BYTES) {
        for (const credential of found) onHit(credential, null);
        return;
      }
      for (const { id, name } of entriesOf(Buffer.concat(pieces), idBytes)) {
        const inName = createSearch(needles);
        inName.push(name);
        for (const credential of inName.found().keys()) onHit(credential, { id, name: name.toString() });
      }
    },
  };
}

/** Each is `<mode> <name>\0<id>`, the id in bytes. */
function* entriesOf(
  tree: Buffer,
  idBytes: number,
): Generator<{ readonly id: string; readonly name: Buffer }> {
  let at = 0;
  while (at < tree.length) {
    const space = tree.indexOf(32, at);
    const end = tree.indexOf(0, space);
    if (space < 0 || end < 0) return;
    yield { id: tree.toString("hex", end + 1, end + 1 + idBytes), name: tree.subarray(space + 1, end) };
    at = end + 1 + idBytes;
  }
}
