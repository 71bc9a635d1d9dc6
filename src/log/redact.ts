import { ALL_SHAPES, CERTAIN_SHAPES, REDACTED, type SecretShape } from "../domain/secret-shapes.ts";
import { joinLines } from "./join-lines.ts";
import { spansOfRules } from "./rule-set.ts";
import { formsOf, type SecretForm } from "./secret-forms.ts";
import { mergeSpans, replaceSpans, type Span } from "./spans.ts";

/**
 * What is looked for beside the known values. `all`: every shape, for what nobody has to read as it stands (logs, errors,
 * the audit). `certain`: shapes that prose and code do not have, for answers. `none`: for what a person is asked to approve,
 * which must be seen as it is.
 */
export type Shapes = "all" | "certain" | "none";

/** Finds where secrets stand in a text. */
export interface SecretFinder {
  /** In order and apart; what reads `[redacted]` already is not among them. */
  readonly find: (text: string, shapes: Shapes) => readonly Span[];
  /** The text without them. Doing it twice changes nothing. */
  readonly redact: (text: string, shapes: Shapes) => string;
  /** The text of something that is still being written, without an end that may yet turn out to be part of a secret. */
  readonly decided: (text: string) => string;
}

/** A replacement can bring about what looks like a secret once more; it never takes more than a few turns. */
const MAX_TURNS = 4;
/** A word that is still being written is held back, so that no shape is shown before it can be told; longer ones are no words. */
const LONGEST_WORD = 2_048;

/**
 * Makes the one finder of secrets: the known values in every form of `secret-forms.ts`, the shapes of
 * domain/secret-shapes.ts, and the rule set of `rule-set.ts`. Takes time in proportion to the text.
 */
export function createSecretFinder(secretValues: readonly string[]): SecretFinder {
  const forms = formsOf(secretValues);

  function find(text: string, shapes: Shapes): readonly Span[] {
    const known = spansOfKnown(text, forms);
    if (shapes === "none") return mergeSpans(known);
    const shaped = spansOfShapes(text, shapes === "certain" ? CERTAIN_SHAPES : ALL_SHAPES);
    const spans = mergeSpans([...known, ...shaped, ...spansOfRules(text)]);
    return spans.filter(({ from, to }) => text.slice(from, to) !== REDACTED);
  }

  function redact(text: string, shapes: Shapes): string {
    let shown = text;
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const spans = find(shown, shapes);
      if (spans.length === 0) return shown;
      shown = replaceSpans(shown, spans);
    }
    return shown;
  }

  function decided(text: string): string {
    let shown = text;
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const end = Math.min(lastWordOf(shown), beginningAtEnd(shown, forms));
      if (end === shown.length) return shown;
      shown = shown.slice(0, end);
    }
    return shown;
  }

  return { find, redact, decided };
}

/**
 * The redactor for what nobody has to read as it stands: known values in every form, and everything that has the shape of a
 * secret, replaced by `[redacted]`. Values under 8 characters are passed over.
 */
export function createRedactor(secretValues: readonly string[]): (text: string) => string {
  const { redact } = createSecretFinder(secretValues);
  return (text) => redact(text, "all");
}

/** The text without what has the shape of a secret, for what passes `createRedactor` later: a cut before it must not halve one. */
export const redactShapes = createRedactor([]);

/** Where known values stand, in one line or wrapped over several, as base64 and hex often are. */
function spansOfKnown(text: string, forms: readonly SecretForm[]): readonly Span[] {
  const inOne = spansOfForms(text, forms);
  const { joined, at } = joinLines(text);
  if (joined.length === text.length) return inOne;
  return [
    ...inOne,
    ...spansOfForms(joined, forms).map(({ from, to }) => ({ from: at(from), to: at(to - 1) + 1 })),
  ];
}

/** Whole values, and their telling beginnings where a cut ended them: before an ellipsis, or at the text's end. */
function spansOfForms(text: string, forms: readonly SecretForm[]): readonly Span[] {
  const spans: Span[] = [];
  for (const form of forms) {
    const beginning = form.text.slice(0, form.tellingLength);
    for (let from = text.indexOf(beginning); from !== -1; from = text.indexOf(beginning, from + 1)) {
      const to = from + sharedLength(text, from, form.text);
      const isCut = to === text.length || text[to] === "…" || text.startsWith("...", to);
      if (isCut || to === from + form.text.length) spans.push({ from, to });
    }
  }
  return spans;
}

/** How far the text goes on from `from` as `form` does. */
function sharedLength(text: string, from: number, form: string): number {
  if (text.startsWith(form, from)) return form.length;
  let length = 0;
  while (length < form.length && text[from + length] === form[length]) length++;
  return length;
}

function spansOfShapes(text: string, shapes: readonly SecretShape[]): readonly Span[] {
  const spans: Span[] = [];
  for (const { pattern } of shapes) {
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text))
      spans.push({ from: match.index + (match.groups?.keep?.length ?? 0), to: pattern.lastIndex });
  }
  return spans;
}

/** A plain word of prose with what stands round it. No shape begins like this and goes on without a digit, a capital or a sign. */
const PLAIN_WORD = /^["'(*_`]{0,4}[A-Za-z]?[a-z]{0,19}["')*_`.,:;!?]{0,4}$/;

/**
 * Where the run of visible ASCII at the text's end begins, unless it is a plain word: tokens are made of these, and no language
 * that has no spaces is.
 */
function lastWordOf(text: string): number {
  let from = text.length;
  const least = Math.max(0, text.length - LONGEST_WORD);
  while (from > least && /[!-~]/.test(text.charAt(from - 1))) from--;
  return PLAIN_WORD.test(text.slice(from)) ? text.length : from;
}

/** Where the text's end begins that is the beginning of a form, wrapped or not; the text's length where none is. */
function beginningAtEnd(text: string, forms: readonly SecretForm[]): number {
  const { joined, at } = joinLines(text);
  const wrapped = longestBeginning(joined, forms);
  const whole = text.length - longestBeginning(text, forms);
  return wrapped === 0 ? whole : Math.min(whole, at(joined.length - wrapped));
}

/** How many characters at the text's end are the beginning of a form. */
function longestBeginning(text: string, forms: readonly SecretForm[]): number {
  let longest = 0;
  for (const form of forms) {
    for (let length = Math.min(form.text.length - 1, text.length); length > longest; length--)
      if (text.endsWith(form.text.slice(0, length))) longest = length;
  }
  return longest;
}
