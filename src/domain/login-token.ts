/** What a login token looks like: a fixed beginning and 256 random bits in base64url. */
export const TOKEN_PREFIX = "spt_";
export const TOKEN_BYTES = 32;

/** Finds tokens in any text. What follows one is no part of it: a text that runs on is hidden as well. */
const ANYWHERE = /spt_[A-Za-z0-9_-]{43}/g;
const LOGIN = /^\/login(?:@\w{1,64})?\s+(spt_[A-Za-z0-9_-]{43})\s*$/i;

/** The token of a well-formed `/login <token>`; null for any other text. */
export function tokenIn(text: string): string | null {
  const token = LOGIN.exec(text)?.[1];
  return token?.startsWith(TOKEN_PREFIX) ? token : null;
}

/** The text with as many asterisks in place of each token, so that what counts characters still fits. */
export function hideTokens(text: string): string {
  return text.includes(TOKEN_PREFIX) ? text.replace(ANYWHERE, (token) => "*".repeat(token.length)) : text;
}
