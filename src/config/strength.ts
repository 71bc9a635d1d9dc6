/** Bits that each byte of the least length must be worth, by the estimate below; random hex digits come to about three. */
const BITS_PER_BYTE = 1.75;
/** As many equal signs in a row are no accident, in hex digits neither. */
const RUN = /(.)\1{9,}/;

/** Shorter texts come twice in random hex digits too. */
const MIN_REPEATED = 4;
/** Between the signs of an even row. */
const MAX_STEP = 2;
/** Of a word out of a list of a thousand, and of a letter that is none of a word. */
const BITS_OF_WORD = 10;
const BITS_OF_LETTER = 4;
const MAX_WORD = 12;
/** Words, joined or apart, and at most four digits behind them. */
const WORDY = /^[A-Za-z\s._',-]+\d{0,4}[.!?]*$/;
/** No more of a secret is weighed. */
const MAX_WEIGHED = 1_024;

/** What stands in examples in the place of a secret. Each is too long, or made of signs too odd, to come up by chance. */
const PLACEHOLDERS: readonly RegExp[] = [
  /x{6,}|\*{4,}|\.{3,}|…|^<.*>$|\{\{|\$\{/i,
  RUN,
  /your[-_ ]?(?:own[-_ ]?)?(?:bot|token|key|api|secret|password|oauth|subscription|real|actual|github)/i,
  /change[-_ ]?(?:me|this)|replace[-_ ]?(?:me|this|with)|insert[-_ ]?(?:your|here|token|key)|fill[-_ ]?(?:me|this)[-_ ]?in/i,
  /(?:token|key|secret|password)[-_ ]?(?:goes[-_ ]?)?here|placeholder|not[-_ ]?a[-_ ]?real/i,
  // The Bot API's own documents: "Authorizing your bot", "Obtain your bot token".
  /^123456:ABC-DEF1234ghIkl|^110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw|^4839574812:AAFD39kkdpWt3ywyRZergyOLMaJhac60qc/,
];

/** Walks over a keyboard, phrases that everybody knows, addresses, and the SHA-256 of nothing. */
const KNOWN =
  /1q2w3e4r|1qaz2wsx|zaq12wsx|qazwsxedc|a1b2c3d4|correct.?horse.?battery|the.?quick.?brown.?fox|lorem.?ipsum|:\/\/|^e3b0c44298fc1c14/i;

/** Words that secrets of people's own making are made of; each tells a guesser next to nothing new. */
const WORDS =
  /pass(?:word|wort|phrase)?|secret|token|admin|letmein|welcome|qwert[yz]?|asdf(?:gh)?|sallyport|telegram|anthropic|claude|webhook|hmac|example|default|development|production|changeme|super|test|auth|login|session|monkey|dragon|iloveyou/gi;

/** True for what an example puts where the secret belongs, such as `123456:ABC-DEF…`, `sk-ant-xxxxxxxx` or `your-token-here`. */
export function isPlaceholder(value: string): boolean {
  return PLACEHOLDERS.some((pattern) => pattern.test(value));
}

/**
 * What is wrong with a secret that a person made up, as words that go on from "a secret that"; null when nothing is. It must have
 * `minBytes`, be no placeholder, and by a rough estimate be no easier to guess than random letters of that length: repetitions,
 * sequences and common words count next to nothing. Says nothing of the value.
 */
export function weaknessOf(secret: string, minBytes: number): string | null {
  const bytes = Buffer.byteLength(secret);
  if (bytes < minBytes) return `has ${bytes} bytes`;
  if (isPlaceholder(secret)) return "is the placeholder of an example";
  if (KNOWN.test(secret)) return "is too easy to guess";
  return guessBits(secret.slice(0, MAX_WEIGHED)) < minBytes * BITS_PER_BYTE ? "is too easy to guess" : null;
}

/** About how many bits a guesser must find out: the least that one of two views of the secret comes to. */
function guessBits(secret: string): number {
  const news = newSignsOf(secret.replaceAll(WORDS, (word) => word.charAt(0)));
  return Math.min(news.length * mixtureOf(news), wordBits(secret));
}

/**
 * The signs that do not follow from those before them. What stood there before, in either case, is one sign however long it is, and
 * may run on into itself (`hunter2hunter2hunt`); of an even row, such as `aaa`, `abc`, `9753`, its beginning counts.
 */
function newSignsOf(text: string): readonly string[] {
  const folded = text.toLowerCase();
  const news: string[] = [];
  for (let at = 0; at < text.length; ) {
    const known = repeatedAt(folded, at);
    if (known > 0 || !isOfRow(text, at)) news.push(text.charAt(at));
    at += Math.max(1, known);
  }
  return news;
}

/** How long the longest text is that begins there and stood before; 0 when it is too short to be no accident. */
function repeatedAt(text: string, at: number): number {
  let length = 0;
  while (at + length < text.length && text.lastIndexOf(text.slice(at, at + length + 1), at - 1) >= 0)
    length += 1;
  return at > 0 && length >= MIN_REPEATED ? length : 0;
}

/** True for the same sign again, the next or the one before in the order of the codes, and a third at the same small distance. */
function isOfRow(text: string, at: number): boolean {
  if (at === 0) return false;
  const step = text.charCodeAt(at) - text.charCodeAt(at - 1);
  const before = text.charCodeAt(at - 1) - text.charCodeAt(at - 2);
  return Math.abs(step) <= 1 || (Math.abs(step) <= MAX_STEP && step === before);
}

/** For words with at most four digits behind them, what a list of words makes of each; no bound for anything else. */
function wordBits(secret: string): number {
  if (!WORDY.test(secret)) return Number.POSITIVE_INFINITY;
  const words = secret.match(/[A-Z]?[a-z]+|[A-Z]+|\d+/g) ?? [];
  const known = new Set<string>();
  return words.reduce((bits, word) => {
    const folded = word.toLowerCase();
    const isKnown = known.has(folded) || folded.replaceAll(WORDS, "") === "";
    known.add(folded);
    const ofSigns = word.length * BITS_OF_LETTER;
    // A long row of letters is no word that a list would have.
    const bitsOfNew = word.length > MAX_WORD ? ofSigns : Math.min(BITS_OF_WORD, ofSigns);
    return bits + (isKnown ? 1 : bitsOfNew);
  }, 0);
}

/** Shannon's entropy of the signs, in bits a sign. */
function mixtureOf(signs: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const sign of signs) counts.set(sign, (counts.get(sign) ?? 0) + 1);
  return [...counts.values()].reduce((bits, count) => {
    const share = count / signs.length;
    return bits - share * Math.log2(share);
  }, 0);
}
