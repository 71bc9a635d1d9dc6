import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FetchFile } from "../../src/domain/attachment.ts";
import type { Jail, Sift } from "../../src/jail/jail.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import { createUploads, newFolderName, type Receipt } from "../../src/workspace/uploads.ts";
import { DEFLATE, tar, tgz, zip } from "../support/archives.ts";
import { createWorld, type JailWorld, memoryLog } from "../support/git-project.ts";

let world: JailWorld;
let jail: Jail;

beforeAll(async () => {
  world = await createWorld();
  const deps = { platform: process.platform, log: memoryLog() };
  jail = await openJail({ ...deps, sandbox: "require", scratchDir: world.scratchDir });
});
afterAll(async () => {
  await jail.close();
  await world[Symbol.asyncDispose]();
});

/** Uploads with a far side that gives these bytes for every file, and one folder in them. */
async function bench(content: Buffer | string, { sift = jail.sift }: { sift?: Sift } = {}) {
  const root = join(world.root, `uploads-${newFolderName()}`);
  mkdirSync(root, { mode: 0o700 });
  const bytes = Buffer.from(content);
  const fetchFile: FetchFile = async (_, { place, maxBytes }) => {
    if (bytes.length > maxBytes) return { kind: "too_large" };
    writeFileSync(place, bytes, { flag: "wx", mode: 0o600 });
    return { kind: "fetched", bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  };
  const uploads = createUploads({
    root,
    types: { groups: ["text", "code", "images", "pdf", "archives"], extensions: ["docx", "xlsx", "bin"] },
    maxFileBytes: 1024 * 1024,
    maxArchiveBytes: 2 * 1024 * 1024,
    secretFiles: [],
    fetchFile,
    sift,
  });
  const folder = await uploads.folder(newFolderName());
  const { signal } = new AbortController();
  const receive = (name: string): Promise<Receipt> =>
    uploads.receive({ fileId: "f", name, bytes: null }, { folder, project: world.project, signal });
  return { uploads, root, folder, receive };
}

const PNG = png();
const JPEG = Buffer.from(
  "ffd8ffe000104a46494600010100000100010000ffdb004300ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd9",
  "hex",
);
const PDF = Buffer.from("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n", "latin1");
const ELF = Buffer.concat([Buffer.from("\x7fELF\x02\x01\x01", "latin1"), Buffer.alloc(200)]);
const PE = Buffer.concat([Buffer.from("MZ\x90\0", "latin1"), Buffer.alloc(200)]);
const ZIP = zip([{ name: "a.txt", content: "x" }]);
/** As Word writes it: its types first. */
const OFFICE = zip([
  {
    name: "[Content_Types].xml",
    content: `<Types><Override ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
  },
]);

/** The smallest picture: one grey dot. */
function png(): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)]);
  };
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.from([0, 128]))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

describe.runIf(process.platform === "linux")("files that people send", () => {
  test.concurrent.each([
    ["notes.txt", Buffer.from("héllo\n"), "text"],
    ["old.csv", Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x0a]), "text"],
    ["wide.txt", Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("wide", "utf16le")]), "text"],
    ["BMW.md", Buffer.from("BM is a car"), "text"],
    ["MZ.txt", Buffer.from("MZ is Mark Zbikowski"), "text"],
    ["run.sh", Buffer.from("#!/bin/sh\necho hello\n"), "text"],
    ["shot.png", PNG, "image"],
    ["photo.jpeg", JPEG, "image"],
    ["paper.pdf", PDF, "pdf"],
    ["blank.pdf", Buffer.concat([Buffer.from("\r\n \t"), PDF]), "pdf"],
    ["office.docx", OFFICE, "other"],
    ["of-another-maker.xlsx", zip([{ name: "docProps/app.xml", content: "<Properties/>" }]), "other"],
    [".env.example", Buffer.from("KEY=\n"), "text"],
    ["src.zip", ZIP, "archive"],
    ["src.tar.gz", tgz([{ name: "a.txt", content: "x" }]), "archive"],
    [
      "labelled.tar",
      tar([
        { name: "backup", type: "V", magic: "" },
        { name: "a.txt", content: "x" },
      ]),
      "archive",
    ],
    ["papers.tar", tar([{ name: "a.txt", content: PDF }]), "archive"],
    ["data.bin", randomBytes(100), "other"],
  ])("%s is taken for what it is", async (name, content, kind) => {
    const { folder, receive, root } = await bench(content);
    const receipt = await receive(name);
    expect(receipt).toMatchObject({ kind: "held", held: { kind, bytes: content.length } });
    if (receipt.kind !== "held") return;
    const place = join(folder, receipt.held.name);
    if (kind === "archive") expect(readdirSync(place)).toEqual(["a.txt"]);
    else {
      expect(readFileSync(place)).toEqual(content);
      expect(lstatSync(place)).toMatchObject({ nlink: 1 });
      expect(lstatSync(place).mode & 0o7777).toBe(0o600);
    }
    expect(readdirSync(root)).toHaveLength(1); // the folder alone: nothing is left of the way in
  });

  test.concurrent.each([
    ["a program of Linux named as a picture", "shot.png", ELF, "program"],
    ["a program of Windows named as text", "notes.txt", PE, "program"],
    ["a program that the owner's own type would cover", "tool.bin", ELF, "program"],
    ["HTML named as PDF", "paper.pdf", Buffer.from("<html><script>1</script></html>"), "mismatch"],
    ["a PDF named as text", "paper.txt", PDF, "mismatch"],
    ["a PDF that begins later", "late.pdf", Buffer.concat([Buffer.from("GIF89a junk "), PDF]), "mismatch"],
    ["noise named as text", "noise.txt", randomBytes(300), "mismatch"],
    ["text named as a picture", "words.png", Buffer.from("no picture"), "mismatch"],
    ["a picture that is a zip too", "both.png", Buffer.concat([PNG, ZIP]), "polyglot"],
    [
      "a picture with a zip and one byte",
      "more.png",
      Buffer.concat([PNG, ZIP, Buffer.from("x")]),
      "polyglot",
    ],
    ["a PDF that is a zip too", "both.pdf", Buffer.concat([PDF, ZIP]), "polyglot"],
    ["a picture that is a PDF too", "both.jpg", Buffer.concat([JPEG, PDF]), "polyglot"],
    ["a zip named as tar.gz", "wrong.tar.gz", ZIP, "mismatch"],
    ["text named as a zip", "words.zip", Buffer.from("no archive"), "mismatch"],
    ["a picture named as the owner's own type", "shot.docx", PNG, "mismatch"],
    ["a zip named as the owner's own type", "data.bin", ZIP, "mismatch"],
    ["a document of another kind than its name says", "words.xlsx", OFFICE, "mismatch"],
    ["a zip named as text", "zip.example", ZIP, "mismatch"],
    ["a PDF named as text, behind a blank", "paper.txt", Buffer.concat([Buffer.from("\n"), PDF]), "mismatch"],
    ["nothing", "empty.txt", Buffer.alloc(0), "empty"],
    ["a file larger than it may be", "large.txt", Buffer.alloc(1024 * 1024 + 1, 97), "too_large"],
    [
      "a bomb",
      "bomb.zip",
      zip([{ name: "z", content: Buffer.alloc(3_000_000), method: DEFLATE }]),
      "archive_ratio",
    ],
    ["a type that is not taken", "film.mp4", Buffer.from("x"), "type"],
  ])("H16: %s is refused, and nothing of it is left", async (_, name, content, reason) => {
    const { folder, receive, root } = await bench(content);
    expect(await receive(name)).toMatchObject({ kind: "refused", reason });
    expect(readdirSync(folder)).toEqual([]);
    expect(readdirSync(root)).toHaveLength(1);
  });

  test("a picture of another kind than its name says gets the right name", async () => {
    const { receive } = await bench(PNG);
    expect(await receive("shot.jpg")).toMatchObject({ held: { name: "shot.png" } });
  });

  test("a name that is taken gets a number, and what was there stays as it is", async () => {
    const { folder, receive } = await bench("one");
    const names = [];
    for (const name of ["a b.txt", "a_b.txt", "../a b.txt"]) {
      const receipt = await receive(name);
      names.push(receipt.kind === "held" ? receipt.held.name : receipt);
    }
    expect(names).toEqual(["a_b.txt", "a_b-2.txt", "a_b-3.txt"]);
    expect(readdirSync(folder).sort()).toEqual(["a_b-2.txt", "a_b-3.txt", "a_b.txt"]);

    const packed = await bench(ZIP);
    expect(await packed.receive("x.zip")).toMatchObject({ held: { name: "x" } });
    expect(await packed.receive("x.zip")).toMatchObject({ held: { name: "x-2" } });
  });

  test("a folder that cannot be made is told with what mends it, and is made once that is done", async () => {
    const { uploads, root } = await bench("x");
    rmSync(root, { recursive: true });
    writeFileSync(root, "no folder");
    const words = `what stands where files are kept is no folder. At the machine: mv '${root}' '${root}.old'`;
    await expect(uploads.folder("a")).rejects.toMatchObject({ code: "uploads_shut", message: words });
    renameSync(root, `${root}.old`);
    expect(await uploads.folder("a")).toBe(join(root, "a"));
    writeFileSync(join(root, "b"), "no folder");
    await expect(uploads.folder("b")).rejects.toThrow(`mv '${root}/b' '${root}/b.old'`);
  });

  test("an archive for which the disk has no room is not refused: the fault is the disk's", async () => {
    const { root, folder, receive } = await bench(ZIP, {
      sift: async (request) =>
        request.program === "sniff"
          ? jail.sift(request)
          : { code: 0, stdout: '{"kind":"failed","code":"ENOSPC"}' },
    });
    await expect(receive("a.zip")).rejects.toMatchObject({ name: "DiskError", code: "ENOSPC" });
    expect([readdirSync(folder), readdirSync(root).length]).toEqual([[], 1]);
  });

  test("what cannot be looked at is not taken, and what an earlier life left on its way is removed", async () => {
    const { uploads, root, receive } = await bench("x", { sift: async () => ({ code: 137, stdout: "" }) });
    expect(await receive("a.txt")).toMatchObject({ kind: "failed" });
    mkdirSync(join(root, "incoming-abc"));
    writeFileSync(join(root, "incoming-abc/file"), "half");
    await uploads.sweep();
    expect(existsSync(join(root, "incoming-abc"))).toBe(false);
    expect(readdirSync(root)).toHaveLength(1);
  });
});
