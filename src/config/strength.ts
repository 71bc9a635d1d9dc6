/** Bits that each byte of the least length must be worth, by the estimate below; random hex digits come to about three. */
const BITS_PER_BYTE = 1.75;
/** As many equal signs in a row are no accident, in hex digits neither. */
const RUN = /(.)\1{9,}/;

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
  return guessBits(secret) < minBytes * BITS_PER_BYTE ? "is too easy to guess" : null;
}

/** About how many bits a guesser must find out: for each sign that does not follow from those before it, what the mixture of signs is worth. */
function guessBits(secret: string): number {
  const signs = Array.from(periodOf(secret.replaceAll(WORDS, (word) => word.charAt(0))));
  const news = signs.filter((sign, index) => !follows(signs[index - 1], sign));
  return news.length * mixtureOf(news);
}

/** The shortest beginning whose repetition the text is. */
function periodOf(text: string): string {
  const period = `${text}${text}`.indexOf(text, 1);
  return text.slice(0, period < 1 ? text.length : period);
}

/** True for the same sign again, and the next or the one before in the order of the codes: `aaa`, `abc`, `321`. */
function follows(before: string | undefined, sign: string): boolean {
  if (before === undefined) return false;
  return Math.abs((sign.codePointAt(0) ?? 0) - (before.codePointAt(0) ?? 0)) <= 1;
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
