import { REDACTED, redactShapes } from "../domain/secret-shapes.ts";

/** Shorter texts are no secrets: config/ refuses them, and cutting them out would tear ordinary words apart. */
const MIN_SECRET_CHARS = 8;

/** The path of a Bot API URL, also with a token that is cut or made up (H23). */
const BOT_PATH = /(bot)\d{1,20}(?::|%3A)[\w-]+/gi;

/** A URL's user part, which may be a token without a password. */
const URL_USER = /(:\/\/)[^\s/?#@"'<>]{1,400}(?=@)/g;

/**
 * Makes a function that replaces every known secret value by `[redacted]`: as it is, as it stands in a URL, in JSON, in hex
 * and in base64 at any offset, and the half of a bot token after its colon; and whatever
 * has the shape of a secret (domain/secret-shapes.ts).
 * Values under 8 characters are passed over.
 */
export function createRedactor(secretValues: readonly string[]): (text: string) => string {
  const known = secretValues.filter((value) => value.length >= MIN_SECRET_CHARS).flatMap(formsOf);
  const longestFirst = [...new Set(known)].sort((a, b) => b.length - a.length);
  const pattern =
    longestFirst.length === 0 ? null : new RegExp(longestFirst.map(escapeRegExp).join("|"), "g");
  return (text) => {
    const hidden = pattern === null ? text : text.replace(pattern, REDACTED);
    const shown = hidden.replace(BOT_PATH, `$1${REDACTED}`).replace(URL_USER, `$1${REDACTED}`);
    return redactShapes(shown);
  };
}

function formsOf(value: string): readonly string[] {
  const half = value.split(":").at(-1) ?? "";
  const values = half.length >= MIN_SECRET_CHARS && half !== value ? [value, half] : [value];
  return values.flatMap((each) => {
    const inUrl = encodeURIComponent(each.toWellFormed());
    return [
      each,
      inUrl,
      inUrl.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
      JSON.stringify(each).slice(1, -1),
      Buffer.from(each).toString("hex"),
      ...base64Forms(each),
    ];
  });
}

/** What every base64 text has in it whose bytes hold `value`, wherever it begins: its inner signs at the three offsets. */
function base64Forms(value: string): readonly string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
    const firstOwn = Math.ceil((offset * 8) / 6);
    const lastOwn = Math.floor((bytes.length * 8) / 6);
    const encodings = [bytes.toString("base64"), bytes.toString("base64url")];
    return encodings
      .map((text) => text.slice(firstOwn, lastOwn))
      .filter((text) => text.length >= MIN_SECRET_CHARS);
  });
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
