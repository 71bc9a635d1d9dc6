import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Transform } from "node:stream";
import { createGunzip } from "node:zlib";
import { extract, type Header } from "tar-stream";
import { ArchiveFault } from "./fault.ts";
import type { Entry, Inventory } from "./inventory.ts";
import { isVolumeLabel } from "./tar-label.ts";
import { writeFile, writeFolder } from "./write-entry.ts";

const BLOCK = 512;
/** What headers of all kinds may take: a fixed amount, and as much again for each entry. */
const HEADERS_BYTES = 1024 * 1024;
const HEADER_BYTES = 4096;
/** How pax headers of GNU tar tell that a file is a map of pieces and these pieces. */
const SPARSE = "GNU.sparse.";

interface UntarOptions {
  readonly isPacked: boolean;
  readonly target: string;
  readonly inventory: Inventory;
}

/** Unpacks a tar, or one packed by gzip, as it is read. */
export async function untar(file: string, { isPacked, target, inventory }: UntarOptions): Promise<void> {
  const { size } = await stat(file);
  const source = createReadStream(file);
  const gunzip = isPacked ? createGunzip() : null;
  const label = createLabelSkip();
  const meter = createMeter();
  const tar = extract();
  const streams = [source, ...(gunzip === null ? [] : [gunzip]), label, meter.stream];
  for (const stream of streams) stream.on("error", (error: Error) => tar.destroy(error));
  (gunzip === null ? source : source.pipe(gunzip)).pipe(label).pipe(meter.stream).pipe(tar);
  let first: unknown = null; // later ones say only that a stream was closed
  tar.on("error", (error) => {
    first ??= error;
  });
  try {
    for await (const entry of tar) {
      const { header } = entry;
      const told = describe(header);
      const path = inventory.claim(told);
      meter.begin();
      if (path !== null && told.kind === "folder") await writeFolder(target, path);
      if (path === null || told.kind !== "file") {
        // Read past, and counted all the same.
        for await (const piece of piecesOf(entry)) take(piece);
        continue;
      }
      await writeFile(target, path, { pieces: piecesOf(entry), take });
    }
  } catch (error) {
    throw first ?? error;
  } finally {
    for (const stream of streams) stream.destroy();
  }
  if (!meter.isWhole()) throw new ArchiveFault("truncated");

  function take(piece: Uint8Array): void {
    meter.note(piece.length);
    inventory.grow(piece.length, size);
  }
}

async function* piecesOf(entry: AsyncIterable<unknown>): AsyncGenerator<Uint8Array, void> {
  for await (const piece of entry) if (piece instanceof Uint8Array) yield piece;
}

function describe({ name, type, size, pax }: Header): Entry {
  if (Object.keys(pax ?? {}).some((key) => key.startsWith(SPARSE))) return { name, kind: "special" };
  // The reader gives what a folder bears to nobody, and would wait for somebody to take it.
  if (type === "directory" && size > 0) throw new ArchiveFault("lying", name);
  if (type === "directory" || (isFile(type) && name.endsWith("/"))) return { name, kind: "folder" };
  if (type === "link" || type === "symlink") return { name, kind: "link" };
  return { name, kind: isFile(type) ? "file" : "special" }; // also what the reader does not know
}

function isFile(type: Header["type"]): boolean {
  return type === "file" || type === "contiguous-file";
}

/** Leaves out the label of a volume, which GNU tar puts before everything else, in no format that the reader knows. */
function createLabelSkip(): Transform {
  let head: Buffer | null = Buffer.alloc(0);
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      if (head === null) return done(null, chunk);
      head = Buffer.concat([head, chunk]);
      if (head.length < BLOCK) return done();
      const rest = isVolumeLabel(head) ? head.subarray(BLOCK) : head;
      head = null;
      return done(null, rest);
    },
    flush: (done) => done(null, head),
  });
}

/** Watches the unpacked stream: that headers stay small beside what they describe, and that it ends as a tar does. */
function createMeter() {
  let raw = 0;
  let bodies = 0;
  let entries = 0;
  let tail = Buffer.alloc(0);
  const stream = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      raw += chunk.length;
      tail = Buffer.concat([tail, chunk.subarray(-2 * BLOCK)]).subarray(-2 * BLOCK);
      const headers = raw - bodies; // and what is on its way to be read
      done(headers > HEADERS_BYTES + HEADER_BYTES * entries ? new ArchiveFault("too_large") : null, chunk);
    },
  });
  return {
    stream,
    begin: (): void => {
      entries += 1;
    },
    note: (bytes: number): void => {
      bodies += bytes;
    },
    /** Two empty blocks end a tar (tar(5)). */
    isWhole: (): boolean =>
      raw % BLOCK === 0 && tail.length === 2 * BLOCK && tail.every((byte) => byte === 0),
  };
}
