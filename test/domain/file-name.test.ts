import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { extensionOf, isUnsafeName, numberedName, safeFileName } from "../../src/domain/file-name.ts";
import { uploadKindOf } from "../../src/domain/upload-types.ts";

/** Any character, and often one of those that matter. */
const ANY = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  fc.constantFrom(
    "/",
    "\\",
    " ",
    ".",
    "-",
    "_",
    "~",
    "$",
    ";",
    "'",
    '"',
    "\0",
    "\n",
    "\t",
    "\u202E",
    "\uFE0F",
    "con",
    ".tar.gz",
    "..",
    "é",
  ),
);

describe("H16: the name of an upload", () => {
  test.each([
    ["report.pdf", "report.pdf"],
    ["../../etc/passwd", "etc_passwd"],
    ["..\\..\\boot.ini", "boot.ini"],
    ["my report (final).pdf", "my_report_(final).pdf"],
    ["-rf", "rf"],
    [".bashrc", "bashrc"],
    ["$(reboot).txt", "(reboot).txt"],
    ["a;b|c&d`e.txt", "a_b_c_d_e.txt"],
    ["gnp.\u202Efdp", "gnp.fdp"],
    ["a\0b\nc.txt", "abc.txt"],
    ["con.txt", "x_con.txt"],
    ["cafe\u0301.md", "caf\u00e9.md"],
    ["", "file"],
    ["...", "file"],
    ["😀.png", "file.png"],
    ["★★.tar.gz", "file.tar.gz"],
    ["###.md", "file.md"],
    ["日本語.md", "日本語.md"],
    ["a\uFE0F\u{E0101}\u200Db.md", "ab.md"],
    ["archive.tar.gz", "archive.tar.gz"],
  ])("%j becomes %j", (raw, safe) => expect(safeFileName(raw)).toBe(safe));

  test("is never longer than 120 bytes, however many a letter has, and keeps its extension", () => {
    const name = safeFileName(`${"語".repeat(300)}.tar.gz`);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(120);
    expect(Buffer.byteLength(name)).toBeGreaterThan(115);
    expect(name.endsWith("語.tar.gz")).toBe(true);
  });

  test("whatever it was: one safe part of a path, and the same when it is made safe again", () => {
    fc.assert(
      fc.property(fc.string({ unit: ANY, maxLength: 300 }), (raw) => {
        const name = safeFileName(raw);
        expect(name).not.toBe("");
        expect(name).toMatch(/^[^/\\\0\s.-][^/\\\0\s]*$/u);
        expect(name).toMatch(/^[\p{L}\p{M}\p{N}._+,@=()-]+$/u);
        expect(isUnsafeName(name)).toBe(false);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(122);
        expect(safeFileName(name)).toBe(name);
      }),
      { numRuns: 2_000 },
    );
  });

  test("a number goes before the extension", () => {
    expect(numberedName("a.tar.gz", 2)).toBe("a-2.tar.gz");
    expect(numberedName("Makefile", 3)).toBe("Makefile-3");
  });
});

test("a type is known by the extension, in any case; what is not named is not taken", () => {
  const all = { groups: ["text", "code", "images", "pdf", "archives"], extensions: ["docx"] } as const;
  const kindOf = (name: string) => uploadKindOf(name, all);
  expect(["a.TXT", "a.py", "Makefile", "a.svg"].map(kindOf)).toEqual(["text", "text", "text", "text"]);
  expect(["a.JPEG", "a.pdf", "a.tar.gz", "a.docx"].map(kindOf)).toEqual(["image", "pdf", "archive", "other"]);
  expect(["a.exe", "a.7z", "a.mp4", "a.gz"].map(kindOf)).toEqual([null, null, null, null]);
  expect(uploadKindOf("a.py", { groups: ["text"], extensions: [] })).toBeNull();
  expect(uploadKindOf("a.zip", { groups: ["text"], extensions: ["zip"] })).toBe("archive");
  expect(extensionOf(".gitignore")).toBe("");
  expect(kindOf(safeFileName(".env.example"))).toBe("text");
});
