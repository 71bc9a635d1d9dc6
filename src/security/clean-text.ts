import type { Cleaned } from "../domain/request.ts";
import { isMeaningfulHere } from "./invisible.ts";

/** A text without what cannot be seen, and what was taken out of it. */
export interface CleanText {
  readonly text: string;
  readonly cleaned: readonly Cleaned[];
}

type Kind = Cleaned["what"];

/** The three flags that Unicode spells with tag characters; anything else spelled with them is hidden text. */
const TAG_FLAGS = ["gbeng", "gbsct", "gbwls"].map((region) => `\u{1F3F4}${tagged(region)}\u{E007F}`);

/** All that ends a line in Unicode. */
const LINE_ENDS = /\r\n?|[\v\f\u0085\u2028\u2029]/gu;

/** What each kind is; the first that fits counts. */
const KINDS: readonly (readonly [Kind, RegExp])[] = [
  ["control", /(?![\t\n])\p{Cc}/u],
  ["bidi", /[\u202A-\u202E\u2066-\u2069]/u],
  ["tag", /[\u{E0000}-\u{E007F}]/u],
  ["zero_width", /\p{Default_Ignorable_Code_Point}|[\uFFF9-\uFFFB]/u],
  ["surrogate", /\p{Cs}/u],
];

/** The selectors of which each can be one of a hundred, and so could spell a text behind Han letters. */
const VARIANT = /[\uFE00-\uFE0D\u{E0100}-\u{E01EF}]/u;
/** So many are kept in one text: as many as names in it may need, and too few to say anything. */
const MAX_VARIANTS = 12;

const SUSPECT = new RegExp(KINDS.map(([, pattern]) => pattern.source).join("|"), "u");

/**
 * Removes what a person cannot see and a model can read: control characters (tab and newline stay), bidi overrides and
 * isolates, tag characters, zero-width characters where they mean nothing, lone surrogates. Line ends become `\n`;
 * that alone is not reported. Nothing visible is ever changed, and cleaning twice is the same as once.
 */
export function cleanText(raw: string): CleanText {
  const text = raw.replace(LINE_ENDS, "\n");
  if (!SUSPECT.test(text)) return { text, cleaned: [] };
  const counts = new Map<Kind, number>();
  const kept: string[] = [];
  let variants = 0;
  let at = 0;
  while (at < text.length) {
    const flag = TAG_FLAGS.find((flag) => text.startsWith(flag, at));
    const char = flag ?? String.fromCodePoint(text.codePointAt(at) ?? 0);
    at += char.length;
    const kind = flag === undefined ? kindOf(char) : null;
    const isVariant = VARIANT.test(char);
    const isOneTooMany = isVariant && variants === MAX_VARIANTS;
    const next = text.codePointAt(at);
    if (kind === null || (kind === "zero_width" && !isOneTooMany && isMeaningfulHere(char, kept, next))) {
      kept.push(char);
      if (isVariant) variants += 1;
    } else counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const cleaned = KINDS.flatMap(([what]) => ({ what, count: counts.get(what) ?? 0 }));
  return { text: kept.join(""), cleaned: cleaned.filter(({ count }) => count > 0) };
}

/** True when nothing in the text leaves a mark: white space, blanks and invisible characters only. */
export function isBlank(text: string): boolean {
  return !/[^\s\u2800\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cs}]/u.test(text);
}

function kindOf(char: string): Kind | null {
  if (char >= " " && char <= "~") return null;
  return KINDS.find(([, pattern]) => pattern.test(char))?.[0] ?? null;
}

function tagged(letters: string): string {
  return letters.replace(/[a-z]/g, (letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0)));
}
