import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkLink } from "../../src/demo/bot-api/links.ts";
import { type FormattedText, fixText, lengthInCodePoints, parseText } from "../../src/demo/bot-api/text.ts";

function fix(text: string, entities: readonly object[] = []): FormattedText {
  return fixText(parseText({ text, entities }));
}

function bold(offset: number, length: number): object {
  return { type: "bold", offset, length };
}

test("blanks at both ends go, and entities move along", () => {
  expect(fix("  \n hi there \n ", [bold(4, 2)])).toEqual({ text: "hi there", entities: [bold(0, 2)] });
});

test("blanks in front stay where an entity covers them, and an entity ends with the text", () => {
  expect(fix("  hi  ", [bold(1, 5)])).toEqual({ text: " hi", entities: [bold(0, 3)] });
});

test("control characters become spaces, carriage returns and bidi overrides vanish", () => {
  expect(fix("a\tb\r\nc\u202Ed", [bold(4, 4)])).toEqual({ text: "a b\ncd", entities: [bold(3, 3)] });
});

test.each([
  ["begins after the end", [bold(4, 1)], "entity begins after the end of the text at UTF-16 offset 4"],
  [
    "ends after the end",
    [bold(1, 3)],
    "entity beginning at UTF-16 offset 1 ends after the end of the text at UTF-16 offset 4",
  ],
  [
    "begins inside a surrogate pair",
    [bold(2, 1)],
    "entity begins in a middle of a UTF-16 symbol at byte offset",
  ],
  [
    "ends inside a surrogate pair",
    [bold(0, 2)],
    "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset",
  ],
  ["has a negative offset", [bold(-1, 1)], "receive an entity with incorrect offset -1"],
  ["has a negative length", [bold(0, -1)], "receive an entity with incorrect length -1"],
  [
    "is of an unknown type",
    [{ type: "blink", offset: 0, length: 1 }],
    "can't parse MessageEntity: Unsupported type specified",
  ],
  ["is no object", ["bold"], "can't parse MessageEntity: expected an Object"],
  ["has no length", [{ type: "bold", offset: 0 }], `can't parse MessageEntity: Can't find field "length"`],
  [
    "links nowhere",
    [{ type: "text_link", offset: 0, length: 1 }],
    `can't parse MessageEntity: Can't find field "url"`,
  ],
  [
    "links to localhost",
    [{ type: "text_link", offset: 0, length: 1, url: "http://localhost:3000" }],
    "entity URL 'http://localhost:3000' is invalid: Wrong HTTP URL",
  ],
])("an entity is refused that %s", (_, entities, description) => {
  expect(() => fixText(parseText({ text: "a😀", entities }))).toThrow(`Bad Request: ${description}`);
});

test("entities of length 0, of types that Telegram finds itself, and lists that are none, count for nothing", () => {
  expect(fix("abc", [bold(0, 0), { type: "url", offset: 0, length: 3 }]).entities).toEqual([]);
  expect(fixText(parseText({ text: "abc", entities: "nonsense" })).entities).toEqual([]);
});

test("nothing stands inside code: styles are cut around it, links in it are dropped", () => {
  const code = { type: "code", offset: 2, length: 2 };
  const link = { type: "text_link", offset: 3, length: 2, url: "https://a.example/" };
  expect(fix("abcdefg", [bold(0, 6), code, link]).entities).toEqual([bold(0, 2), code, bold(4, 2)]);
});

test("quotes do not nest but may hold code", () => {
  const quote = { type: "blockquote", offset: 0, length: 6 };
  const code = { type: "pre", offset: 1, length: 2 };
  expect(fix("abcdefg", [quote, { ...quote, length: 3 }, code]).entities).toEqual([quote, code]);
});

test("at most 100 entities are kept", () => {
  const many = Array.from({ length: 150 }, (_, index) => bold(index * 2, 1));
  expect(fix("ab".repeat(150), many).entities).toHaveLength(100);
});

test("commands, mentions and links are found, but not inside code", () => {
  expect(fix("/run@my_bot see https://a.example/x. @alice a/b").entities).toEqual([
    { type: "bot_command", offset: 0, length: 11 },
    { type: "url", offset: 16, length: 19 },
    { type: "mention", offset: 37, length: 6 },
  ]);
  const code = { type: "code", offset: 0, length: 4 };
  expect(fix("/run", [code]).entities).toEqual([code]);
});

test.each([
  ["https://example.com/a?b#c", true],
  ["example.com", true],
  ["tg://user?id=7", true],
  ["http://127.0.0.1:80/", true],
  ["http://localhost:3000", false],
  ["ftp://example.com", false],
  ["javascript:alert(1)", false],
  ["http://", false],
  ["", false],
])("the link %s is good: %s", (link, isGood) => {
  expect(checkLink(link) === null).toBe(isGood);
});

test("whatever a well-formed text and entities inside it are, what is stored has all its entities inside it", () => {
  const types = ["bold", "italic", "code", "pre", "blockquote", "spoiler"];
  const span = fc.record({ type: fc.constantFrom(...types), from: fc.nat(60), to: fc.nat(60) });
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 40 }),
      fc.array(span, { maxLength: 8 }),
      (text, spans) => {
        const borders = [0];
        for (const symbol of text) borders.push((borders.at(-1) ?? 0) + symbol.length);
        const at = (n: number): number => borders[n % borders.length] ?? 0;
        const entities = spans.map(({ type, from, to }) => {
          const start = Math.min(at(from), at(to));
          return { type, offset: start, length: Math.max(at(from), at(to)) - start };
        });
        const fixed = fix(text, entities);
        expect(fixed.text).toBe(fixed.text.toWellFormed());
        for (const { offset, length } of fixed.entities) {
          expect(length).toBeGreaterThan(0);
          expect(offset).toBeGreaterThanOrEqual(0);
          expect(offset + length).toBeLessThanOrEqual(fixed.text.length);
          expect(fixed.text.slice(offset, offset + length).isWellFormed()).toBe(true);
        }
        expect(fix(fixed.text, fixed.entities)).toEqual(fixed);
      },
    ),
    {
      numRuns: 500,
      examples: [
        [
          "  ‐ ",
          [
            { type: "bold", from: 34, to: 0 },
            { type: "blockquote", from: 38, to: 0 },
          ],
        ],
      ],
    },
  );
});

test("a long run of blanks costs no time", () => {
  const text = `a${" ".repeat(30_000)}b${"\n".repeat(1000)}`;
  const before = process.cpuUsage();
  for (let round = 0; round < 20; round += 1) expect(fix(text).text).toHaveLength(30_002);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(5000); // a search that begins anew at each blank takes more
});

test("length is counted in code points", () => {
  expect(lengthInCodePoints("a😀👨‍👩‍👧")).toBe(7);
});
