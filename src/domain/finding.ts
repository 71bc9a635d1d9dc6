/** What a thing of a project makes run: git obeys a `repository` and a `link` to one, other tools `settings`. */
export type FindingKind = "repository" | "link" | "settings";

/** Something in a project that git or a tool of the owner's would obey. */
export interface ProjectEntry {
  readonly kind: FindingKind;
  /** Below the project, with `/`; every character stands for one byte of the name, which need not be UTF-8. */
  readonly path: string;
  /** The inode; null where another file in its place means the same. */
  readonly ino: string | null;
}

/** A path of `ProjectEntry` as people read it; bytes that are no UTF-8 show as U+FFFD. */
export function textOfPath(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}
