import { isAbsolute } from "node:path";
import { z } from "zod";
import { type HostRule, parseHostRule } from "../domain/host-rule.ts";
import type { MicroUsd } from "../domain/money.ts";
import { expandHome } from "./places.ts";
import { isPlaceholder, weaknessOf } from "./strength.ts";

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
const MICRO_DIGITS = 6;

/** A parser of one setting's text. Its issue's message says what was expected. */
export type Parser<T> = z.ZodType<T, string>;

/** A whole number in plain decimal digits: no sign, exponent, hexadecimal or blanks inside. */
export function wholeNumber(min: number, max: number): Parser<number> {
  const expected = `a whole number from ${min} to ${max}`;
  return text(expected, /^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(min, expected).max(max, expected));
}

/** Seconds as text, milliseconds as value. */
export function seconds(min: number, max: number): Parser<number> {
  return wholeNumber(min, max).transform((count) => count * 1000);
}

/** Days as text, milliseconds as value. */
export function days(min: number, max: number): Parser<number> {
  return wholeNumber(min, max).transform((count) => count * 86_400_000);
}

/** Hours as text, milliseconds as value. */
export function hours(min: number, max: number): Parser<number> {
  return wholeNumber(min, max).transform((count) => count * 3_600_000);
}

/** `true` or `false`, in any case. */
export function flag(): Parser<boolean> {
  return oneOf(["true", "false"]).transform((word) => word === "true");
}

/** Mebibytes as text, bytes as value. */
export function mebibytes(min: number, max: number): Parser<number> {
  return wholeNumber(min, max).transform((count) => count * 1024 * 1024);
}

/** US dollars with at most six decimals, above zero, as whole millionths; read by digits, so that nothing is rounded. */
export function dollars(max: number): Parser<MicroUsd> {
  const expected = `an amount in US dollars above 0 and up to ${max}, such as 2.50`;
  return text(expected, /^\d{1,9}(\.\d{1,6})?$/)
    .transform((amount) => {
      const [whole = "", fraction = ""] = amount.split(".");
      return Number(whole + fraction.padEnd(MICRO_DIGITS, "0"));
    })
    .pipe(
      z
        .number()
        .positive(expected)
        .max(max * 10 ** MICRO_DIGITS, expected),
    );
}

/** One of a few words, in any case. */
export function oneOf<const T extends readonly [string, ...string[]]>(words: T): Parser<T[number]> {
  const expected = words.length === 2 ? words.join(" or ") : `one of ${words.join(", ")}`;
  return z.string(expected).toLowerCase().pipe(z.enum(words, expected));
}

/** Words separated by commas, blanks round them and repetitions dropped; each must match `shape`. Never empty. */
export function wordList(expected: string, shape: RegExp): Parser<readonly string[]> {
  return z
    .string(expected)
    .transform((line) =>
      [...new Set(line.split(",").map((word) => word.trim()))].filter((word) => word !== ""),
    )
    .pipe(z.array(z.string().regex(shape, expected)).min(1, expected));
}

/** Telegram user ids: positive, and exact as a number. Names and the negative ids of groups are refused. */
export function userIds(expected: string): Parser<readonly number[]> {
  return wordList(expected, /^0*[1-9]\d{0,15}$/)
    .transform((ids) => [...new Set(ids.map(Number))])
    .pipe(z.array(z.number().refine(Number.isSafeInteger, expected)));
}

/** Telegram ids of groups: negative, and exact as a number. */
export function chatIds(expected: string): Parser<readonly number[]> {
  return wordList(expected, /^-[1-9]\d{0,15}$/)
    .transform((ids) => ids.map(Number))
    .pipe(z.array(z.number().refine(Number.isSafeInteger, expected)));
}

/** Hosts by name, such as `api.example.com`, `*.example.com` or `example.com:8443`. */
export function hostRules(expected: string): Parser<readonly HostRule[]> {
  return wordList(expected, /^\S+$/).transform((words, context) =>
    words.flatMap((word) => {
      const rule = parseHostRule(word);
      if (rule !== null) return [rule];
      context.addIssue({ code: "custom", message: expected });
      return [];
    }),
  );
}

/** Ports, such as 5432. */
export function ports(expected: string): Parser<readonly number[]> {
  return wordList(expected, /^[1-9]\d{0,4}$/)
    .transform((words) => words.map(Number))
    .pipe(z.array(z.number().max(65_535, expected)));
}

/** `auto`, `none`, or absolute paths separated by commas. */
export function toolsSetting(homeDir: string) {
  const expected = "auto, none, or absolute paths of folders separated by commas";
  return z.string(expected).transform((text, context) => {
    const word = text.trim().toLowerCase();
    if (word === "auto" || word === "none") return { kind: word } as const;
    const folders = text.split(",").map((path) => expandHome(path.trim(), homeDir));
    if (!folders.every((path) => isAbsolute(path) && !path.includes("\0")))
      context.addIssue({ code: "custom", message: expected });
    return { kind: "folders", folders } as const;
  });
}

/** A time zone by its IANA name in any case; gives the name that the process itself takes. Offsets are refused. */
export function timeZone(): Parser<string> {
  const expected = "a time zone's IANA name, such as Europe/Berlin, and no offset such as +02:00";
  return z.string(expected).transform((text, context) => {
    const name = zoneNameOf(text);
    if (name === null) context.addIssue({ code: "custom", message: expected });
    return name ?? text;
  });
}

/**
 * The name that Intl has for a zone: `Europe/Berlin` for `europe/berlin`, and for an alias the zone that it stands for. `TZ` takes
 * no other case. Null for what is no zone, and for an offset, which Intl takes and `TZ` does not. Where the system's zone has no name
 * Intl itself gives undefined.
 */
export function zoneNameOf(text: string | undefined): string | null {
  if (text === undefined || text === "") return null;
  try {
    const { timeZone: name } = new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions();
    return /^[+-]/.test(name) ? null : name;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Text of one shape, such as a token. */
export function text(expected: string, shape: RegExp): Parser<string> {
  return z.string(expected).regex(shape, expected);
}

/** A secret of one shape that others issue, such as an API key; what an example puts in its place is refused. */
export function givenSecret(expected: string, shape: RegExp): Parser<string> {
  return z
    .string(expected)
    .refine((value) => !isPlaceholder(value), `${expected}; yours, not the placeholder of an example`)
    .refine((value) => isPlaceholder(value) || shape.test(value), expected);
}

/** A secret that a person makes up, of at least so many bytes and hard to guess. */
export function chosenSecret(minBytes: number): Parser<string> {
  const expected = `a random secret of at least ${minBytes} bytes, such as \`openssl rand -hex 32\` prints`;
  return z.string(expected).superRefine((value, context) => {
    const weakness = weaknessOf(value, minBytes);
    if (weakness !== null)
      context.addIssue({ code: "custom", message: `${expected}, and not one that ${weakness}` });
  });
}

/** An absolute path; `~/` at its beginning stands for the home folder. Says nothing about what is there. */
export function absolutePath(homeDir: string): Parser<string> {
  const expected = "an absolute path (~/ at its beginning is the home folder)";
  return z
    .string(expected)
    .transform((path) => expandHome(path, homeDir))
    .refine((path) => isAbsolute(path) && !path.includes("\0"), expected);
}

/** The address of a service, no slash at its end: https, or http to this machine itself, since it carries a credential. */
export function serviceUrl(): Parser<string> {
  const expected =
    "an https address without credentials, query or fragment (http only to 127.0.0.1, ::1 or localhost)";
  return z
    .string(expected)
    .refine(isServiceUrl, expected)
    .transform((address) => new URL(address).href.replace(/\/+$/, ""));
}

function isServiceUrl(address: string): boolean {
  const url = URL.parse(address);
  if (!url || url.username || url.password || /[?#]/.test(address)) return false;
  return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname));
}
