import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createLineReader } from "../../src/claude/line-reader.ts";

function read(chunks: readonly Buffer[], maxBytes = 1000) {
  const lines: string[] = [];
  let overflows = 0;
  const push = createLineReader({
    maxBytes,
    onLine: (line) => lines.push(line),
    onOverflow: () => {
      overflows += 1;
    },
  });
  for (const chunk of chunks) push(chunk);
  return { lines, overflows };
}

/** A text and places to cut its bytes at. */
const cutText = fc.tuple(
  fc.array(
    fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => text.replaceAll("\n", "")),
    { maxLength: 8 },
  ),
  fc.array(fc.nat(300), { maxLength: 20 }),
);

function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const at = [0, ...places.map((place) => Math.min(place, bytes.length)), bytes.length].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

test("wherever the bytes are cut, the same lines come out, characters whole", () => {
  fc.assert(
    fc.property(cutText, ([lines, places]) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      expect(read(cut(bytes, places))).toEqual({ lines: lines.filter((line) => line !== ""), overflows: 0 });
    }),
  );
});

test("bytes after the last newline are never given", () => {
  fc.assert(
    fc.property(cutText, ([lines, places]) => {
      const bytes = Buffer.from(`${lines.map((line) => `${line}\n`).join("")}unfinished`);
      expect(read(cut(bytes, places)).lines).toEqual(lines.filter((line) => line !== ""));
    }),
  );
});

test("a line at the cap is read; one byte more ends the reading, once, wherever it is cut", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(120), { maxLength: 10 }), (max, places) => {
      const fits = Buffer.from(`${"x".repeat(max)}\nnext\n`.slice(0, max + 1));
      expect(read(cut(fits, places), max)).toEqual({ lines: ["x".repeat(max)], overflows: 0 });
      const over = Buffer.from(`a\n${"x".repeat(max + 1)}\nafter\n`);
      expect(read(cut(over, places), max)).toEqual({ lines: ["a"], overflows: 1 });
    }),
  );
});

test("bytes that are no UTF-8 do not stop the reading", () => {
  expect(read([Buffer.from([0xff, 0xfe, 0x0a]), Buffer.from("ok\n")]).lines).toEqual(["\ufffd\ufffd", "ok"]);
});
