import { crc32, deflateRawSync, gzipSync } from "node:zlib";

/** An entry of a zip, with all that its maker may lie about. */
export interface ZipEntry {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  readonly method?: number;
  readonly flags?: number;
  /** st_mode, for the external attributes. */
  readonly mode?: number;
  /** In place of the truth. */
  readonly uncompressedSize?: number;
  readonly crc?: number;
  readonly localName?: string | Buffer;
  /** Points at the data of the entry with that index. */
  readonly dataOf?: number;
}

export const DEFLATE = 8;

/** A zip, byte by byte (APPNOTE.TXT). */
export function zip(entries: readonly ZipEntry[], { comment = "", count = entries.length } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { method = 0, flags = 0x800, mode = 0o100644 } = entry;
    const name = Buffer.from(entry.name);
    const localName = Buffer.from(entry.localName ?? entry.name);
    const content = Buffer.from(entry.content ?? "");
    const data = method === DEFLATE ? deflateRawSync(content) : content;
    const crc = entry.crc ?? crc32(content);
    const size = entry.uncompressedSize ?? content.length;
    const shared = (bytes: Buffer) => {
      const head = Buffer.alloc(26);
      head.writeUInt16LE(20, 0);
      head.writeUInt16LE(flags, 2);
      head.writeUInt16LE(method, 4);
      head.writeUInt32LE(crc, 10);
      head.writeUInt32LE(data.length, 14);
      head.writeUInt32LE(size >>> 0, 18);
      head.writeUInt16LE(bytes.length, 22);
      return head;
    };
    const at = entry.dataOf === undefined ? offset : (offsets[entry.dataOf] ?? 0);
    offsets.push(at);
    if (entry.dataOf === undefined) {
      const local = Buffer.concat([Buffer.from("PK\x03\x04"), shared(localName), localName, data]);
      parts.push(local);
      offset += local.length;
    }
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((mode << 16) >>> 0, 6);
    rest.writeUInt32LE(at, 10);
    directory.push(
      Buffer.concat([Buffer.from("PK\x01\x02"), Buffer.from([20, 3]), shared(name), rest, name]),
    );
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(count, 4);
  end.writeUInt16LE(count, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  end.writeUInt16LE(comment.length, 16);
  return Buffer.concat([...parts, central, Buffer.from("PK\x05\x06"), end, Buffer.from(comment)]);
}

/** An entry of a tar. */
export interface TarEntry {
  readonly name: string;
  readonly content?: string | Buffer;
  /**
   * The type flag: "0" a file, "1" a hard link, "2" a symbolic one, "3" and "4" devices, "5" a folder, "6" a pipe, "x" pax, "V" the
   * label of a volume, for which GNU tar writes no `magic`.
   */
  readonly type?: string;
  readonly magic?: string;
  readonly linkname?: string;
  readonly mode?: number;
  /** In place of the truth. */
  readonly size?: number;
  readonly checksum?: number;
}

const BLOCK = 512;

/** A tar, byte by byte (tar(5), ustar). */
export function tar(entries: readonly TarEntry[], { hasEnd = true } = {}): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? "");
    const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
    return [header(entry, content.length), content, padding];
  });
  return Buffer.concat([...parts, ...(hasEnd ? [Buffer.alloc(2 * BLOCK)] : [])]);
}

export function tgz(entries: readonly TarEntry[]): Buffer {
  return gzipSync(tar(entries));
}

/** A record of a pax header: its length counts itself. */
export function pax(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + Buffer.byteLength(rest) !== length) length += 1;
  return `${length}${rest}`;
}

function header(entry: TarEntry, length: number): Buffer {
  const { name, type = "0", linkname = "", mode = 0o644, size = length, magic = "ustar\x0000" } = entry;
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100);
  block.write(`${mode.toString(8).padStart(7, "0")}\0`, 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  if (size > 0o77777777777) {
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(size), 128);
  } else block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  block.write("00000000000\0", 136);
  block.write("        ", 148);
  block.write(type, 156);
  block.write(linkname, 157, 100);
  block.write(magic, 257);
  const sum = entry.checksum ?? block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
