import type { StateInline } from "markdown-it";

/** A whole word like `__init__`: a name, not bold. */
const DUNDER = /__\w+__(?!\w)/y;
const WORD = /\w/u;
/** Scripts without spaces between words, with their punctuation. */
const SPACELESS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u{3000}-\u{303F}\u{FF00}-\u{FFEF}]/u;
const OPENS_NOT_AFTER = /[A-Za-z0-9)\]/\\.]/u;
const CLOSES_NOT_AFTER = /[/\\]/u;
const CLOSES_NOT_BEFORE = /[A-Za-z0-9]/u;

/**
 * Takes a run of `*` or `_` in place of markdown-it's own `emphasis` rule; the pairing stays markdown-it's. Narrower than
 * CommonMark where chat text holds code without backticks (H62): `2*3*4`, `x**2 + y**2`, `src/*.ts` and `__init__` are
 * literal. A `*` or `**` does not open after an ASCII letter, digit, `)`, `]`, `.` or slash; a single `*` does not close
 * before an ASCII letter or digit, nor after a slash. Wider beside CJK characters: there CommonMark leaves the stars of
 * `**注意：**这是` standing, since it tells opening from closing by spaces.
 */
export function emphasis(state: StateInline, silent: boolean): boolean {
  if (silent) return false;
  const marker = state.src.charAt(state.pos);
  if (marker !== "*" && marker !== "_") return false;
  const before = state.src.charAt(state.pos - 1);
  if (marker === "_" && !WORD.test(before) && takeDunder(state)) return true;
  const { length, can_open, can_close } = state.scanDelims(state.pos, marker === "*");
  const after = state.src.charAt(state.pos + length);
  const isStar = marker === "*";
  const isSpaceless = isStar && (SPACELESS.test(before) || SPACELESS.test(after));
  const mayOpen = can_open || (isSpaceless && /\S/u.test(after));
  const mayClose = can_close || (isSpaceless && /\S/u.test(before));
  const open = mayOpen && !(isStar && OPENS_NOT_AFTER.test(before));
  const isInWord = CLOSES_NOT_AFTER.test(before) || (length === 1 && CLOSES_NOT_BEFORE.test(after));
  const close = mayClose && !(isStar && isInWord);
  for (let index = 0; index < length; index++) {
    state.push("text", "", 0).content = marker;
    state.delimiters.push({
      marker: marker.charCodeAt(0),
      length,
      token: state.tokens.length - 1,
      end: -1,
      open,
      close,
    });
  }
  state.pos += length;
  return true;
}

function takeDunder(state: StateInline): boolean {
  DUNDER.lastIndex = state.pos;
  const word = DUNDER.exec(state.src)?.[0];
  if (word === undefined) return false;
  state.pending += word;
  state.pos += word.length;
  return true;
}
