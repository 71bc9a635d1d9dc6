import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { TOKEN_BYTES, TOKEN_PREFIX } from "../domain/login-token.ts";

/** A new token: 256 random bits. */
export function makeToken(): string {
  return TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString("base64url");
}

/** What is stored of a token and compared: HMAC-SHA256 under `AUTH_TOKEN_SECRET`, hexadecimal. Without that secret it tells nothing. */
export function digestOfToken(secret: string, token: string): string {
  return createHmac("sha256", secret).update(token).digest("hex");
}

/**
 * The one of `candidates` with that digest. Looks at all of them, and at all bytes of each, whether one matches or not, so that
 * the time it takes tells nothing.
 */
export function findByDigest<T extends { readonly digest: string }>(
  candidates: readonly T[],
  digest: string,
): T | null {
  const wanted = Buffer.from(digest);
  let found: T | null = null;
  for (const candidate of candidates) {
    const own = Buffer.from(candidate.digest);
    if (own.length === wanted.length && timingSafeEqual(own, wanted)) found = candidate;
  }
  return found;
}
