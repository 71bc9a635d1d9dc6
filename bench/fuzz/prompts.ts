import * as fc from "fast-check";
import type { Request } from "../../src/domain/request.ts";
import { cleanText, isBlank } from "../../src/security/clean-text.ts";
import { createValidateInput } from "../../src/security/validate-input.ts";
import { PLAIN_PROSE } from "../../test/security/prose.ts";
import { type FuzzOptions, type FuzzResult, fuzz } from "./run.ts";

const MAX_CHARS = 4_096;
/** What may be taken out of a text, and blanks, which may change: nothing else may be missing afterwards. */
const UNSEEN =
  /[\s\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\u2028\u2029\u202A-\u202E\u2066-\u2069\u{E0000}-\u{E007F}\uFFF9-\uFFFB]/gu;
/** What must not be left, whatever stood round it. */
const NEVER = /(?![\t\n])\p{Cc}|[\u202A-\u202E\u2066-\u2069]|\p{Cs}/u;

interface PromptCase {
  readonly text: string;
  /** Of sentences that people write, and of nothing else. */
  readonly isPlain: boolean;
}

const JUNK = [
  "\0",
  "\u202e",
  "\u2066",
  "\u{E0041}",
  "\u200b",
  "\u200d",
  "\ufeff",
  "\ud83d",
  "\udc00",
  "\x1b[2J",
  "\r\n",
  "\u2028",
  "\u00ad",
  "\u{1F3F4}\u{E0067}\u{E0062}\u{E007F}",
  "👨‍👩‍👧",
  "é",
  "e\u0301",
  "ﷺ",
  "\u3164",
  "\u{FDD0}",
] as const;

/** Prompts through the gate of what is typed: plain prose comes through as it is; of the rest only what cannot be seen is taken. */
export async function fuzzPrompts(options: FuzzOptions): Promise<FuzzResult> {
  const gate = createValidateInput({
    maxPromptChars: MAX_CHARS,
    types: { groups: [], extensions: [] },
    maxFileBytes: 1,
    isSecret: () => false,
  });

  async function check({ text, isPlain }: PromptCase): Promise<readonly [string, string | null]> {
    const verdict = gate(requestWith(text));
    if (verdict.kind !== "admit") {
      const isDue =
        verdict.kind === "deny" &&
        (verdict.reason === "too_long"
          ? text.length > MAX_CHARS
          : verdict.reason === "empty" && isBlank(text));
      return ["refused", isDue ? null : "refused for no reason"];
    }
    const { body, cleaned } = verdict.request;
    if (body.kind !== "prompt") return ["admitted", "became something else"];
    if (isPlain)
      return ["plain", body.text === text && cleaned.length === 0 ? null : "plain prose was changed"];
    if (NEVER.test(body.text)) return ["cleaned", "something unseen is left"];
    if (cleanText(body.text).text !== body.text) return ["cleaned", "cleaning it again changes it"];
    if (seen(body.text) !== seen(text)) return ["cleaned", "something visible is gone"];
    return [cleaned.length === 0 ? "admitted" : "cleaned", null];
  }

  return fuzz(options, (seed, count) => fc.sample(prompts, { seed, numRuns: count }), check);
}

const plain = fc
  .array(fc.constantFrom(...PLAIN_PROSE), { minLength: 1, maxLength: 6 })
  .map((lines) => ({ text: lines.join("\n"), isPlain: true }));
const mixed = fc
  .array(
    fc.oneof(
      fc.constantFrom(...PLAIN_PROSE),
      fc.constantFrom(...JUNK),
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.string({ maxLength: 20 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => ({ text: parts.join(""), isPlain: false }));
const long = fc
  .tuple(fc.constantFrom(...PLAIN_PROSE), fc.integer({ min: 1, max: 300 }))
  .map(([line, times]) => ({ text: line.repeat(times), isPlain: false }));
const prompts: fc.Arbitrary<PromptCase> = fc
  .oneof({ weight: 4, arbitrary: plain }, { weight: 5, arbitrary: mixed }, { weight: 1, arbitrary: long })
  .filter(({ text, isPlain }) => !isPlain || text.length <= MAX_CHARS);

function seen(text: string): string {
  return text.replace(UNSEEN, ""); // in one go: what was apart must not become one character
}

function requestWith(text: string): Request {
  return {
    origin: "telegram",
    kind: "work",
    principal: { userId: 7 },
    conversation: { chatId: 7, threadId: null },
    chatType: "private",
    messageId: 1,
    body: { kind: "prompt", text },
    dedupeKey: "telegram:1",
    cleaned: [],
  } as unknown as Request;
}
