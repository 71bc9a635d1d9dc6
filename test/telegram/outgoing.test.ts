import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { failed } from "../../src/claude/failure.ts";
import type { MessageBody } from "../../src/domain/outbox.ts";
import { endOf, type RichText } from "../../src/telegram/render/entity.ts";
import { renderMarkdown } from "../../src/telegram/render/markdown.ts";
import { previewMarkdown } from "../../src/telegram/render/preview.ts";
import { bold, code, joinRich } from "../../src/telegram/render/rich-text.ts";
import { splitRichText } from "../../src/telegram/render/split.ts";
import { headText } from "../../src/telegram/wording-audit.ts";
import { quoteText } from "../../src/telegram/wording-recovery.ts";
import { PLAIN_PROSE } from "../security/prose.ts";
import { faultOfMessage } from "../support/message-faults.ts";
import { outgoingOf } from "../support/outgoing.ts";

const TOKEN = `123456789:${"AAExample-bot_token".padEnd(35, "x")}`;
const KEY = "sk-ant-api03-Zq8_-the_value_-of-nobody-9xW";
const FOREIGN = `ghp_${"aB3dE5fG7hJ9".repeat(3)}`;
/** Of no shape at all. */
const WORDS = "Tr0ub4dor-and-3-horses";
const out = outgoingOf(TOKEN, KEY, WORDS);
const SRC = resolve(import.meta.dirname, "../../src");

const body = (rich: RichText, more: Partial<MessageBody> = {}): MessageBody => ({
  ...rich,
  buttons: [],
  ...more,
});
const sample = (name: string): string => readFileSync(join(SRC, name), "utf8");

test("the head of a long audit reaches the owners whole: a number and 64 hex digits are no bot token", () => {
  const hash = "3f786850e387550fdab836ed7e6dc881de23001b3f786850e387550fdab836ed";
  const head = headText(`1234567:${hash}`);
  expect(out.body(body(head)).text).toBe(head.text);
  expect(out.text(`1234567:${hash}`)).toBe(`1234567:${hash}`);
  expect(out.text(`1234567:${hash.slice(0, 30)}Aa-_0`)).toContain("[redacted]");
});

test("a prompt is quoted without half of a secret at its end, and so is what an error says", () => {
  const padded = (length: number): string => `${"word ".repeat(length / 5)}${FOREIGN} and more`;
  expect(quoteText(padded(60))).toMatch(/^“(word )+\[redacted\]…?/);
  expect(quoteText(padded(60))).not.toContain("ghp_");
  expect(failed("crashed", padded(280)).detail).not.toContain("ghp_");
});

describe("prose and code without secrets pass unchanged", () => {
  test("what people write, and answers that explain secrets", () => {
    const explained = [
      "Set `ANTHROPIC_API_KEY=your-key-here`; keys begin with `sk-ant-…`.",
      "const token = readToken(); // token = abc123def456",
      'password: "hunter2", secret_key = "0123456789abcdef"',
      "curl -H 'Authorization: Bearer $TOKEN' https://user:pass@example.com/",
      "postgres://user:password@localhost:5432/db",
      "arn:aws:sqs:us-east-1:123456789012:my-application-orders-dead-letter-queue",
      "1700000000:build-worker-pool-east-number-12-ready",
      "cache key-d41d8cd98f00b204e9800998ecf8427e hit",
      "the Bearer authentication-scheme-of-rfc6750",
      ".sk-loading-spinner-segment-12 { color: red }",
      "ASIAPACIFICREGIONS",
      'text.includes("-----BEGIN RSA PRIVATE KEY-----")',
      "commit 3f786850e387550fdab836ed7e6dc881de23001b, sha256:9f86d081884c7d659a2feaa0c55ad015",
      "`ghp_` is the prefix of a GitHub token, `AKIA` of an AWS key id, `eyJ` of a JWT",
    ];
    for (const text of [...PLAIN_PROSE, ...explained]) {
      expect(out.text(text)).toBe(text);
      expect(out.markdown(text)).toEqual(renderMarkdown(text));
      expect(out.preview(text, { isOpen: false, maxLength: 3_000 })).toEqual(
        previewMarkdown(text, { maxLength: 3_000 }),
      );
    }
  });

  test("every file of this program, as an answer would show it", () => {
    const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".ts"),
    );
    expect(files.length).toBeGreaterThan(200);
    // It holds the bot tokens of examples, to refuse them.
    expect(files.filter((file) => out.text(sample(file)) !== sample(file)).toSorted()).toEqual([
      "config/strength.ts",
    ]);
  });

  test("any Markdown of words", () => {
    const word = fc.oneof(
      fc.lorem({ maxCount: 4 }),
      fc.constantFrom("**", "`", "_", "\n\n", "- ", "> ", "# ", "[a](http://b.cc)"),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        const text = words.join(" ");
        expect(out.markdown(text)).toEqual(renderMarkdown(text));
      }),
    );
  });
});

describe("a secret is out of what is shown", () => {
  test("whatever Markdown stands in it or round it, and the message stays one that Telegram takes", () => {
    const around = fc.constantFrom(
      "",
      " ",
      "*",
      "**",
      "_",
      "`",
      "```\n",
      "\n",
      "> ",
      "[",
      "](http://x.yy)",
      "😀",
      "(",
      "|",
      "~~",
      "# ",
    );
    const secret = fc.constantFrom(TOKEN, KEY, TOKEN.split(":")[1] ?? "", ` ${FOREIGN}`);
    const split = fc.tuple(secret, fc.nat(), fc.constantFrom("", "**", "\\")).map(([value, at, mark]) => {
      const place = at % value.length;
      return mark === "\\" && !/[_-]/.test(value.charAt(place))
        ? value
        : value.slice(0, place) + mark + value.slice(place);
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(around, around, split), { maxLength: 12 }), (parts) => {
        const rich = out.markdown(`say ${parts.join("")} end`);
        for (const piece of splitRichText(rich, { maxLength: 64 })) expect(faultOfMessage(piece)).toBeNull();
        for (const value of [TOKEN, TOKEN.slice(10), KEY, FOREIGN]) expect(rich.text).not.toContain(value);
        expect(rich.text).toMatch(/^say/);
      }),
      { numRuns: 2_000 },
    );
  });

  test("a preview cut anywhere in front, of an answer cut anywhere at its end, holds no part of it", () => {
    const answer = `${"some words ".repeat(9)}${TOKEN} more **words** ${KEY}\n\nand ${Buffer.from(KEY).toString("base64")} end`;
    for (let length = 1; length <= answer.length; length++) {
      for (const maxLength of [20, 60, 3_000]) {
        const { text } = out.preview(answer.slice(0, length), { isOpen: true, maxLength });
        expect(text).not.toMatch(/AAExa|ot_tok|Zq8_|alue|nobod|c2stYW50LWFwaTAzLVp/);
      }
    }
    const whole = out.preview(answer, { isOpen: false, maxLength: 3_000 }).text;
    expect(whole.match(/\[redacted\]/g)).toHaveLength(3);
    expect(whole).toMatch(/end$/);
  });

  test("while an answer is written only its last word is held back, where that is none of prose", () => {
    const answer = "These are Words, x7-of them; 45.";
    const seen = Array.from(
      answer,
      (_, at) => out.preview(answer.slice(0, at + 1), { isOpen: true, maxLength: 99 }).text,
    );
    const held = answer.slice(0, answer.indexOf(" x7"));
    const inToken = seen.slice(answer.indexOf("x7") + 1, answer.indexOf("x7") + 5);
    expect(inToken).toEqual([held, held, held, held]);
    expect(seen).toContain("The"); // a plain word shows as it grows, but for what may begin a known value
    expect(seen).toContain("These are Words, x7-of them;");
  });

  test("entities keep their places: round it, beside it, across its edge and inside it", () => {
    const rich: RichText = {
      text: `a ${TOKEN} b and code`,
      entities: [
        { type: "bold", offset: 0, length: 2 + TOKEN.length },
        { type: "italic", offset: 4, length: 5 },
        { type: "underline", offset: TOKEN.length, length: 4 },
        { type: "code", offset: TOKEN.length + 9, length: 4 },
      ],
    };
    expect(out.rich(rich)).toEqual({
      text: "a [redacted] b and code",
      entities: [
        { type: "bold", offset: 0, length: 12 },
        { type: "underline", offset: 13, length: 1 },
        { type: "code", offset: 19, length: 4 },
      ],
    });
  });

  test("a link that leads to it, a button, a caption, a file and a file's name lose it", () => {
    const linked = out.rich({
      text: "here and there",
      entities: [
        { type: "text_link", offset: 0, length: 4, url: `https://x.yy/?k=${encodeURIComponent(TOKEN)}` },
        { type: "text_link", offset: 9, length: 5, url: "https://x.yy/" },
      ],
    });
    expect(linked.entities.map(({ offset }) => offset)).toEqual([9]);
    const act = out.act({
      kind: "document",
      fileName: `${KEY}.txt`,
      content: `key ${KEY}`,
      replyTo: null,
      body: body(bold(KEY), { buttons: [[{ text: `Use ${KEY}`, data: "nonce" }]] }),
    });
    expect(JSON.stringify(act)).not.toContain("nobody");
    expect(act.body).toMatchObject({
      text: "[redacted]",
      entities: [{ type: "bold", offset: 0, length: 10 }],
      buttons: [[{ text: "Use [redacted]", data: "nonce" }]],
    });
  });

  test("in what is to be approved the daemon's own values are replaced and nothing else", () => {
    const input = {
      command: `x ${FOREIGN} password=hunter22 ${KEY}`,
      deep: [{ [TOKEN]: Buffer.from(KEY).toString("base64") }],
      n: 1,
    };
    expect(out.exact(input)).toEqual({
      input: {
        command: `x ${FOREIGN} password=hunter22 [redacted]`,
        deep: [{ "[redacted]": expect.stringMatching(/^\[redacted\].{0,4}$/) }],
        n: 1,
      },
      hidden: 3,
    });
    const shown = body(joinRich(code(FOREIGN), ` ${KEY}`), { isExact: true });
    expect(out.body(shown).text).toBe(`${FOREIGN} [redacted]`);
    expect(out.body({ ...shown, isExact: undefined } as unknown as MessageBody).text).toBe(
      "[redacted] [redacted]",
    );
  });

  test("what is left of a value before an ellipsis, or where a text ends, is a part of it", () => {
    for (let length = 7; length < KEY.length; length++) {
      const cut = out.text(`x ${KEY.slice(0, length)}…`);
      expect(cut).not.toContain(KEY.slice(0, 19));
      if (length >= 19) expect(cut).toBe("x [redacted]…");
      if (length >= 19) expect(out.text(`x ${KEY.slice(0, length)}`)).toBe("x [redacted]");
    }
    for (let length = 1; length < WORDS.length; length++) {
      const shown = length < 6 ? WORDS.slice(0, length) : "[redacted]";
      expect(out.text(`x ${WORDS.slice(0, length)}…`)).toBe(`x ${shown}…`);
      expect(out.text(`x ${WORDS.slice(0, length)}`)).toBe(`x ${shown}`);
    }
    expect(out.text(`x ${TOKEN.slice(0, 22)} y`)).toContain(TOKEN.slice(0, 22)); // no cut: some other word
  });
});

test("the entities of any text that holds secrets anywhere are as they were, less what was inside", () => {
  const piece = fc.constantFrom(TOKEN, "word", " ", "😀", KEY, "\n");
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(400), { maxLength: 6 }),
      (pieces, cuts) => {
        const text = `<${pieces.join("")}>`;
        const at = cuts.map((cut) => cut % text.length).sort((a, b) => a - b);
        const entities = at.slice(1).flatMap((end, index) => {
          const offset = at[index] ?? 0;
          return end > offset ? [{ type: "code" as const, offset, length: end - offset }] : [];
        });
        const shown = out.rich({ text, entities });
        expect(shown.text).not.toMatch(/AAExample|nobody/);
        for (const entity of shown.entities) {
          expect(entity.length).toBeGreaterThan(0);
          expect(endOf(entity)).toBeLessThanOrEqual(shown.text.length);
          // What a range shows stood in it before, or is the mark.
          const range = shown.text.slice(entity.offset, endOf(entity)).replaceAll("[redacted]", "");
          for (const word of range.match(/word|😀/gu) ?? []) expect(text).toContain(word);
        }
      },
    ),
  );
});
