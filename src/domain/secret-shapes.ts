/** What stands where a secret stood. */
export const REDACTED = "[redacted]";

/** What a kind of secret looks like. What the group `keep` matches is no secret and stays. */
export interface SecretShape {
  readonly name: string;
  readonly pattern: RegExp;
}

/**
 * Shapes that only a secret has: prefixes of vendors, key blocks, tokens with a structure of their own. Prose and code do not
 * have them, so they may be looked for in an answer too.
 *
 * Here and below every repetition is bounded, or begins with a fixed text that cannot be found again in what it is made
 * of, so that no text makes the search slow. Shapes find what they know: the daemon's own secrets are found by their
 * values, and by the kept rule set, in `log/`.
 */
export const CERTAIN_SHAPES: readonly SecretShape[] = [
  { name: "private key", pattern: privateKey() },
  { name: "age key", pattern: /\bAGE-SECRET-KEY-1[A-Z0-9]{20,}/g },
  {
    // With capitals, which neither names behind a number have (`123456789012:my-queue`) nor a head of the audit.
    name: "Telegram bot token",
    pattern: /(?<![0-9])[0-9]{6,11}(?::|%3[Aa])(?=[\w-]{0,40}[A-Z])(?=[\w-]{0,40}[a-z])[\w-]{30,}/g,
  },
  { name: "login token of ours", pattern: /\bspt_[\w-]{43}/g },
  { name: "Anthropic key", pattern: /\bsk-ant-(?=[\w-]{0,60}[0-9])[\w-]{8,}/g },
  {
    name: "OpenAI or OpenRouter key",
    pattern:
      /\bsk-(?:(?=[\w-]{0,60}[0-9])(?=[\w-]{0,60}[A-Z])[\w-]{20,}|(?:[a-z0-9]{2,8}-){0,3}[a-f0-9]{32,})/g,
  },
  { name: "Stripe key", pattern: /\b(?:[rsp]k_(?:live|test)|whsec)_[A-Za-z0-9]{10,}/g },
  { name: "GitHub token", pattern: /\b(?:gh[oprsu]|github_pat)_\w{20,}/g },
  { name: "GitLab token", pattern: /\bgl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[\w.-]{20,}/g },
  { name: "AWS key id", pattern: /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])/g },
  { name: "Google key", pattern: /\bAIza[\w-]{30,}/g },
  { name: "Google OAuth token", pattern: /\b(?:ya29\.|GOCSPX-|1\/\/0)[\w-]{20,}/g },
  { name: "Slack token", pattern: /\b(?:xox[a-z]|xapp)-[\w-]{10,}/g },
  {
    name: "webhook address",
    pattern:
      /(?<keep>\b(?:hooks\.slack\.com\/(?:services|workflows)|discord(?:app)?\.com\/api\/webhooks)\/)[\w/-]{20,}/g,
  },
  { name: "npm token", pattern: /\bnpm_[A-Za-z0-9]{30,}/g },
  { name: "PyPI token", pattern: /\bpypi-(?=[\w-]{0,60}[0-9])[\w-]{30,}/g },
  { name: "Hugging Face token", pattern: /\bhf_[A-Za-z0-9]{30,}/g },
  { name: "SendGrid key", pattern: /\bSG\.[\w-]{16,100}\.[\w-]{16,}/g },
  { name: "DigitalOcean token", pattern: /\bdo[oprs]_v1_[a-f0-9]{40,}/g },
  { name: "Docker token", pattern: /\bdckr_[a-z]{3}_[\w-]{20,}/g },
  { name: "Meta token", pattern: /\bEAA[A-Za-z0-9]{80,}/g },
  { name: "Atlassian token", pattern: /\bATATT3[\w-]{40,}/g },
  { name: "Groq or xAI key", pattern: /\b(?:gsk_|xai-)[A-Za-z0-9]{40,}/g },
  { name: "Vault token", pattern: /\bhv[brs]\.[\w-]{24,}/g },
  { name: "Supabase token", pattern: /\bsbp_(?:v0_)?[a-f0-9]{40,}/g },
  { name: "Notion token", pattern: /\bntn_[A-Za-z0-9]{40,}/g },
  { name: "NVIDIA key", pattern: /\bnvapi-[\w-]{40,}/g },
  { name: "Replicate token", pattern: /\br8_[A-Za-z0-9]{30,}/g },
  { name: "Mailgun key", pattern: /(?<![\w-])[a-f0-9]{32}-[a-f0-9]{8}-[a-f0-9]{8}(?![\w-])/g },
  { name: "Doppler token", pattern: /\bdp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,}/g },
  { name: "HubSpot token", pattern: /\bpat-[a-z]{2}\d-[a-f0-9-]{36}/g },
  { name: "Postman key", pattern: /\bPMAK-[a-f0-9]{24}-[a-f0-9]{34}/g },
  { name: "Fly token", pattern: /\bfm[12][ar]?_[\w+/=,]{50,}/g },
  { name: "Cloudflare origin key", pattern: /\bv1\.0-[a-f0-9]{24}-[a-f0-9]{100,}/g },
  { name: "Azure account key", pattern: /(?<keep>\bAccountKey=)[A-Za-z0-9+/]{40,}={0,2}/g },
  { name: "Sentry address", pattern: /(?<keep>:\/\/)[a-f0-9]{32}(?::[a-f0-9]{32})?(?=@[\w.-]{0,60}sentry)/g },
  {
    name: "password of an address, with a digit as made up ones have",
    pattern:
      /(?<keep>\b[a-z][a-z0-9+]{1,20}:\/\/[^\s:/?#@"'<>]{0,100}:)(?![0-9]{1,12}[?#])(?=[^\s/@"'<>]{0,100}[0-9])[^\s/@"'<>]{8,200}(?=@)/g,
  },
  {
    name: "bearer of a token, long and with digits",
    pattern:
      /(?<keep>\b[Bb]earer\s{1,4})(?:(?=[\w.~+/=-]{0,200}[0-9])(?=[\w.~+/=-]{0,200}[A-Z])|(?=(?:[^\s0-9]{0,40}[0-9]){6}))[\w.~+/=-]{20,}/g,
  },
  { name: "JSON web token", pattern: /(?<![\w-])eyJ[\w-]{10,}\.[\w-]{5,}(?:\.[\w-]*)?/g },
];

/**
 * A block with its key, or with as much of it as was not cut off. A header alone, as it stands in prose and code, is no secret, and
 * what follows it is taken only as far as it is a key's: else a command could hide itself behind the words.
 */
function privateKey(): RegExp {
  const header = "-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----";
  /** Taken whole or not at all, which this language spells so: nothing that was taken is tried in another way. */
  const atomic = (name: string, pattern: string): string => `(?=(?<${name}>${pattern}))\\k<${name}>`;
  const within = String.raw`[ \t"',>#+]|\\{1,4}t|-(?!-)|[0-9]{1,6}[\t:|→-]|\x1b\[[0-9;]{0,12}m`;
  // Also of JSON and code; and what begins a line where somebody quotes, comments, compares or frames it.
  const lineEnd = String.raw`\|?\$?(?:\r?\n|\\{1,4}[nr])`;
  const decor = `${within}|[;|*%]|//`;
  const gap = `(?:${within}){0,40}(?:${lineEnd}(?:${decor}){0,40}){0,20}`;
  // Nothing in them that a shell would run.
  const address = String.raw`<[\w.+-]{1,80}@[\w.-]{1,80}>`;
  const about = `[A-Z][A-Za-z-]{1,30}: (?:[^\\r\\n\\\\$\`;|&<>]|${address}){0,200}`;
  const cipher = "(?:Proc-Type: [0-9],[A-Z]{1,20}|DEK-Info: [A-Z0-9-]{1,30},[A-F0-9]{1,64})";
  const abouts = atomic(
    "abouts",
    `(?:(?:${within}){0,40}(?:${cipher}|(?:${lineEnd}(?:${decor}){0,40}){1,20}${about}))*`,
  );
  const line =
    "(?:(?=[A-Za-z0-9+/=]{0,80}[0-9])(?=[A-Za-z0-9+/=]{0,80}[A-Z])[A-Za-z0-9+/=]{16,}|[A-Za-z0-9+/=]{48,})";
  const lines = `(?:${atomic("gap", gap)}${line})+`;
  const end = `(?:${atomic("last", gap)}[A-Za-z0-9+/=]{1,48})?${atomic("rest", gap)}-?-----END [A-Z0-9 ]{0,40}-----`;
  return new RegExp(`${header}${abouts}${lines}(?:${end})?`, "g");
}

/** What only the surroundings make a secret. Prose and code have them too: for what is not meant to be read as it stands. */
const LIKELY_SHAPES: readonly SecretShape[] = [
  { name: "Mailgun key of the older kind", pattern: /(?<![\w-])key-[a-f0-9]{32}(?![\w-])/g },
  {
    name: "authorization header",
    pattern: /(?<keep>\b(?:bearer|basic)(?:\s|%20){1,4})[\w.~+/=%-]{8,}/gi,
  },
  { name: "path of a Bot API address", pattern: /(?<keep>bot)\d{1,20}(?::|%3A)[\w-]+/gi },
  { name: "user of an address", pattern: /(?<keep>:\/\/)[^\s/?#@"'<>]{1,400}(?=@)/g },
  {
    name: "value of a secret's name",
    pattern:
      /(?<keep>(?:secret|token|passw(?:or)?d|passwd|passphrase|credential|(?:api|access|private|auth|signing|encryption)[_-]?key)(?!s["']?[:=]["']?[0-9]{1,9}\b)[\w-]{0,30}["']?[:=]["']?)[^\s"',;&|)}]{4,}/gi,
  },
  {
    name: "value beside a secret's name",
    pattern:
      /(?<keep>(?:secret|token|passw(?:or)?d|passwd|passphrase|credential|(?:api|access|private|auth|signing|encryption)[_-]?key)(?:[\w-]{0,30}["']?\s{0,3}[:=]\s{1,3}|s?["']?\s{1,3})["']?)(?=[^\s"',;&|)}]{0,60}[0-9])[^\s"',;&|)}]{8,}/gi,
  },
  {
    name: "long value of a key",
    pattern: /(?<keep>key["']?\s{0,3}[:=]\s{0,3}["']?)[A-Za-z0-9+/_-]{32,}={0,2}/gi,
  },
];

export const ALL_SHAPES: readonly SecretShape[] = [...CERTAIN_SHAPES, ...LIKELY_SHAPES];
