/** Shorter texts are no secrets: config/ refuses them, and cutting them out would tear ordinary words apart. */
const MIN_SECRET_CHARS = 8;
/** What a kind of secret begins with, whoever's it is. */
const PUBLIC_BEGINNING =
  /^(?:\d+:|sk-ant-[a-z]+\d+-|sk-(?:[a-z]+-)?|github_pat_|gh[a-z]_|glpat-|xox[a-z]-|[a-z]{2,6}_)/;
/** So many characters beyond that are a part of the secret. */
const TELLING_CHARS = 6;

/** One way in which a known value may stand in a text. */
export interface SecretForm {
  readonly text: string;
  /** A beginning of this length is a part of the secret already; a shorter one is what many have. */
  readonly tellingLength: number;
}

/**
 * Every way in which known values may stand in a text: as they are, in a URL, in a form, in JSON, in hex and in base64 at any offset,
 * and the part of a bot token, or of an address with a password, that is a secret by itself. Values under 8 characters are passed over, and so are forms of that length.
 */
export function formsOf(values: readonly string[]): readonly SecretForm[] {
  const wholes = values.filter((value) => value.length >= MIN_SECRET_CHARS);
  const forms = new Map<string, SecretForm>();
  for (const value of wholes.flatMap(withSecretPart)) {
    const telling = (PUBLIC_BEGINNING.exec(value)?.[0].length ?? 0) + TELLING_CHARS;
    for (const text of writings(value)) {
      const tellingLength = Math.ceil((telling * text.length) / value.length);
      if (text.length >= MIN_SECRET_CHARS && !forms.has(text)) forms.set(text, { text, tellingLength });
    }
  }
  return [...forms.values()];
}

/** A bot token's half after its colon, and an address's password. */
const SECRET_PARTS = [
  /^\d+:(?<part>.+)$/,
  /^[a-z][\w+.-]*:\/\/[^\s:/?#@]*:(?![0-9]{1,12}[?#])(?<part>[^\s/@]+)@/i,
];

function withSecretPart(value: string): readonly string[] {
  const parts = SECRET_PARTS.flatMap((pattern) => pattern.exec(value)?.groups?.part ?? []);
  const written = parts.flatMap((part) => [part, decoded(part)]); // as it stands there, and as it is typed
  return [value, ...written.filter((part) => part.length >= MIN_SECRET_CHARS)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function writings(value: string): readonly string[] {
  const inUrl = encodeURIComponent(value.toWellFormed());
  const inForm = new URLSearchParams({ v: value }).toString().slice("v=".length);
  const inPath = inUrl.replaceAll("%2F", "/"); // as languages do that take the text for a path
  const inJson = JSON.stringify(value).slice(1, -1);
  const hex = Buffer.from(value).toString("hex");
  return [
    value,
    ...[inUrl, inForm, inPath].flatMap((text) => [
      text,
      text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    ]),
    inJson,
    inJson.replaceAll("/", "\\/"),
    value.replace(/[&<>"']/g, (sign) => HTML[sign] ?? sign),
    hex,
    hex.toUpperCase(),
    ...base64Forms(value),
  ];
}

/** How HTML writes what is a sign of its own. */
const HTML: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** What every base64 text has in it whose bytes hold `value`, wherever it begins: its inner signs at the three offsets. */
function base64Forms(value: string): readonly string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
    const firstOwn = Math.ceil((offset * 8) / 6);
    const lastOwn = Math.floor((bytes.length * 8) / 6);
    const encodings = [bytes.toString("base64"), bytes.toString("base64url")];
    return encodings.map((text) => text.slice(firstOwn, lastOwn));
  });
}
