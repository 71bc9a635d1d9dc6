import { isUtf8 } from "node:buffer";
import { crc32 } from "node:zlib";
import { getFileNameLowLevel, openPromise, type Entry as ZipEntry, type ZipFile } from "yauzl";
import { ArchiveFault } from "./fault.ts";
import type { Entry, Inventory } from "./inventory.ts";
import { writeFile, writeFolder } from "./write-entry.ts";

const STORED = 0;
const DEFLATED = 8;
/** Bits of the general purpose flag: encrypted, sizes follow the data, strong encryption, masked headers. */
const ENCRYPTED = 0x0001 | 0x0040 | 0x2000;
const SIZES_FOLLOW = 0x0008;
/** The name is UTF-8 (APPNOTE.TXT, appendix D). Makers on Linux and macOS leave it out of names that are. */
const UTF8 = 0x0800;
/** Before an entry's name in its local header (APPNOTE.TXT 4.3.7). */
const LOCAL_HEADER_BYTES = 30;

/** st_mode of stat(2), in the upper half of the external attributes. */
const MODE = { type: 0o170000, file: 0o100000, folder: 0o040000, link: 0o120000 } as const;

/** An entry that is to be written, where to. */
interface Wanted {
  readonly entry: ZipEntry;
  readonly path: string;
}

/** Unpacks a zip. The whole directory is checked before a byte is written, and each entry again against its own header. */
export async function unzip(file: string, target: string, inventory: Inventory): Promise<void> {
  const zip = await openPromise(file, { autoClose: false, decodeStrings: false, validateEntrySizes: true });
  try {
    const entries: ZipEntry[] = [];
    const wanted: Wanted[] = [];
    for await (const entry of zip.eachEntry()) {
      const told = describe(entry);
      const path = inventory.claim(told);
      assertReadable(entry, told.name);
      entries.push(entry);
      if (path !== null && told.kind === "folder") await writeFolder(target, path);
      else if (path !== null) wanted.push({ entry, path });
    }
    assertApart(entries, zip.fileSize);
    for (const each of wanted) await extract(zip, each, { target, inventory });
  } finally {
    zip.close();
  }
}

function describe(entry: ZipEntry): Entry {
  const { generalPurposeBitFlag: flags, fileNameRaw, extraFields } = entry;
  const readAs = isUtf8(fileNameRaw) ? flags | UTF8 : flags;
  const name = getFileNameLowLevel(readAs, fileNameRaw, [...extraFields], true);
  const type = (entry.externalFileAttributes >>> 16) & MODE.type;
  if (type === MODE.link) return { name, kind: "link" };
  if (type !== 0 && type !== MODE.file && type !== MODE.folder) return { name, kind: "special" };
  const isFolder = name.endsWith("/");
  if (type !== 0 && isFolder !== (type === MODE.folder)) throw new ArchiveFault("lying", name);
  return { name, kind: isFolder ? "folder" : "file" };
}

function assertReadable(entry: ZipEntry, name: string): void {
  if ((entry.generalPurposeBitFlag & ENCRYPTED) !== 0) throw new ArchiveFault("encrypted", name);
  const { compressionMethod: method } = entry;
  if (method !== STORED && method !== DEFLATED) throw new ArchiveFault("method", name);
}

/** No two entries may be made of the same bytes, which is how a small file becomes petabytes. */
function assertApart(entries: readonly ZipEntry[], fileSize: number): void {
  const spans = entries
    .map(({ relativeOffsetOfLocalHeader: from, compressedSize, fileNameLength }) => ({
      from,
      to: from + LOCAL_HEADER_BYTES + fileNameLength + compressedSize,
    }))
    .sort((a, b) => a.from - b.from);
  for (const [index, { to }] of spans.entries()) {
    if (to > (spans[index + 1]?.from ?? fileSize)) throw new ArchiveFault("overlap");
  }
}

async function extract(
  zip: ZipFile,
  { entry, path }: Wanted,
  { target, inventory }: { readonly target: string; readonly inventory: Inventory },
): Promise<void> {
  const local = await zip.readLocalFileHeaderPromise(entry);
  const isSame =
    local.fileName.equals(entry.fileNameRaw) &&
    local.compressionMethod === entry.compressionMethod &&
    (local.generalPurposeBitFlag & ENCRYPTED) === 0;
  const hasSizes =
    (local.generalPurposeBitFlag & SIZES_FOLLOW) === 0 && local.uncompressedSize !== 0xffffffff;
  if (!isSame || (hasSizes && local.uncompressedSize !== entry.uncompressedSize))
    throw new ArchiveFault("lying", path);
  let sum = 0;
  let bytes = 0;
  const pieces = await zip.openReadStreamPromise(entry);
  try {
    await writeFile(target, path, {
      pieces,
      take: (piece) => {
        bytes += piece.length;
        if (bytes > entry.uncompressedSize) throw new ArchiveFault("lying", path);
        inventory.grow(piece.length, zip.fileSize);
        sum = crc32(piece, sum);
      },
    });
  } finally {
    pieces.destroy();
  }
  if (sum !== entry.crc32 || bytes !== entry.uncompressedSize) throw new ArchiveFault("lying", path);
}
