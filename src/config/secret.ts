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
  /** Under which login tokens are hashed; null when no tokens are taken. */
  readonly tokenSecret: Secret | null;
  /** For git hosts, by the tail of the setting's name: `GITHUB_COM` of `GIT_TOKEN_GITHUB_COM`. */
  readonly gitTokens: ReadonlyMap<string, Secret>;
  /**
   * All that are set, by the names of their settings, so that the log hides them and their age is known. Of these the credential that
   * `CLAUDE_AUTH` does not name, and what `TRACK_CREDENTIALS` names, are never used.
   */
  readonly named: readonly NamedSecret[];
}

/** A secret with its setting's name, and the file that it came from: null for the environment. */
export interface NamedSecret {
  readonly name: string;
  readonly value: Secret;
  readonly file: string | null;
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
export function secretValues({ named }: Pick<Secrets, "named">): string[] {
  return named.map(({ value }) => value.reveal());
}
