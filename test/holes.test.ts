import { resolve } from "node:path";
import { expect, test } from "vitest";
import { readTestFiles } from "./claims/test-names.ts";
import { HOLES, numbersOf } from "./support/holes.ts";

const names = readTestFiles(resolve(import.meta.dirname, "..")).flatMap(({ text }) =>
  [...text.matchAll(/["'`](H\d\d[^"'`\n]*)/g)].map((match) => match[1] ?? ""),
);
const tested = new Set(names.flatMap(numbersOf));

test.each(HOLES.filter(({ isRequired }) => isRequired))(
  "a test bears the number $number: $title",
  ({ number }) => {
    expect(tested.has(number)).toBe(true);
  },
);

test("numbers are those that a name begins with", () => {
  expect(numbersOf("H06 H36: x")).toEqual(["H06", "H36"]);
  expect(numbersOf("H41, H43: after H99: x")).toEqual(["H41", "H43"]);
  expect(numbersOf("a test about H10: x")).toEqual([]);
});

test("no test bears a number that is no hole's", () => {
  expect([...tested].filter((number) => !HOLES.some((hole) => hole.number === number))).toEqual([]);
});
