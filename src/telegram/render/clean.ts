/** What `clean_input_string` of tdlib turns into a space: controls other than newline. */
const CONTROLS = /[\p{Cc}--[\n\u{7F}-\u{9F}]]/gv;
/** What it removes: line and paragraph separators, bidi overrides, and three combining marks that draw lines over text. */
const REMOVED = /[\u{2028}-\u{202E}]|\u{333}|\u{33F}|\u{30A}/gu;
/** A letter with the combining ring, as macOS writes "å" in file names; composed, the ring survives. */
const RINGED = /\p{L}\u{030A}/gu;
const NEEDS_CLEANING = /[\p{Cc}\u{2028}-\u{202E}]|\u{333}|\u{33F}|\u{30A}/u;

/** All but what `is_empty_string` of tdlib takes for nothing: spaces of all kinds, zero-width characters, tag characters. */
const VISIBLE =
  /[^\s\u{180E}\u{2000}-\u{200F}\u{202E}\u{202F}\u{205F}\u{2800}\u{FEFF}\u{FFFC}\u{E0000}-\u{E007F}]/u;

/**
 * The text as Telegram will keep it, so that lengths and offsets computed here stay right there: well-formed UTF-16, newline
 * the only control below U+007F (others become a space, CR and CRLF a newline), no bidi overrides and no U+2028/U+2029.
 * Source: `clean_input_string` in tdlib's misc.cpp.
 */
export function cleanText(text: string): string {
  const wellFormed = text.toWellFormed();
  if (!NEEDS_CLEANING.test(wellFormed)) return wellFormed;
  return wellFormed
    .replace(/\r\n?/g, "\n")
    .replace(RINGED, (ringed) => ringed.normalize("NFC"))
    .replace(REMOVED, "")
    .replace(CONTROLS, " ");
}

/** True for text that Telegram refuses with "Text must be non-empty": nothing, or only spaces and invisible characters. */
export function isBlank(text: string): boolean {
  return !VISIBLE.test(text);
}

/** True where Telegram trims: a space or newline stands at `index`, which may lie outside the text. */
export function isSpaceAt(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit === 0x20 || unit === 0x0a;
}

/** The length of the text without the spaces and newlines at its end. */
export function trimmedLength(text: string): number {
  let end = text.length;
  while (isSpaceAt(text, end - 1)) end--;
  return end;
}
