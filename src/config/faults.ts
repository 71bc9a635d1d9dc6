import { AppError } from "../domain/errors.ts";
import { CERTAIN_SHAPES } from "../domain/secret-shapes.ts";

const MAX_SHOWN = 80;

/** Bot tokens, Claude credentials, and credentials inside a URL: hidden even where a key that is no secret holds them. */
const LOOKS_SECRET = /\d{5,}:[\w-]{20,}|sk-ant-|:\/\/[^/]*@/;

/** A long word as keys and digests are made of; dots, commas and colons part words. */
const LONG_WORD = /[^\s,;.:@"'()]{24,}/g;
const HEX = /^(?=.*\d)(?=.*[a-f])[0-9a-f]+$/i;
const LOOKED_AT = 24;
/** Random digits and letters change their kind about eleven times in so many signs, names and paths hardly ever. */
const MOST_CHANGES = 5;

/** What nobody sees, or takes for a plain blank. */
const UNSEEN = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/gu;

/** One thing that is wrong with the settings. `got` never holds a secret's value. */
export interface Fault {
  readonly key: string;
  readonly expected: string;
  readonly got: string;
}

/** What is wrong, and what is doubtful, a sentence each and without secrets. */
export interface Remarks {
  readonly faults: readonly Fault[];
  readonly warnings: readonly string[];
}

/** A value for a person's eyes: quoted and cut at 80 characters, unless it looks like a secret; null is `nothing`. */
export function showValue(value: string | null): string {
  if (value === null) return "nothing";
  if (isSecretLike(value)) return "something that looks like a secret (not shown)";
  return quoted(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);
}

/** The text in quotes, with all that is unseen in it written out. For paths, whose names may look like secrets. */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(UNSEEN, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`);
}

function isSecretLike(value: string): boolean {
  if (LOOKS_SECRET.test(value) || CERTAIN_SHAPES.some(({ pattern }) => value.search(pattern) >= 0))
    return true;
  return (value.match(LONG_WORD) ?? []).some(looksRandom);
}

/**
 * True for hex digits, and where small letters, capitals and digits change too often somewhere in the word or over all of it. A capital
 * that begins a word is no change.
 */
function looksRandom(word: string): boolean {
  if (HEX.test(word)) return true;
  const changes = Array.from(word, (_, at) =>
    Number(/^(?:[a-z][A-Z0-9]|[A-Z]\d|\d[A-Za-z])/.test(word.slice(at, at + 2))),
  );
  const count = (some: readonly number[]): number => some.reduce((sum, one) => sum + one, 0);
  if (count(changes) > Math.max(MOST_CHANGES, word.length / 8)) return true;
  return changes.some((_, at) => count(changes.slice(at, at + LOOKED_AT)) > MOST_CHANGES);
}

/** One `config_invalid` that names every fault, a line each. `secrets` are cut out of the text. */
export function configError(faults: readonly Fault[], secrets: readonly string[], heading: string): AppError {
  const lines = faults.map(({ key, expected, got }) => `  ${key}: expected ${expected}, got ${got}`);
  const count = lines.length === 1 ? "1 fault" : `${lines.length} faults`;
  const text = [`The settings have ${count} (${heading}):`, ...lines].join("\n");
  const hidden = secrets.filter((secret) => secret.length >= 4);
  return new AppError(
    "config_invalid",
    hidden.reduce((line, secret) => line.replaceAll(secret, "[redacted]"), text),
  );
}
