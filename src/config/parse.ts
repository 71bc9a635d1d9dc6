import { type Fault, showValue } from "./faults.ts";
import type { RawSettings } from "./raw.ts";
import { SECRET_KEYS, type Settings, type SoundSettings, settingsSchema } from "./settings.ts";

/** `complete` is null when anything is wrong; `sound` has at least the settings that are right, defaults included. */
export interface ParsedSettings {
  readonly complete: Settings | null;
  readonly sound: SoundSettings;
  readonly faults: readonly Fault[];
}

/** Parses each setting alone, so that one fault hides no other. `raw` says where a value came from. */
export function parseSettings(
  texts: Readonly<Record<string, string>>,
  raw: Pick<RawSettings, "originOf">,
  homeDir: string,
): ParsedSettings {
  const schema = settingsSchema(homeDir);
  const whole = schema.safeParse(texts);
  if (whole.success) return { complete: whole.data, sound: whole.data, faults: [] };
  const wrong = new Map(whole.error.issues.map((issue) => [String(issue.path[0]), issue.message]));
  const rest = Object.fromEntries(Object.entries(texts).filter(([key]) => !wrong.has(key)));
  const partial = schema.partial().safeParse(rest);
  return {
    complete: null,
    sound: partial.success ? partial.data : {},
    faults: [...wrong].map(([key, expected]) => ({ key, expected, got: describe(key, texts, raw) })),
  };
}

function describe(
  key: string,
  texts: Readonly<Record<string, string>>,
  { originOf }: Pick<RawSettings, "originOf">,
): string {
  const value = texts[key];
  if (value === undefined) return "nothing";
  const shown = isSecret(key) ? "something else (not shown)" : showValue(value);
  return `${shown} from ${originOf(key)}`;
}

function isSecret(key: string): boolean {
  return SECRET_KEYS.some((name) => name === key);
}
