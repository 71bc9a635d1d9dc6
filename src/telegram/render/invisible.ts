/**
 * What a reader cannot see or would take for something else: controls, format characters (bidi, zero-width, tags), lone
 * surrogates, variation selectors and other default-ignorables, line separators, spaces that are not U+0020, and the
 * combining marks that Telegram drops.
 */
const INVISIBLE =
  /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Zs}\p{Default_Ignorable_Code_Point}\u{2800}\u{FFFC}]--[\n\t ]]|\u{333}|\u{33F}|\u{30A}/gv;

/**
 * Shows each invisible or misleading character as `\u{202E}`, so that a person who approves a tool's input sees all of it
 * (H25). Newline, tab and space stay. Emoji joiners and selectors are shown too. For eyes only: text that already holds
 * such an escape literally is not told apart.
 */
export function escapeInvisible(text: string): string {
  return text.replace(INVISIBLE, (character) => `\\u{${hex(character)}}`);
}

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}
