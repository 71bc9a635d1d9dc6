import * as fc from "fast-check";
import { expect, test } from "vitest";
import { joinLines } from "../../src/log/join-lines.ts";

test("lines are one, whatever ends them, with the blanks round their ends", () => {
  expect(joinLines("ab \r\n  cd\nef\\ngh\\r\\ni").joined).toBe("abcdefghi");
  expect(joinLines("one line").joined).toBe("one line");
});

test("each character is where it was, and the end is the end", () => {
  const piece = fc.oneof(fc.constantFrom("\n", "\r\n", "\\n", " ", "\t", "\\"), fc.string({ maxLength: 5 }));
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join("");
      const { joined, at } = joinLines(text);
      for (let index = 0; index < joined.length; index++) {
        expect(text[at(index)]).toBe(joined[index]);
        expect(at(index + 1)).toBeGreaterThan(at(index));
      }
      expect(at(joined.length)).toBe(text.length);
    }),
  );
});
