import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { UnpackFault, UnpackLimits } from "../../src/domain/unpack.ts";
import { DEFLATE, pax, type TarEntry, tar, tgz, type ZipEntry, zip } from "../support/archives.ts";

/** An archive of which nothing may be left, and the nearest one to it that is unpacked. */
export interface Hostile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly container: "zip" | "gzip" | "tar";
  readonly fault: UnpackFault;
  readonly limits?: Partial<UnpackLimits>;
  /** Shows that it is refused for that and for nothing else. */
  readonly control: Buffer;
  readonly controlLimits?: Partial<UnpackLimits>;
}

const MIB = 1024 * 1024;
const file = (name: string, content = "x"): ZipEntry & TarEntry => ({ name, content });
const plainZip = zip([file("a/b.txt"), file("c.txt")]);
const plainTar = tar([file("a/b.txt"), file("c.txt")]);
const nested = (depth: number): string => `${Array.from({ length: depth }, () => "d").join("/")}/f`;

/** A name of a file that must not be taken, in either kind of archive. */
function names(name: string, fault: UnpackFault, isInTar = true): readonly Hostile[] {
  const inZip = { bytes: zip([file("ok.txt"), file(name)]), container: "zip", control: plainZip } as const;
  const inTar = { bytes: tar([file("ok.txt"), file(name)]), container: "tar", control: plainTar } as const;
  const label = JSON.stringify(name);
  return [
    { ...inZip, fault, name: `the name ${label} in a zip` },
    ...(isInTar ? [{ ...inTar, fault, name: `the name ${label} in a tar` }] : []),
  ];
}

/** Two names that some disk takes for one, or of which one is a file and a folder. */
function pairs(one: string, other: string, fault: UnpackFault): Hostile {
  return {
    name: `${JSON.stringify(one)} beside ${JSON.stringify(other)}`,
    bytes: zip([file(one), file(other)]),
    container: "zip",
    fault,
    control: zip([file(one)]),
  };
}

export const HOSTILE: readonly Hostile[] = [
  ...names("../up.txt", "dot_dot"),
  ...names("a/../../up.txt", "dot_dot"),
  ...names("/etc/cron.d/x", "absolute"),
  ...names("C:/Windows/x", "absolute"),
  ...names("C:\\Windows\\x", "absolute"),
  ...names("..\\up.txt", "backslash"),
  ...names("dev\\x2duuid.swap", "backslash"),
  // What stands behind marks that nobody sees is judged without them.
  ...names(".\u200D./up.txt", "dot_dot"),
  ...names("a/\u200F..\u200E/../up.txt", "dot_dot"),
  ...names("\uFEFF/etc/cron.d/x", "absolute"),
  ...names("C\u200B:/Windows/x", "absolute"),
  ...names("\u200E", "bad_name"),
  ...names("\u{E0061}.txt", "bad_name"),
  ...names("\u2066a.txt", "bad_name"),
  ...names("a\0.txt", "bad_name", false),
  ...names("a\nb.txt", "bad_name"),
  ...names("\u202Egpj.exe", "bad_name"),
  ...names("n".repeat(256), "long_name", false),
  {
    name: "a path of 1,001 bytes",
    bytes: zip([file(Array.from({ length: 6 }, () => "p".repeat(167)).join("/"))]),
    container: "zip",
    fault: "long_name",
    control: zip([file(Array.from({ length: 6 }, () => "p".repeat(160)).join("/"))]),
  },
  {
    name: "a name that is no UTF-8 though it says so",
    bytes: zip([file("ok.txt"), { name: Buffer.from([0x61, 0xff, 0xfe, 0x62]), content: "x" }]),
    container: "zip",
    fault: "bad_name",
    control: zip([file("ok.txt"), { name: Buffer.from([0x61, 0x81, 0x62]), content: "x", flags: 0 }]),
  },
  {
    name: "a way up in the long name of a pax header",
    bytes: tar([{ name: "PaxHeader", type: "x", content: pax("path", "../../up.txt") }, file("ok.txt")]),
    container: "tar",
    fault: "dot_dot",
    control: tar([{ name: "PaxHeader", type: "x", content: pax("path", "deep/ok.txt") }, file("ok.txt")]),
  },
  {
    name: "a NUL in the long name of a pax header",
    bytes: tar([{ name: "PaxHeader", type: "x", content: pax("path", "a\0b") }, file("ok.txt")]),
    container: "tar",
    fault: "bad_name",
    control: tar([{ name: "PaxHeader", type: "x", content: pax("path", "ab") }, file("ok.txt")]),
  },
  {
    name: "folders deeper than 24",
    bytes: zip([file(nested(24))]),
    container: "zip",
    fault: "deep",
    control: zip([file(nested(23))]),
  },
  pairs("a.txt", "a.txt", "duplicate"),
  pairs("A.txt", "a.txt", "collides"),
  pairs("a\u200Db.txt", "ab.txt", "duplicate"),
  pairs("\u200Ea", "a/b.txt", "collides"),
  pairs("caf\u00e9.txt", "cafe\u0301.txt", "duplicate"),
  pairs("\uFB01le.txt", "file.txt", "collides"),
  pairs("a", "a/b.txt", "collides"),
  pairs("Src/a.txt", "src/b.txt", "collides"),
  {
    name: "the same file twice in a tar",
    bytes: tar([file("a.txt", "one"), file("a.txt", "two")]),
    container: "tar",
    fault: "duplicate",
    control: tar([file("a.txt", "one"), file("b.txt", "two")]),
  },
  {
    name: "a symbolic link in a tar and then a file through it",
    bytes: tar([{ name: "out", type: "2", linkname: "/tmp" }, file("out/pwned.txt")]),
    container: "tar",
    fault: "collides",
    control: tar([{ name: "out", type: "2", linkname: "/tmp" }, file("in/fine.txt")]),
  },
  {
    name: "a symbolic link in a zip and then a file through it",
    bytes: zip([{ name: "out", content: "/tmp", mode: 0o120777 }, file("out/pwned.txt")]),
    container: "zip",
    fault: "collides",
    control: zip([{ name: "out", content: "/tmp", mode: 0o120777 }, file("in/fine.txt")]),
  },
  {
    name: "a hard link and then a file of that name",
    bytes: tar([{ name: "h", type: "1", linkname: "/etc/passwd" }, file("h", "root::0:0")]),
    container: "tar",
    fault: "duplicate",
    control: tar([{ name: "h", type: "1", linkname: "/etc/passwd" }, file("i")]),
  },
  ...[
    ["3", "a character device"],
    ["4", "a block device"],
    ["6", "a named pipe"],
    ["S", "a sparse file of GNU tar"],
    ["Z", "an entry of a kind that nobody knows"],
  ].map(
    ([type = "", name = ""]): Hostile => ({
      name: `${name} in a tar`,
      bytes: tar([file("ok.txt"), { name: "special", type }]),
      container: "tar",
      fault: "special",
      control: tar([file("ok.txt"), { name: "special", type: "0" }]),
    }),
  ),
  ...["GNU.sparse.major", "GNU.sparse.map"].map(
    (key): Hostile => ({
      name: `a sparse file in a pax tar, told by ${key}`,
      bytes: tar([{ name: "PaxHeader", type: "x", content: pax(key, "1") }, file("a/GNUSparseFile.1/b")]),
      container: "tar",
      fault: "special",
      control: tar([{ name: "PaxHeader", type: "x", content: pax("GNU.volume", "1") }, file("a/b")]),
    }),
  ),
  {
    name: "a device in a zip",
    bytes: zip([file("ok.txt"), { name: "null", mode: 0o020666 }]),
    container: "zip",
    fault: "special",
    control: zip([file("ok.txt"), { name: "null", mode: 0o100666 }]),
  },
  {
    name: "more entries than are taken",
    bytes: zip(Array.from({ length: 101 }, (_, index) => file(`f${index}`))),
    container: "zip",
    fault: "too_many",
    limits: { maxEntries: 100 },
    control: zip(Array.from({ length: 100 }, (_, index) => file(`f${index}`))),
    controlLimits: { maxEntries: 100 },
  },
  {
    name: "few entries in more folders than are taken",
    bytes: tar(Array.from({ length: 30 }, (_, index) => file(`${index}/b/c/f`))),
    container: "tar",
    fault: "too_many",
    limits: { maxEntries: 100 },
    control: tar(Array.from({ length: 25 }, (_, index) => file(`${index}/b/c/f`))),
    controlLimits: { maxEntries: 100 },
  },
  {
    name: "files that are too large together",
    bytes: zip(Array.from({ length: 5 }, (_, index) => file(`f${index}`, "y".repeat(300_000)))),
    container: "zip",
    fault: "too_large",
    limits: { maxBytes: MIB },
    control: zip(Array.from({ length: 3 }, (_, index) => file(`f${index}`, "y".repeat(300_000)))),
    controlLimits: { maxBytes: MIB },
  },
  {
    name: "one file of a tar that is too large",
    bytes: tar([file("f", "y".repeat(MIB + 1))]),
    container: "tar",
    fault: "too_large",
    limits: { maxBytes: MIB },
    control: tar([file("f", "y".repeat(MIB))]),
    controlLimits: { maxBytes: MIB },
  },
  {
    name: "a bomb of zeros in a zip",
    bytes: zip([{ name: "zeros", content: Buffer.alloc(20 * MIB), method: DEFLATE }]),
    container: "zip",
    fault: "ratio",
    control: zip([{ name: "random", content: randomBytes(2 * MIB), method: DEFLATE }]),
  },
  {
    name: "a bomb of zeros in a tar.gz",
    bytes: tgz([{ name: "zeros", content: Buffer.alloc(20 * MIB) }]),
    container: "gzip",
    fault: "ratio",
    control: tgz([{ name: "random", content: randomBytes(2 * MIB) }]),
  },
  {
    name: "a tar.gz that is nothing but empty blocks",
    bytes: gzipSync(Buffer.concat([tar([file("a")]), Buffer.alloc(20 * MIB)])),
    container: "gzip",
    fault: "too_large",
    control: gzipSync(Buffer.concat([tar([file("a")]), Buffer.alloc(20 * 512)])),
  },
  {
    name: "a pax header of many megabytes",
    bytes: tar([{ name: "PaxHeader", type: "x", content: pax("comment", "c".repeat(3 * MIB)) }, file("a")]),
    container: "tar",
    fault: "too_large",
    control: tar([{ name: "PaxHeader", type: "x", content: pax("comment", "c".repeat(3_000)) }, file("a")]),
  },
  {
    name: "entries made of the same bytes",
    bytes: zip([file("a.txt", "z".repeat(5_000)), { ...file("b.txt", "z".repeat(5_000)), dataOf: 0 }]),
    container: "zip",
    fault: "overlap",
    control: zip([file("a.txt", "z".repeat(5_000)), file("b.txt", "z".repeat(5_000))]),
  },
  {
    name: "a size in the header that is less than what comes",
    bytes: zip([{ name: "a", content: "q".repeat(50_000), method: DEFLATE, uncompressedSize: 10 }]),
    container: "zip",
    fault: "broken",
    control: zip([{ name: "a", content: "q".repeat(50_000), method: DEFLATE }]),
  },
  {
    name: "a size in the header that is more than what comes",
    bytes: zip([{ name: "a", content: "q".repeat(500), method: DEFLATE, uncompressedSize: 5_000 }]),
    container: "zip",
    fault: "broken",
    control: zip([{ name: "a", content: "q".repeat(500), method: DEFLATE }]),
  },
  {
    name: "a checksum that is not that of the content",
    bytes: zip([{ name: "a", content: "true", crc: 1 }]),
    container: "zip",
    fault: "lying",
    control: zip([{ name: "a", content: "true" }]),
  },
  {
    name: "another name in the file's own header than in the directory",
    bytes: zip([{ name: "harmless.txt", localName: "../../x.txt", content: "x" }]),
    container: "zip",
    fault: "lying",
    control: zip([{ name: "harmless.txt", localName: "harmless.txt", content: "x" }]),
  },
  {
    name: "a folder that says that it is a file",
    bytes: zip([{ name: "d/", mode: 0o100644 }, file("ok.txt")]),
    container: "zip",
    fault: "lying",
    control: zip([{ name: "d/", mode: 0o040755 }, file("ok.txt")]),
  },
  {
    name: "an encrypted entry",
    bytes: zip([
      file("ok.txt"),
      { ...file("secret.txt", "of sixteen bytes"), flags: 0x801, uncompressedSize: 4 },
    ]),
    container: "zip",
    fault: "encrypted",
    control: zip([file("ok.txt"), file("secret.txt")]),
  },
  {
    name: "a compression that nobody knows",
    bytes: zip([file("ok.txt"), { ...file("b.txt"), method: 99 }]),
    container: "zip",
    fault: "method",
    control: zip([file("ok.txt"), { ...file("b.txt"), method: DEFLATE }]),
  },
  {
    name: "a zip that is cut off",
    bytes: plainZip.subarray(0, plainZip.length - 30),
    container: "zip",
    fault: "truncated",
    control: plainZip,
  },
  {
    name: "a zip that names more entries than it has",
    bytes: zip([file("a")], { count: 9 }),
    container: "zip",
    fault: "broken",
    control: zip([file("a")], { count: 1 }),
  },
  {
    name: "a tar that is cut off within a file",
    bytes: tar([file("a"), file("b", "w".repeat(4_000))]).subarray(0, 3_000),
    container: "tar",
    fault: "truncated",
    control: tar([file("a"), file("b", "w".repeat(4_000))]),
  },
  {
    name: "a tar that is cut off between two files",
    bytes: tar([file("a"), file("b")], { hasEnd: false }),
    container: "tar",
    fault: "truncated",
    control: tar([file("a"), file("b")]),
  },
  {
    name: "a tar.gz that is cut off",
    bytes: tgz([file("a", randomBytes(9_000).toString("hex"))]).subarray(0, 5_000),
    container: "gzip",
    fault: "truncated",
    control: tgz([file("a", randomBytes(9_000).toString("hex"))]),
  },
  {
    name: "a tar whose header has another checksum",
    bytes: tar([file("ok.txt"), { ...file("b.txt"), checksum: 1 }]),
    container: "tar",
    fault: "broken",
    control: tar([file("ok.txt"), file("b.txt")]),
  },
  {
    name: "a tar whose file is said to be of 2^60 bytes",
    bytes: tar([{ name: "huge", content: "x", size: 2 ** 60 }]),
    container: "tar",
    fault: "truncated",
    control: tar([{ name: "huge", content: "x" }]),
  },
  {
    name: "a folder of a tar that bears content",
    bytes: tar([{ name: "d", type: "5", content: "hidden" }, file("ok.txt")]),
    container: "tar",
    fault: "lying",
    control: tar([{ name: "d", type: "5" }, file("ok.txt")]),
  },
  {
    name: "an archive with nothing in it",
    bytes: zip([]),
    container: "zip",
    fault: "empty",
    control: zip([file("a")]),
  },
  {
    name: "noise that is called a zip",
    bytes: Buffer.concat([Buffer.from("PK\x03\x04"), randomBytes(4_096)]),
    container: "zip",
    fault: "truncated",
    control: plainZip,
  },
];
