/** What stands where a secret stood. */
export const REDACTED = "[redacted]";

/** What a kind of secret looks like. What the group `keep` matches is no secret and stays. */
export interface SecretShape {
  readonly name: string;
  readonly pattern: RegExp;
}

/**
 * Shapes of well-known secrets, the specific ones first. Every repetition is bounded, or begins with a fixed text and
 * cannot be followed by what it is made of, so that no text makes the search slow. Shapes find what they know: the
 * daemon's own secrets are found by their values, in `log/`.
 */
export const SECRET_SHAPES: readonly SecretShape[] = [
  {
    name: "private key",
    pattern:
      /(?<keep>)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}-----|$)/g,
  },
  { name: "Telegram bot token", pattern: /(?<keep>)(?<![0-9])[0-9]{6,20}(?::|%3A)[\w-]{30,}/gi },
  { name: "Anthropic key", pattern: /(?<keep>)\bsk-ant-[\w-]{8,}/g },
  { name: "OpenAI or OpenRouter key", pattern: /(?<keep>)\bsk-(?=[\w-]{0,60}[0-9])[\w-]{20,}/g },
  { name: "Stripe key", pattern: /(?<keep>)\b[rsp]k_(?:live|test)_[A-Za-z0-9]{10,}/g },
  { name: "GitHub token", pattern: /(?<keep>)\b(?:gh[oprsu]|github_pat)_\w{20,}/g },
  {
    name: "GitLab token",
    pattern: /(?<keep>)\bgl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[\w.-]{20,}/g,
  },
  { name: "AWS key id", pattern: /(?<keep>)\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}/g },
  { name: "Google key", pattern: /(?<keep>)\bAIza[\w-]{30,}/g },
  { name: "Google OAuth token", pattern: /(?<keep>)\bya29\.[\w-]{20,}/g },
  { name: "Slack token", pattern: /(?<keep>)\bxox[a-z]-[\w-]{10,}/g },
  { name: "npm token", pattern: /(?<keep>)\bnpm_[A-Za-z0-9]{30,}/g },
  { name: "PyPI token", pattern: /(?<keep>)\bpypi-[\w-]{30,}/g },
  { name: "Hugging Face token", pattern: /(?<keep>)\bhf_[A-Za-z0-9]{30,}/g },
  { name: "SendGrid key", pattern: /(?<keep>)\bSG\.[\w-]{16,}\.[\w-]{16,}/g },
  { name: "JSON web token", pattern: /(?<keep>)\beyJ[\w-]{10,}\.[\w-]{5,}(?:\.[\w-]*)?/g },
  {
    name: "authorization header",
    pattern: /(?<keep>\b(?:bearer|basic)(?:\s|%20){1,4})[\w.~+/=%-]{8,}/gi,
  },
  {
    name: "password in a URL",
    pattern: /(?<keep>:\/\/[^\s:@/?#"'<>]{0,100}:)[^\s@/?#"'<>]{1,400}(?=@)/g,
  },
  {
    name: "value of a secret's name",
    pattern:
      /(?<keep>(?:secret|token|passw(?:or)?d|passwd|passphrase|credential|(?:api|access|private|auth|signing|encryption)[_-]?key)[\w-]{0,30}["']?[:=]["']?)[^\s"',;&|)}]{4,}/gi,
  },
  {
    name: "value beside a secret's name",
    pattern:
      /(?<keep>(?:secret|token|passw(?:or)?d|passwd|passphrase|credential|(?:api|access|private|auth|signing|encryption)[_-]?key)[\w-]{0,30}["']?\s{0,3}[:=]?\s{1,3}["']?)(?=[^\s"',;&|)}]{0,60}[0-9])[^\s"',;&|)}]{8,}/gi,
  },
  {
    name: "long value of a key",
    pattern: /(?<keep>key["']?\s{0,3}[:=]\s{0,3}["']?)[A-Za-z0-9+/_-]{32,}={0,2}/gi,
  },
];

/** The text with everything that has the shape of a secret replaced by `[redacted]`. */
export function redactShapes(text: string): string {
  return SECRET_SHAPES.reduce((rest, { pattern }) => rest.replace(pattern, `$<keep>${REDACTED}`), text);
}
