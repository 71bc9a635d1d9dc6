import { inspect } from "node:util";

const SHOWN = "[redacted]";

/** A value that shows as `[redacted]` wherever it is printed, joined to text or serialised. Only `reveal()` gives it. */
export interface Secret {
  readonly reveal: () => string;
  readonly toString: () => string;
  readonly toJSON: () => string;
}

/** What the daemon may know and nobody may see. Travels apart from `Config`. */
export interface Secrets {
  readonly botToken: Secret;
  readonly claudeCredential: ClaudeCredential;
  /** For git hosts, by the tail of the setting's name: `GITHUB_COM` of `GIT_TOKEN_GITHUB_COM`. */
  readonly gitTokens: ReadonlyMap<string, Secret>;
  /** Given, but never used: a credential of the kind that `CLAUDE_AUTH` does not name. Kept so that logs hide it. */
  readonly unused: readonly Secret[];
}

/** What pays for Claude. */
export interface ClaudeCredential {
  readonly kind: "api-key" | "subscription";
  readonly value: Secret;
}

/** Wraps a value. It lives in a closure, so that no walk over properties finds it. */
export function createSecret(value: string): Secret {
  return Object.freeze({
    reveal: () => value,
    toString: () => SHOWN,
    toJSON: () => SHOWN,
    [inspect.custom]: () => SHOWN,
  });
}

/** All secret values in clear, for the logger to look for. */
export function secretValues(secrets: Secrets): string[] {
  const { botToken, claudeCredential, gitTokens, unused } = secrets;
  return [botToken, claudeCredential.value, ...gitTokens.values(), ...unused].map((secret) =>
    secret.reveal(),
  );
}
