/**
 * Where an invisible character has a meaning, and so stays:
 * - ZWNJ and ZWJ after a letter of a script that joins (Persian `می‌خواهم`, Hindi half forms), ZWJ between emoji;
 * - the zero-width space after a letter of a script written without spaces;
 * - a direction mark before, or not far after, a letter written from right to left;
 * - one variation selector after a sign that has variants; a Mongolian one after a Mongolian letter.
 * Everywhere else, and so in every run, such characters carry nothing that a person could have meant, but may carry
 * a hidden text: they go.
 */
interface Place {
  readonly characters: RegExp;
  readonly after: RegExp;
}

const PLACES: readonly Place[] = [
  {
    characters: /[\u200C\u200D]/u,
    after:
      /[\p{scx=Arab}\p{scx=Syrc}\p{scx=Nkoo}\p{scx=Mong}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}]/u,
  },
  {
    characters: /\u200B/u,
    after:
      /[\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}]/u,
  },
  { characters: /[\uFE0E\uFE0F]/u, after: /[\p{Emoji}\p{S}\p{P}\p{scx=Hani}]/u },
  { characters: /[\uFE00-\uFE0D\u{E0100}-\u{E01EF}]/u, after: /[\p{Sm}\p{scx=Hani}\p{scx=Mymr}]/u },
  { characters: /[\u180B-\u180F]/u, after: /\p{scx=Mong}/u },
];

const DIRECTION_MARK = /[\u061C\u200E\u200F]/u;
const RIGHT_TO_LEFT = /(?=\p{L})[\p{scx=Hebr}\p{scx=Arab}\p{scx=Syrc}\p{scx=Thaa}\p{scx=Nkoo}]/u;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;
const EMOJI_END = /[\p{Extended_Pictographic}\p{Emoji_Modifier}]/u;
const EMOJI_START = /\p{Extended_Pictographic}/u;
const ZWJ = "\u200D";
const EMOJI_STYLE = "\uFE0F";

/** How many kept characters before a direction mark are searched for a letter of its kind. */
const DIRECTION_REACH = 64;

/**
 * Says whether a zero-width character means something after what was `kept` so far (one code point, or one flag, an
 * item) and before the code point `next` of the raw text.
 */
export function isMeaningfulHere(char: string, kept: readonly string[], next: number | undefined): boolean {
  const last = kept.at(-1);
  if (char === ZWJ && joinsEmoji(last === EMOJI_STYLE ? kept.at(-2) : last, next)) return true;
  if (last !== undefined && INVISIBLE.test(last)) return false;
  if (DIRECTION_MARK.test(char)) return isRightToLeft(kept, next);
  return PLACES.some(
    ({ characters, after }) => characters.test(char) && last !== undefined && after.test(last),
  );
}

function joinsEmoji(before: string | undefined, next: number | undefined): boolean {
  if (before === undefined || next === undefined) return false;
  return EMOJI_END.test(before) && EMOJI_START.test(String.fromCodePoint(next));
}

function isRightToLeft(kept: readonly string[], next: number | undefined): boolean {
  if (next !== undefined && RIGHT_TO_LEFT.test(String.fromCodePoint(next))) return true;
  return kept.slice(-DIRECTION_REACH).some((one) => RIGHT_TO_LEFT.test(one));
}
