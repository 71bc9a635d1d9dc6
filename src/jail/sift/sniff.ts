/** Says what a file of somebody else's is by its bytes. Run in a jail of its own; prints a `SniffReport`. */
import { open } from "node:fs/promises";
import { fileTypeFromBuffer } from "file-type";
import type { SniffReport } from "../../domain/unpack.ts";
import { PROGRAM_TYPES } from "../../domain/upload-types.ts";
import { isVolumeLabel } from "./tar-label.ts";

/** file-type wants no more for what it knows by a first look. */
const HEAD_BYTES = 4_100;
const PDF_WITHIN = 1_024;
/** White space of PDF (ISO 32000-1, 7.2.2), but for NUL. */
const BLANKS: ReadonlySet<number> = new Set([9, 10, 12, 13, 32]);
const PIECE_BYTES = 256 * 1024;
/** A zip's last record: its size without the comment, which has a length of 16 bits. */
const END_BYTES = 22;
const MAX_COMMENT = 0xffff;

/** First bytes of programs and of what systems load as such. MZ counts only in what is no text. */
const PROGRAMS: readonly (readonly number[])[] = [
  [0x7f, 0x45, 0x4c, 0x46],
  [0xfe, 0xed, 0xfa, 0xce],
  [0xfe, 0xed, 0xfa, 0xcf],
  [0xce, 0xfa, 0xed, 0xfe],
  [0xcf, 0xfa, 0xed, 0xfe],
  [0xca, 0xfe, 0xba, 0xbe],
  [0x00, 0x61, 0x73, 0x6d],
  [0x64, 0x65, 0x78, 0x0a],
  [0x21, 0x3c, 0x61, 0x72, 0x63, 0x68, 0x3e],
  [0x4d, 0x5a],
  [0x4c, 0x00, 0x00, 0x00, 0x01, 0x14, 0x02, 0x00],
];

/** Control characters that no text holds: all but backspace, those that move on, and escape. */
const NO_TEXT: ReadonlySet<number> = new Set(
  Array.from({ length: 32 }, (_, code) => code).filter((code) => (code < 8 || code > 13) && code !== 27),
).add(127);

async function sniff(path: string): Promise<SniffReport> {
  await using file = await open(path);
  const text = createTextCheck();
  let head = Buffer.alloc(0);
  let tail = Buffer.alloc(0);
  for await (const piece of file.createReadStream({ autoClose: false, highWaterMark: PIECE_BYTES })) {
    const chunk = Buffer.from(piece);
    text.add(chunk);
    if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk]).subarray(0, HEAD_BYTES);
    tail = Buffer.concat([tail, chunk]).subarray(-(END_BYTES + MAX_COMMENT));
  }
  const isText = text.isText();
  const found = await fileTypeFromBuffer(head).catch(() => undefined); // cut within what it wanted to look at
  const isProgram =
    !isText && (PROGRAMS.some((magic) => startsWith(head, magic)) || PROGRAM_TYPES.has(found?.ext ?? ""));
  return {
    extension: found?.ext ?? null,
    mime: found?.mime ?? null,
    container: containerOf(head),
    isText,
    isProgram,
    pdfAt: pdfAt(head.subarray(0, PDF_WITHIN)),
    endsAsZip: endsAsZip(tail),
  };
}

function startsWith(head: Buffer, magic: readonly number[]): boolean {
  return head.subarray(0, magic.length).equals(Buffer.from(magic));
}

/** Blanks before it are read over by whatever opens a PDF: it stands at the beginning all the same. */
function pdfAt(head: Buffer): number {
  const at = head.indexOf("%PDF-");
  return at > 0 && head.subarray(0, at).every((byte) => BLANKS.has(byte)) ? 0 : at;
}

function containerOf(head: Buffer): SniffReport["container"] {
  if (startsWith(head, [0x50, 0x4b, 0x03, 0x04]) || startsWith(head, [0x50, 0x4b, 0x05, 0x06])) return "zip";
  if (startsWith(head, [0x1f, 0x8b])) return "gzip";
  const header = head.subarray(isVolumeLabel(head) ? 512 : 0);
  return header.subarray(257, 262).toString("latin1") === "ustar" ? "tar" : null;
}

/** True when a zip's last record stands where readers look for it, whether or not something is behind its comment. */
function endsAsZip(tail: Buffer): boolean {
  for (
    let at = tail.lastIndexOf("PK\x05\x06");
    at >= 0;
    at = at === 0 ? -1 : tail.lastIndexOf("PK\x05\x06", at - 1)
  ) {
    if (at + END_BYTES <= tail.length && at + END_BYTES + tail.readUInt16LE(at + 20) <= tail.length)
      return true;
  }
  return false;
}

/** UTF-16 with its mark, or bytes among which is no control character but those of text: UTF-8, or an older encoding. */
function createTextCheck(): { readonly add: (chunk: Buffer) => void; readonly isText: () => boolean } {
  let wide: InstanceType<typeof TextDecoder> | null = null;
  let isFirst = true;
  let isText = true;

  const hasControls = (bytes: Uint8Array): boolean => bytes.some((byte) => NO_TEXT.has(byte));

  return {
    add: (chunk) => {
      if (!isText) return;
      if (isFirst && startsWith(chunk, [0xff, 0xfe])) wide = new TextDecoder("utf-16le", { fatal: true });
      if (isFirst && startsWith(chunk, [0xfe, 0xff])) wide = new TextDecoder("utf-16be", { fatal: true });
      isFirst = false;
      try {
        isText = !hasControls(wide === null ? chunk : Buffer.from(wide.decode(chunk, { stream: true })));
      } catch {
        isText = false; // no UTF-16, whatever its mark says
      }
    },
    isText: () => isText,
  };
}

const [path = ""] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await sniff(path)));
