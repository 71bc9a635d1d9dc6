/** The end of a line with the blanks round it, and as a string of JSON or code has it. */
const BREAK = /[ \t]{0,4}(?:\r?\n|(?:\\r)?\\n)[ \t]*/g;

/** A text as if it had been written without breaks. */
export interface JoinedLines {
  readonly joined: string;
  /** Where the character at `index` of `joined` stands in the text; `joined.length` is the text's end. */
  readonly at: (index: number) => number;
}

/** Joins the lines of a text, so that what was wrapped at some width is whole again. Takes time in proportion to the text. */
export function joinLines(text: string): JoinedLines {
  if (!/\n|\\n/.test(text)) return { joined: text, at: (index) => index }; // most of what is logged
  const places = new Uint32Array(text.length + 1);
  let joined = "";
  let done = 0;
  const take = (to: number): void => {
    for (let index = done; index < to; index++) places[joined.length + index - done] = index;
    joined += text.slice(done, to);
  };
  for (const { index, 0: found } of text.matchAll(BREAK)) {
    take(index);
    done = index + found.length;
  }
  take(text.length);
  places[joined.length] = text.length;
  return { joined, at: (index) => places[index] ?? text.length };
}
