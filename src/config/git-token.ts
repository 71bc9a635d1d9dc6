import { parseHostName } from "../domain/host-rule.ts";
import type { Fault } from "./faults.ts";
import { nearMissOf } from "./nearest.ts";

/** What `.env.example` says of `GIT_TOKEN_<HOST>`: any number of them, a secret for each git host. */
export const GIT_TOKEN_ABOUT = {
  example: "GIT_TOKEN_GITHUB_COM",
  meaning:
    "A token for a git host, named in capitals with every other sign as _: the daemon fetches and pushes with it; it never enters the sandbox.",
} as const;

const PREFIX = "GIT_TOKEN_";
const GIT_TOKEN = /^GIT_TOKEN_([A-Z0-9](?:[A-Z0-9_]*[A-Z0-9])?)$/;
/** Hosts by the words that other programs name their tokens with, such as `GITHUB_TOKEN` and `GH_PAT`. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  GITHUB: "GITHUB_COM",
  GH: "GITHUB_COM",
  GITLAB: "GITLAB_COM",
  BITBUCKET: "BITBUCKET_ORG",
  CODEBERG: "CODEBERG_ORG",
};

/** The setting whose value is a git host's token, for `GIT_TOKEN_<HOST>` and its `_FILE`; null for any other name. */
export function gitTokenKey(name: string): string | null {
  const key = name.replace(/_FILE$/, "");
  const tail = GIT_TOKEN.exec(key)?.[1];
  return tail !== undefined && isOfHost(tail) ? key : null;
}

/** The fault of a name that begins as a git host's token does and is that of no host; null for every other name. */
export function hostlessFault(name: string): Fault | null {
  if (!name.startsWith(PREFIX) || gitTokenKey(name) !== null) return null;
  const near = suggestGitToken(name);
  const hint = near === null ? "" : `; did you mean ${near}?`;
  const expected = `the whole name of a git host behind ${PREFIX}, in capitals with every other sign as _, such as ${GIT_TOKEN_ABOUT.example}${hint}`;
  return { key: name, expected, got: "the name of no host" };
}

/** The setting of a git host's token that a name was probably meant as; null when there is none. */
export function suggestGitToken(name: string): string | null {
  const upper = name.toUpperCase();
  if (gitTokenKey(upper) !== null) return upper;
  const words = upper.split("_");
  const host = words.map((word) => WELL_KNOWN[word]).find((found) => found !== undefined);
  if (host !== undefined && (words.includes("TOKEN") || words.includes("PAT")))
    return `${PREFIX}${host}${upper.endsWith("_FILE") ? "_FILE" : ""}`;
  return nearMissOf(upper, [GIT_TOKEN_ABOUT.example]);
}

/** True when a host can have that tail: each `_` is a dot or a hyphen of its name. */
function isOfHost(tail: string): boolean {
  const name = tail.toLowerCase();
  const dots = [...name.matchAll(/_/g)].map(({ index }) => index);
  const readings = dots.map((dot) => `${name.slice(0, dot)}.${name.slice(dot + 1)}`.replaceAll("_", "-"));
  return [name.replaceAll("_", "."), ...readings].some((reading) => parseHostName(reading) !== null);
}
