import { describe, expect, test } from "vitest";
import { escapeInvisible } from "../../src/telegram/render/invisible.ts";
import { bold, code, italic, joinRich, plain, pre } from "../../src/telegram/render/rich-text.ts";

describe("building blocks", () => {
  test("plain text keeps its spaces and loses what Telegram would take out", () => {
    expect(plain(" a\tb\u202e\n")).toEqual({ text: " a b\n", entities: [] });
  });

  test("parts are joined as they are, their entities moved along", () => {
    expect(joinRich("👍 ", bold("a"), " ", plain("b "), code("c d"))).toEqual({
      text: "👍 a b c d",
      entities: [
        { type: "bold", offset: 3, length: 1 },
        { type: "code", offset: 7, length: 3 },
      ],
    });
    expect(joinRich()).toEqual({ text: "", entities: [] });
  });

  test("styles nest, and are cut around code", () => {
    expect(bold(joinRich("a ", italic("b"), " ", code("c"), " d"))).toEqual({
      text: "a b c d",
      entities: [
        { type: "bold", offset: 0, length: 3 },
        { type: "italic", offset: 2, length: 1 },
        { type: "code", offset: 4, length: 1 },
        { type: "bold", offset: 6, length: 1 },
      ],
    });
    expect(bold(bold("a")).entities).toEqual([{ type: "bold", offset: 0, length: 1 }]);
  });

  test("a style does not cover spaces at its ends, nor blanks alone", () => {
    expect(bold(" a\n")).toEqual({ text: " a\n", entities: [{ type: "bold", offset: 1, length: 1 }] });
    for (const blank of ["", " \n", "\u00a0", "\u200b"])
      expect(italic(blank)).toEqual({ text: blank, entities: [] });
  });

  test("a code block keeps its indentation and names its language", () => {
    expect(pre("\tx\n\n", "c++")).toEqual({
      text: "    x",
      entities: [{ type: "pre", offset: 0, length: 5, language: "c++" }],
    });
    expect(pre("a  b").entities).toEqual([{ type: "pre", offset: 0, length: 4 }]);
    expect(pre("\n ").entities).toEqual([]);
  });
});

describe("H25: what cannot be seen is shown", () => {
  test.each([
    ["bidi override and isolate", "a\u202Eb\u2066c", "a\\u{202E}b\\u{2066}c"],
    ["zero width", "r\u200Bm\uFEFF\u2060", "r\\u{200B}m\\u{FEFF}\\u{2060}"],
    ["tag characters", "x\u{E0041}\u{E007F}", "x\\u{E0041}\\u{E007F}"],
    ["variation selectors that can carry data", "x\uFE01\u{E0101}", "x\\u{FE01}\\u{E0101}"],
    [
      "controls, escape and carriage return",
      "a\0\u001b[2K\rb\u0085\u007f",
      "a\\u{0000}\\u{001B}[2K\\u{000D}b\\u{0085}\\u{007F}",
    ],
    ["lone surrogates", "a\ud800b\udc00", "a\\u{D800}b\\u{DC00}"],
    ["line separators", "a\u2028b\u2029", "a\\u{2028}b\\u{2029}"],
    ["spaces that are none to a shell", "rm\u00a0-rf\u3000/\u2800", "rm\\u{00A0}-rf\\u{3000}/\\u{2800}"],
    ["fillers", "a\u3164b\u115f\u00ad", "a\\u{3164}b\\u{115F}\\u{00AD}"],
    ["marks that Telegram drops", "a\u030a\u0333", "a\\u{030A}\\u{0333}"],
  ])("H25: %s", (_name, hidden, seen) => {
    expect(escapeInvisible(hidden)).toBe(seen);
  });

  test("text, newlines, tabs, accents and emoji stay", () => {
    const text = 'if [ -z "$x" ];\n\tthen echo é é 你好 👍 \\u{202E}; fi';
    expect(escapeInvisible(text)).toBe(text);
  });

  test("H25: nothing that Telegram would remove is left, so that what is approved is what is shown", () => {
    for (let point = 0; point <= 0x10_ff_ff; point++) {
      const escaped = escapeInvisible(String.fromCodePoint(point));
      if (escaped === "\t") continue;
      if (plain(escaped).text !== escaped) expect.fail(`U+${point.toString(16)} is changed on the way`);
    }
  });
});
