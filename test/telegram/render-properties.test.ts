import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { endOf, type RichText } from "../../src/telegram/render/entity.ts";
import { renderMarkdown } from "../../src/telegram/render/markdown.ts";
import { previewMarkdown } from "../../src/telegram/render/preview.ts";
import { bold, code, italic, joinRich, plain, pre } from "../../src/telegram/render/rich-text.ts";
import { splitRichText } from "../../src/telegram/render/split.ts";
import { faultOfEntities, faultOfMessage, isNothing, NOTHING } from "../support/message-faults.ts";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The formats of one character, those of code without their neighbours' sake. */
function formatsAt({ entities }: RichText, at: number): string {
  const covering = entities.filter((entity) => entity.offset <= at && at < endOf(entity));
  return covering
    .map((entity) => JSON.stringify({ ...entity, offset: 0, length: 0 }))
    .sort()
    .join();
}

/** Holds the pieces against the whole: nothing lost but blanks, nothing cut that belongs together, all formats kept. */
function checkPieces(whole: RichText, pieces: readonly RichText[], maxLength: number): void {
  const { text } = whole;
  const starts = new Set<number>([text.length]);
  for (const { index } of graphemes.segment(text)) starts.add(index);
  let end = 0;
  for (const piece of pieces) {
    const start = text.indexOf(piece.text, end);
    if (start === -1) expect.fail(`piece ${JSON.stringify(piece.text)} is not there behind ${end}`);
    expect(isNothing(text.slice(end, start)), "something between two pieces is lost").toBe(true);
    end = start + piece.text.length;
    for (const at of [start, end]) {
      const cluster = graphemes.segment(text).containing(at)?.segment ?? "";
      if (starts.has(at) || cluster.length > maxLength || /[ \n]/u.test(cluster)) continue;
      expect.fail(`cut inside ${JSON.stringify(cluster)} at ${at}`);
    }
    let at = -1;
    for (const character of piece.text) {
      at = piece.text.indexOf(character, at + 1);
      if (NOTHING.test(character)) continue;
      if (formatsAt(piece, at) !== formatsAt(whole, start + at)) {
        expect.fail(
          `other formats at ${start + at}: ${formatsAt(piece, at)} for ${formatsAt(whole, start + at)}`,
        );
      }
    }
  }
  expect(isNothing(text.slice(end)), "the end is lost").toBe(true);
}

function checkMarkdown(markdown: string, limits: readonly number[]): void {
  const whole = renderMarkdown(markdown);
  if (whole.text !== "") expect(faultOfMessage(whole, 1e9, 1e9)).toBeNull();
  for (const maxLength of limits) {
    const pieces = splitRichText(whole, { maxLength });
    for (const piece of pieces) expect(faultOfMessage(piece, maxLength)).toBeNull();
    checkPieces(whole, pieces, maxLength);
    const preview = previewMarkdown(markdown, { maxLength });
    if (preview.text !== "") expect(faultOfMessage(preview, maxLength)).toBeNull();
  }
}

const FRAGMENTS = [
  [
    "*",
    "**",
    "***",
    "_",
    "__",
    "~~",
    "`",
    "``",
    "```",
    "~~~",
    "```ts\n",
    "```\n",
    "[",
    "](",
    ")",
    "![",
    "<",
    ">",
    "> ",
  ],
  [
    "# ",
    "## ",
    "- ",
    "1. ",
    "  ",
    "    ",
    "\t",
    "\n",
    "\n\n",
    "|",
    "|-|-|\n",
    "|a|b|\n",
    "---",
    "===",
    "\\",
    "&amp;",
    "&#10;",
  ],
  [
    "[ ] ",
    "[x] ",
    "https://e.org/a",
    "http://localhost:3000",
    "mailto:a@b.c",
    "tg://x",
    "[l](https://e.org)",
    "<https://e.org>",
  ],
  [
    "word",
    "a",
    "2",
    ".",
    "(",
    " ",
    "  \n",
    "__init__",
    "[r]: https://e.org\n",
    "[r]",
    "\u0301",
    "é",
    "你好",
    "👨‍👩‍👧‍👦",
    "🇩🇪",
    "👍🏽",
  ],
  [
    "\ud83d",
    "\udc00",
    "\0",
    "\u001b[1m",
    "\r",
    "\u202e",
    "\u200b",
    "\u00a0",
    "\u2028",
    "\ufe0f",
    "\u{e0041}",
    "\u0600",
    "A\u030a",
    "\u3000",
  ],
].flat();
const markdownish = fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 60 }).map((parts) => parts.join(""));
const anyLimit = fc.integer({ min: 15, max: 4096 });
const smallLimit = fc.integer({ min: 15, max: 80 });

const SAMPLE = [
  "# Fixed the `parse` bug 🎉\n\nI changed **three files** and _one test_; see [the docs](https://example.com/docs?a=1#b).\n",
  "## What was wrong\nThe loop used `i <= n` instead of `i < n` (2*3*4 = 24), so `__init__` ran ~~once~~ twice:\n",
  '1. First, **bold _and italic_**\n   continued here\n2. Second\n   - nested ◦ one\n   - nested two with `code`\n     ```ts\n     const family = "👨‍👩‍👧‍👦";\n\tif (x) {\n       y();\n     }\n     ```\n3. Third\n',
  "- [ ] open task\n- [x] done task\n\n| File | Lines | 说明 |\n|:--|--:|:-:|\n| `src/a.ts` | 12 | 你好 |\n| **b** \\| c | 3 | 👍🏽 |\n",
  "> **Note:** quotes hold `code`\n> > and inner ones\n>\n> ```sh\n>   npm test\n> ```\n\n---\n",
  "```diff\n- old <b>\n+ new &amp;\n```\nVisit http://localhost:3000 or [local](http://localhost:3000) or ![shot](./a.png).\n\n<details>raw</details>\n",
].join("\n");

describe("whatever comes in, Telegram takes what goes out", () => {
  test("H60: any string", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), smallLimit, (text, limit) =>
        checkMarkdown(text, [limit]),
      ),
      { numRuns: 300 },
    );
    const surrogates = fc.array(fc.integer({ min: 0, max: 0xff_ff }), { maxLength: 60 });
    fc.assert(
      fc.property(surrogates, (units) => checkMarkdown(String.fromCharCode(...units), [15])),
      { numRuns: 300 },
    );
  });

  test("H60: any Markdown", () => {
    fc.assert(
      fc.property(markdownish, smallLimit, anyLimit, (text, small, any) => checkMarkdown(text, [small, any])),
      { numRuns: 1500 },
    );
  });

  test("H60: every prefix of an answer, as streaming shows it", () => {
    for (let end = 0; end <= SAMPLE.length; end++)
      checkMarkdown(SAMPLE.slice(0, end), end % 7 === 0 ? [15, 64, 4096] : [40]);
  });

  test("H60: any text put together from parts, with any limits", () => {
    const text = fc.string({
      unit: fc.constantFrom(..."ab \n👍é".split(""), "👨‍👩‍👧‍👦", "\u0301", "  ", "\n\n"),
      maxLength: 40,
    });
    const part = fc.oneof(
      text.map(plain),
      text.map(bold),
      text.map(code),
      text.map((inner) => pre(inner, "ts")),
      fc.tuple(text, text).map(([a, b]) => bold(joinRich(a, italic(b), code(a), " ", b))),
    );
    const limits = fc.record({ maxLength: smallLimit, maxEntities: fc.integer({ min: 4, max: 100 }) });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), limits, (parts, { maxLength, maxEntities }) => {
        const whole = joinRich(...parts);
        expect(faultOfEntities(whole)).toBeNull();
        const pieces = splitRichText(whole, { maxLength, maxEntities });
        for (const piece of pieces) expect(faultOfMessage(piece, maxLength, maxEntities)).toBeNull();
        checkPieces(whole, pieces, maxLength);
      }),
      { numRuns: 800 },
    );
  });

  test("nothing that is written in an answer is lost on the way to the screen", () => {
    const words = fc.array(
      fc.constantFrom("alpha", "beta42", "γάμμα", "你好", "`code`", "**bold**", "x*y*z"),
      { minLength: 1, maxLength: 6 },
    );
    const line = words.map((all) => all.join(" "));
    const block = fc.oneof(
      line,
      line.map((text) => `# ${text}`),
      line.map((text) => `- ${text}\n  - ${text}`),
      line.map((text) => `1. ${text}\n\n   ${text}`),
      line.map((text) => `> ${text}\n> > ${text}`),
      line.map((text) => `\`\`\`ts\n${text}\n\`\`\``),
      line.map((text) => `|${text}|b|\n|-|-|\n|${text}|${text}|${text}|`),
      line.map((text) => `[${text}](http://localhost/alpha) ![${text}](https://e.org/i.png)`),
    );
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 5 }), (blocks) => {
        const markdown = blocks.join("\n\n***\n\n");
        const letters = (text: string) => text.match(/[\p{L}\d]+/gu) ?? [];
        const outside = /^```ts$|\(https:\/\/e\.org\/i\.png\)/gmu; // a language and an address live in entities
        expect(letters(renderMarkdown(markdown).text)).toEqual(letters(markdown.replace(outside, "")));
      }),
      { numRuns: 300 },
    );
  });
});

describe("hostile input ends in bounded time and valid messages", () => {
  const repeat = (unit: string, length: number) => unit.repeat(Math.ceil(length / unit.length));
  test.each([
    ["5000 quotes", ">".repeat(5000)],
    ["5000 brackets", "[".repeat(5000)],
    ["10000 stars", `a ${"*".repeat(10_000)} b`],
    ["60 KB of an answer", repeat(`${SAMPLE}\n\n`, 60_000)],
    ["60 KB without a space", "x".repeat(60_000)],
    ["60 KB of image openings", repeat("![", 60_000)],
    ["60 KB of links", repeat("[a](https://e.org) ", 60_000)],
    ["60 KB of emphasis", repeat("*a **b ", 60_000)],
    [
      "60 KB of backticks of all lengths",
      Array.from({ length: 340 }, (_, index) => `${"`".repeat(index)}x`).join(""),
    ],
    ["60 KB of code", repeat("`a` ", 60_000)],
    ["60 KB of strikethrough", repeat("~~a~~ ", 60_000)],
    ["60 KB of lists", repeat("- a\n  - b\n", 60_000)],
    ["lists 300 deep", Array.from({ length: 300 }, (_, index) => `${"  ".repeat(index)}- a`).join("\n")],
    [
      "60 KB of definitions",
      Array.from({ length: 2500 }, (_, index) => `[r${index}]: https://e.org/${index}`).join("\n"),
    ],
    ["a table of 1000 columns", `${repeat("|a", 2000)}|\n${repeat("|-", 2000)}|\n${repeat("|b|\n", 400)}`],
    ["one letter under 60000 accents", `a${"\u0301".repeat(60_000)}`],
    ["60 KB of families", repeat("👨‍👩‍👧‍👦", 60_000)],
    ["a million spaces", `a${" ".repeat(1_000_000)}b`],
    ["a million newlines", `a${"\n".repeat(1_000_000)}b`],
  ])("%s", (_name, markdown) => {
    const pieces = splitRichText(renderMarkdown(markdown));
    expect(pieces.length).toBeGreaterThan(0);
    for (const piece of pieces) expect(faultOfMessage(piece)).toBeNull();
    expect(faultOfMessage(previewMarkdown(markdown))).toBeNull();
  });
});
