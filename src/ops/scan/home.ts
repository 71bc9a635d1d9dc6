import { homePaths } from "../../store/home.ts";
import { textsOf, textsOfCopy } from "../../store/texts.ts";
import { scanDatabase } from "./database.ts";
import { scanFiles } from "./files.ts";
import type { Leak, ScanPart } from "./leak.ts";
import type { Needles } from "./search.ts";

interface HomeDeps {
  /** `SALLYPORT_HOME`, real. */
  readonly home: string;
  /** True for the files that credentials are to stand in. */
  readonly isOwn: (path: string) => boolean;
  readonly needles: Needles;
  readonly maxBytes: number;
}

interface HomePart extends ScanPart {
  /** False when the database is there and was not read to its end. */
  readonly isDatabaseRead: boolean;
}

/**
 * Looks through the home folder: its database and the copies of it by what they say, since SQLite cuts a long value to pieces, and
 * every file by its bytes. A database that jailed programs could write is not opened: that one is bytes alone.
 */
export async function scanHome({ home, isOwn, needles, maxBytes }: HomeDeps): Promise<HomePart> {
  const { database, run, jail, claude, quarantine, caches, uploads } = homePaths(home);
  const foreign = [jail, claude, quarantine, caches, uploads].map((folder) => `${folder}/`);
  const stored = scanDatabase(textsOf(database), "the database", needles);
  const copies: string[] = [];
  const files = await scanFiles({
    roots: [home],
    isLeftOut: (path) => isOwn(path) || path === run,
    needles,
    maxBytes,
    onDatabase: (path) => {
      if (path !== database && !foreign.some((folder) => path.startsWith(folder))) copies.push(path);
    },
  });

  const leaks: Leak[] = [...stored.leaks];
  const notes: string[] = [...files.notes];
  let bytes = stored.bytes + files.bytes;
  const told = new Map([[database, namesOf(stored.leaks)]]);
  if (stored.fault !== null)
    notes.push(
      `the database ${database} was not looked through to its end, but by its bytes: ${stored.fault}`,
    );
  for (const copy of copies) {
    const read = scanDatabase(textsOfCopy(copy), copy, needles);
    leaks.push(...read.leaks);
    bytes += read.bytes;
    told.set(copy, namesOf(read.leaks));
    if (read.fault !== null)
      notes.push(`${copy} was not looked through to its end as a database, but by its bytes: ${read.fault}`);
  }
  // The bytes of a database's file say nothing new of what stands in its tables.
  const isNew = ({ place, credential }: Leak): boolean =>
    told.get(place.replace(/-(wal|shm)$/, ""))?.has(credential) !== true;
  leaks.push(...files.leaks.filter(isNew).map(withoutLine));
  return { leaks, files: files.files, bytes, notes, isDatabaseRead: stored.fault === null };
}

function namesOf(leaks: readonly Leak[]): ReadonlySet<string> {
  return new Set(leaks.map(({ credential }) => credential));
}

/** A database has no lines. */
function withoutLine(leak: Leak): Leak {
  if (!/\.db(\.replaced-[^/]*)?(-wal|-shm)?$/.test(leak.place)) return leak;
  const { line: _line, ...rest } = leak;
  return rest;
}
