import { z } from "zod";
import type { Parser } from "./values.ts";

/** What people are told about a setting. `standard` is its default as text; null with `isRequired` false means "none". */
export interface About {
  readonly meaning: string;
  readonly unit: string | null;
  readonly standard: string | null;
  readonly isRequired: boolean;
  readonly isSecret: boolean;
}

/** What `About` says of each schema in `settingsSchema(…).shape`. */
export const aboutSettings = z.registry<About>();

/** What is said of a setting where it is declared. */
interface Remark {
  readonly meaning: string;
  readonly unit?: string;
  readonly isSecret?: boolean;
}

/** Marks a setting as a secret. */
export function secret(meaning: string): Remark {
  return { meaning, isSecret: true };
}

function describe(remark: Remark, rest: Pick<About, "standard" | "isRequired">): About {
  return { meaning: remark.meaning, unit: remark.unit ?? null, isSecret: remark.isSecret ?? false, ...rest };
}

/** A setting that must be set. */
export function required<T>(parser: Parser<T>, remark: Remark) {
  return parser.register(aboutSettings, describe(remark, { standard: null, isRequired: true }));
}

/** A setting that may be absent. */
export function optional<T>(parser: Parser<T>, remark: Remark) {
  return parser.optional().register(aboutSettings, describe(remark, { standard: null, isRequired: false }));
}

/** A setting with a default, given as the text that people would write. */
export function standard<T>(value: string, parser: Parser<T>, remark: Remark) {
  return parser
    .prefault(value)
    .register(aboutSettings, describe(remark, { standard: value, isRequired: false }));
}
