import * as fc from "fast-check";
import { expect, test } from "vitest";
import { UPLOAD_GROUPS } from "../../src/domain/upload-types.ts";
import { createWorld } from "./support.ts";

const EXPECTED = "text, code, images, pdf, archives or extensions such as docx, separated by commas";

test.each(["exe", ".EXE", "dll", "so", "dylib", "jar", "apk", "msi", "wasm"])(
  "the extension of a program, of which none is ever taken, is refused: %s",
  (value) => {
    const name = value.toLowerCase().replace(".", "");
    expect(
      createWorld()
        .faults({ UPLOAD_TYPES: `text,${value}` })
        .slice(1),
    ).toEqual([
      `  UPLOAD_TYPES: expected ${EXPECTED} (never ${name}: programs are not taken), got "text,${value}" from the environment`,
    ]);
  },
);

test.each([
  ["txet", "text"],
  ["texts", "text"],
  ["Coed", "code"],
  ["image", "images"],
  ["imagse", "images"],
  ["archive", "archives"],
  ["archvies", "archives"],
  ["pfd", "pdf"],
  ["pdfs", "pdf"],
])("a group's name misspelt is refused with the right one: %s is %s", (value, group) => {
  expect(createWorld().faults({ UPLOAD_TYPES: value }).at(-1)).toContain(
    `(did you mean ${group} for ${value.toLowerCase()}?)`,
  );
});

test("extensions that are near to a group's name are extensions", () => {
  const names = [
    "txt",
    "texi",
    "tex",
    "psd",
    "pdb",
    "docx",
    "odt",
    "core",
    "heic",
    "tar.gz",
    "7z",
    "rar",
    "bin",
    "img",
  ];
  const { types } = createWorld().load({ UPLOAD_TYPES: names.join(",") }).config.uploads;
  expect(types).toEqual({ groups: [], extensions: names });
});

test("all groups may be named together, and nearly all words of up to four signs", () => {
  const world = createWorld();
  expect(world.faults({ UPLOAD_TYPES: UPLOAD_GROUPS.join(",") })).toEqual([]);
  const refused = new Set<string>();
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9]{1,4}$/), (word) => {
      if (world.faults({ UPLOAD_TYPES: word }).length > 0) refused.add(word);
    }),
    { numRuns: 500 },
  );
  expect(refused.size).toBeLessThan(20);
});
