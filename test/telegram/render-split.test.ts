import { describe, expect, test } from "vitest";
import type { RichText } from "../../src/telegram/render/entity.ts";
import { renderMarkdown } from "../../src/telegram/render/markdown.ts";
import { bold, code, joinRich, plain, pre } from "../../src/telegram/render/rich-text.ts";
import { splitRichText } from "../../src/telegram/render/split.ts";

const texts = (pieces: readonly RichText[]) => pieces.map(({ text }) => text);

describe("where a text is cut", () => {
  test("what fits is one piece, at exactly the limit as well", () => {
    const exact = plain("x".repeat(4096));
    expect(splitRichText(exact)).toEqual([exact]);
    expect(texts(splitRichText(plain("x".repeat(4097))))).toEqual(["x".repeat(4096), "x"]);
  });

  test("a blank line is preferred to a newline, that to a space, each in the second half only", () => {
    expect(texts(splitRichText(plain("aaa aaa\n\naa\na aaaa"), { maxLength: 15 }))).toEqual([
      "aaa aaa\n\naa",
      "a aaaa",
    ]);
    expect(texts(splitRichText(plain("aaaa aaaa\n\na\na aaaa"), { maxLength: 15 }))).toEqual([
      "aaaa aaaa",
      "a\na aaaa",
    ]);
    expect(texts(splitRichText(plain("a\n\naaaaaa aaaaaaaaaa"), { maxLength: 15 }))).toEqual([
      "a\n\naaaaaa",
      "aaaaaaaaaa",
    ]);
    expect(texts(splitRichText(plain("a aaaaaaaaaaaaaaaaaaa"), { maxLength: 15 }))).toEqual([
      "a aaaaaaaaaaaaa",
      "aaaaaa",
    ]);
  });

  test("a separator right behind a full piece is the cut", () => {
    expect(texts(splitRichText(plain("aaaaaaaaaa bbbbb\n\nccccc"), { maxLength: 16 }))).toEqual([
      "aaaaaaaaaa bbbbb",
      "ccccc",
    ]);
  });

  test("a code block that begins late is left whole for the next piece", () => {
    const rich = joinRich("text text\n\n", pre("code\ncode\ncode", "ts"), "\n\nmore");
    expect(splitRichText(rich, { maxLength: 20 })).toEqual([
      { text: "text text", entities: [] },
      {
        text: "code\ncode\ncode\n\nmore",
        entities: [{ type: "pre", offset: 0, length: 14, language: "ts" }],
      },
    ]);
  });

  test("a code block that begins right at the limit is the cut", () => {
    const rich = joinRich("aaaaaaaaaa aaaa", pre("code code code"));
    expect(texts(splitRichText(rich, { maxLength: 15 }))).toEqual(["aaaaaaaaaa aaaa", "code code code"]);
  });

  test("H60: a long code block goes on as code of its language, its lines still indented", () => {
    const rich = joinRich(pre("if x:\n    a = 1\n    b = 2\n    c = 3", "py"));
    expect(splitRichText(rich, { maxLength: 20 })).toEqual([
      { text: "if x:\n    a = 1", entities: [{ type: "pre", offset: 0, length: 15, language: "py" }] },
      { text: "    b = 2\n    c = 3", entities: [{ type: "pre", offset: 0, length: 19, language: "py" }] },
    ]);
  });

  test("H60: styles, links and quotes are cut with the text and go on", () => {
    const rich = renderMarkdown("> **aaaaaaaa [bbbbbbbb cccccccc](https://e.org) dddd**");
    expect(splitRichText(rich, { maxLength: 18 })).toEqual([
      {
        text: "aaaaaaaa bbbbbbbb",
        entities: [
          { type: "blockquote", offset: 0, length: 17 },
          { type: "bold", offset: 0, length: 17 },
          { type: "text_link", offset: 9, length: 8, url: "https://e.org" },
        ],
      },
      {
        text: "cccccccc dddd",
        entities: [
          { type: "blockquote", offset: 0, length: 13 },
          { type: "bold", offset: 0, length: 13 },
          { type: "text_link", offset: 0, length: 8, url: "https://e.org" },
        ],
      },
    ]);
  });

  test("H60: what goes on over the same stretch is in Telegram's order", () => {
    const rich = renderMarkdown("**aaaaaaaa [bbbbbbbb cccccccc](https://e.org)**");
    expect(splitRichText(rich, { maxLength: 18 })[1]?.entities.map(({ type }) => type)).toEqual([
      "text_link",
      "bold",
    ]);
  });

  test("characters that a person sees as one stay whole", () => {
    const family = "👨‍👩‍👧‍👦"; // 11 units
    expect(texts(splitRichText(plain(family.repeat(3)), { maxLength: 25 }))).toEqual([
      family.repeat(2),
      family,
    ]);
    expect(texts(splitRichText(plain("🇩🇪🇫🇷🇮🇹🇪🇸"), { maxLength: 15 }))).toEqual(["🇩🇪🇫🇷🇮🇹", "🇪🇸"]);
    expect(
      texts(splitRichText(plain("é".normalize("NFD").repeat(10)), { maxLength: 15 })).map(
        ({ length }) => length,
      ),
    ).toEqual([14, 6]);
  });

  test("only a character longer than a message is cut, and never inside a surrogate pair", () => {
    const zalgo = `a${"\u0301".repeat(40)}`;
    expect(texts(splitRichText(plain(zalgo), { maxLength: 15 })).join("")).toBe(zalgo);
    const pairs = texts(splitRichText(plain(`👩${"\u200d👩".repeat(20)}`), { maxLength: 16 }));
    expect(pairs.every((text) => text.isWellFormed())).toBe(true);
    expect(texts(splitRichText(plain("👍👍"), { maxLength: 1 }))).toEqual(["👍", "👍"]);
  });
});

describe("limits", () => {
  test("more than 100 entities make more pieces, and none is lost", () => {
    const pieces = splitRichText(renderMarkdown("**a** ".repeat(250)));
    expect(Math.max(...pieces.map(({ entities }) => entities.length))).toBeLessThanOrEqual(100);
    expect(pieces.flatMap(({ entities }) => entities)).toHaveLength(250);
  });

  test("a quote round everything counts in each piece", () => {
    const pieces = splitRichText(renderMarkdown(`> ${"`a` ".repeat(30)}`), { maxEntities: 10 });
    expect(Math.max(...pieces.map(({ entities }) => entities.length))).toBeLessThanOrEqual(10);
    expect(pieces.every(({ entities }) => entities[0]?.type === "blockquote")).toBe(true);
    expect(pieces.flatMap(({ entities }) => entities).filter(({ type }) => type === "code")).toHaveLength(30);
  });

  test("where one place has more entities than allowed, the outer ones stay", () => {
    expect(splitRichText(renderMarkdown("# a b"), { maxEntities: 1 })).toEqual([
      { text: "a b", entities: [{ type: "bold", offset: 0, length: 3 }] },
    ]);
  });

  test("no piece has more than 32768 bytes, whatever length is asked for", () => {
    const pieces = splitRichText(plain("語".repeat(40_000)), { maxLength: 1_000_000 });
    expect(Math.max(...texts(pieces).map((text) => Buffer.byteLength(text)))).toBeLessThanOrEqual(32_768);
    expect(texts(pieces).join("")).toBe("語".repeat(40_000));
  });
});

describe("what is left out", () => {
  test("nothing but blanks is no piece", () => {
    for (const blank of ["", " \n ", "\u00a0", "\u200b\u2800", "\u3000"])
      expect(splitRichText(plain(blank))).toEqual([]);
  });

  test("spaces and newlines at the ends and at cuts", () => {
    expect(
      texts(splitRichText(plain(`\n  aaaaaaaaaa${" ".repeat(50)}\n\n  bbbbbbbbbb  \n`), { maxLength: 15 })),
    ).toEqual(["aaaaaaaaaa", "bbbbbbbbbb"]);
  });

  test("a stretch that only covers blanks of a piece", () => {
    const rich = joinRich("aaaaaaaaaa", code(" bbbbbbbbbbbb"));
    expect(splitRichText(rich, { maxLength: 12 })[0]).toEqual({ text: "aaaaaaaaaa", entities: [] });
    const invisible = joinRich("aaaaaaaaaaaaa ", bold("\u200b bbbbbbbbbbbb"));
    expect(splitRichText(invisible, { maxLength: 15 })[0]).toEqual({
      text: "aaaaaaaaaaaaa \u200b",
      entities: [],
    });
    expect(splitRichText(bold("aaaaaaaa b"), { maxLength: 9 })).toEqual([bold("aaaaaaaa"), bold("b")]);
  });
});
