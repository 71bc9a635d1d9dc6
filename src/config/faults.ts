import { AppError } from "../domain/errors.ts";
import { CERTAIN_SHAPES } from "../domain/secret-shapes.ts";

const MAX_SHOWN = 80;

/** Bot tokens, Claude credentials, and credentials inside a URL: hidden even where a key that is no secret holds them. */
const LOOKS_SECRET = /\d{5,}:[\w-]{20,}|sk-ant-|:\/\/[^/]*@/;

/** One thing that is wrong with the settings. `got` never holds a secret's value. */
export interface Fault {
  readonly key: string;
  readonly expected: string;
  readonly got: string;
}

/** What is wrong, and what is doubtful, a sentence each and without secrets. */
export interface Remarks {
  readonly faults: readonly Fault[];
  readonly warnings: readonly string[];
}

/** A value for a person's eyes: quoted, control characters escaped, cut at 80 characters; null is `nothing`. */
export function showValue(value: string | null): string {
  if (value === null) return "nothing";
  if (LOOKS_SECRET.test(value) || CERTAIN_SHAPES.some(({ pattern }) => value.search(pattern) >= 0))
    return "something that looks like a secret (not shown)";
  return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);
}

/** One `config_invalid` that names every fault, a line each. `secrets` are cut out of the text. */
export function configError(faults: readonly Fault[], secrets: readonly string[], heading: string): AppError {
  const lines = faults.map(({ key, expected, got }) => `  ${key}: expected ${expected}, got ${got}`);
  const count = lines.length === 1 ? "1 fault" : `${lines.length} faults`;
  const text = [`The settings have ${count} (${heading}):`, ...lines].join("\n");
  const hidden = secrets.filter((secret) => secret.length >= 4);
  return new AppError(
    "config_invalid",
    hidden.reduce((line, secret) => line.replaceAll(secret, "[redacted]"), text),
  );
}
