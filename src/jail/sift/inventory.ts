import { extensionOf } from "../../domain/file-name.ts";
import { foldPath } from "../../domain/fold-path.ts";
import type { IsSecret } from "../../domain/secret-files.ts";
import type { LeftOut, UnpackLimits, UnpackReport } from "../../domain/unpack.ts";
import { OTHER_ARCHIVES } from "../../domain/upload-types.ts";
import { readEntryName } from "./entry-name.ts";
import { ArchiveFault } from "./fault.ts";

/** An entry as its archive describes it. */
export interface Entry {
  readonly name: string;
  readonly kind: "file" | "folder" | "link" | "special";
}

/** Knows all entries of one archive so far. Everything but `report` throws `ArchiveFault`. */
export interface Inventory {
  /** Takes an entry in; gives the path to which it is to be written, or null when it is not to be. */
  readonly claim: (entry: Entry) => string | null;
  /** Adds what was written, or is about to be; `packedBytes` is the size of what it came from. */
  readonly grow: (bytes: number, packedBytes: number) => void;
  readonly report: () => UnpackReport;
}

/** What an editor, git, the CLI or a shell would run or obey. Folded names, at any depth. */
const SETTINGS: ReadonlySet<string> = new Set([
  ".git",
  ".gitmodules",
  ".claude",
  ".mcp.json",
  ".vscode",
  ".idea",
  ".husky",
  ".devcontainer",
  ".cursor",
  ".envrc",
]);
const ARCHIVES: ReadonlySet<string> = new Set(
  "zip tar tgz tar.gz jar war ear apk whl docx xlsx pptx odt epub".split(" ").concat(OTHER_ARCHIVES),
);
/** So many names are told. */
const MAX_TOLD = 5;

export function createInventory(limits: UnpackLimits, isSecret: IsSecret): Inventory {
  /** By folded path: how it is spelled, and what it is. */
  const known = new Map<string, { readonly path: string; readonly isFolder: boolean }>();
  const counts: Record<LeftOut, number> = { link: 0, secret: 0, settings: 0 };
  const leftOut: string[] = [];
  const nested: string[] = [];
  let nestedCount = 0;
  let files = 0;
  let bytes = 0;

  function put(path: string, isFolder: boolean, name: string): void {
    const folded = foldPath(path);
    const before = known.get(folded);
    if (before === undefined) {
      known.set(folded, { path, isFolder });
      if (known.size > limits.maxEntries) throw new ArchiveFault("too_many");
      return;
    }
    if (before.path === path && before.isFolder && isFolder) return;
    throw new ArchiveFault(
      before.path === path && !before.isFolder && !isFolder ? "duplicate" : "collides",
      name,
    );
  }

  function reasonOf({ kind }: Entry, path: string): LeftOut | null {
    if (kind === "link") return "link";
    const above = path.split("/").map((_, index, names) => names.slice(0, index + 1).join("/"));
    if (above.some((each) => SETTINGS.has(foldPath(each.slice(each.lastIndexOf("/") + 1)))))
      return "settings";
    return above.some((each) => isSecret(each) || isSecret(foldPath(each))) ? "secret" : null;
  }

  return {
    claim: (entry) => {
      const { name, kind } = entry;
      const read = readEntryName(name, limits);
      if (read.kind === "fault") throw new ArchiveFault(read.fault, name);
      if (kind === "special") throw new ArchiveFault("special", name);
      const { path } = read;
      if (path === "") {
        if (kind === "folder") return null;
        throw new ArchiveFault("bad_name", name);
      }
      for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1))
        put(path.slice(0, at), true, name);
      put(path, kind === "folder", name);
      const reason = reasonOf(entry, path);
      if (reason !== null) {
        counts[reason] += 1;
        if (leftOut.length < MAX_TOLD) leftOut.push(path);
        return null;
      }
      if (kind === "file") {
        files += 1;
        if (ARCHIVES.has(extensionOf(path))) {
          nestedCount += 1;
          if (nested.length < MAX_TOLD) nested.push(path);
        }
      }
      return path;
    },
    grow: (more, packedBytes) => {
      bytes += more;
      if (bytes > limits.maxBytes) throw new ArchiveFault("too_large");
      if (bytes > limits.ratioFromBytes && bytes > packedBytes * limits.maxRatio)
        throw new ArchiveFault("ratio");
    },
    report: () =>
      files === 0
        ? { kind: "refused", fault: "empty", path: null }
        : { kind: "unpacked", files, bytes, leftOut, counts, nested, nestedCount },
  };
}
