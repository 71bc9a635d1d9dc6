/** What must not reach a screen or a line as it is: it would move, hide or reorder what stands beside it. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Escapes of the signs that are common enough to have short ones. */
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * The text with every control, bidi, zero-width and other invisible character written out (`\n`, `\u{202e}`), so that
 * what is shown is what is there. A backslash in the text stays as it is, so this cannot be turned back.
 */
export function escapeInvisible(text: string): string {
  return text.replace(UNSEEN, (char) => SHORT[char] ?? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The text cut to at most `maxLength` UTF-16 units, never through a surrogate pair, with `…` for what is gone. */
export function shorten(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const head = text.slice(0, Math.max(0, maxLength - 1));
  return `${/[\uD800-\uDBFF]$/.test(head) ? head.slice(0, -1) : head}…`;
}

/** The text as a message may name it: in quotes, escaped, on one line, at most some 120 characters. */
export function quote(text: string): string {
  return `"${shorten(escapeInvisible(shorten(text, 200)), 120)}"`;
}
