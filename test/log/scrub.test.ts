import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createRedactor } from "../../src/log/redact.ts";
import { scrubLine } from "../../src/log/scrub.ts";

const redact = createRedactor(["known-secret-value"]);

test("a line without secrets is the same line", () => {
  const line = '{"level":"info","time":"2026-01-01T00:00:00.000Z","userId":7,"msg":"started"}\n';
  expect(scrubLine(line, redact)).toBe(line);
});

test("what is written with escapes is scrubbed like what is written plainly", () => {
  expect(scrubLine('{"a":"\\u006bnown-secret-value"}\n', redact)).toBe('{"a":"[redacted]"}\n');
  expect(scrubLine('{"known-secret-value":["known-secret-value"]}\n', redact)).toBe(
    '{"[redacted]":["[redacted]"]}\n',
  );
});

test("a line that is no JSON is scrubbed too, and becomes JSON", () => {
  expect(scrubLine("known-secret-value {\n", redact)).toBe('{"unparsed":"[redacted] {\\n"}\n');
});

test("the quick way over a whole line passes nothing that the way over each text would change", () => {
  const piece = fc.constantFrom(
    "known-secret-value",
    "bot1:a",
    "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "sk-ant-api03-abcdefgh",
    "Bearer abcdefghij",
    "token=abcd1234",
    "https://u:p@h/",
    "-----BEGIN PRIVATE KEY-----",
    "\u202e",
    "é",
    " ",
    "x",
    "1",
    ":",
    "=",
  );
  const text = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(""));
  const eachText = (value: Record<string, string>) =>
    Object.entries(value).every(([key, field]) =>
      [key, field].every((each) => redact(each) === each && !each.includes("\u202e")),
    );
  fc.assert(
    fc.property(fc.dictionary(text, text), (value) => {
      const line = `${JSON.stringify(value)}\n`;
      const shown: unknown = JSON.parse(scrubLine(line, redact));
      if (eachText(value)) expect(shown).toEqual(value);
      else expect(shown).not.toEqual(value);
    }),
    { numRuns: 1000 },
  );
});
