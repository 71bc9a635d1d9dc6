import { z } from "zod";
import { badRequest } from "./failure.ts";
import type { Payload } from "./payload.ts";

/** A whole number, also as text: forms have nothing else. */
export const integer = z.union(
  [
    z.int(),
    z
      .string()
      .regex(/^-?\d{1,15}$/)
      .transform(Number),
  ],
  {
    error: (issue) => `can't parse ${nameOf(issue.path)} as a Number`,
  },
);

/** A yes or no, in every form that the real server takes. */
export const flag = z.union([z.boolean(), z.number(), z.string()]).transform((value) => {
  return typeof value === "string" ? ["true", "yes", "1"].includes(value.toLowerCase()) : Boolean(value);
});

/** A chat: its number, also as text, or a public name (of which this server knows none). */
export const chatRef = z.union([z.int(), z.string().min(1)], { error: "chat_id is empty" });

/** A nested parameter, as a value or as JSON text. */
export function nested<S extends z.ZodType>(schema: S): z.ZodPreprocess<S> {
  return z.preprocess(unwrapJson, schema);
}

/** The parameters as the schema shapes them. Throws 400 with the first issue's message. */
export function parseParams<S extends z.ZodType>(schema: S, payload: Payload): z.output<S> {
  const parsed = schema.safeParse(payload.fields);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw badRequest(issue?.message ?? "wrong parameters");
}

/** A nested parameter that is parsed later, by the part that knows its wording. Undefined for broken JSON. */
export function unwrapJson(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

function nameOf(path: readonly PropertyKey[] | undefined): string {
  return String(path?.at(-1) ?? "parameter");
}
