import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { patchTexts } from "./claims/copy.ts";
import { EXEMPT, MUTATIONS } from "./claims/mutations.ts";
import { type Claim, readClaims } from "./claims/read-claims.ts";
import { filesOf, isCaseOf, readTestFiles } from "./claims/test-names.ts";
import { UNPROVEN } from "./claims/unproven.ts";

const ROOT = resolve(import.meta.dirname, "..");
const claims = readClaims(ROOT);
const files = readTestFiles(ROOT);

test("every claim of SECURITY.md names its test", () => {
  expect(claims.length).toBeGreaterThan(20);
  expect(claims.filter((claim) => claim.tests.length === 0)).toEqual([]);
});

test.each([...new Set(claims.flatMap((claim) => claim.tests))])(
  "SECURITY.md names a test that exists: %s",
  (name) => {
    expect(filesOf(name, files)).not.toEqual([]);
  },
);

/** The claim that begins so, which has to be one. */
function claimOf(start: string): Claim {
  const found = claims.filter(({ text }) => text.startsWith(start));
  if (found.length !== 1 || !found[0])
    throw new Error(`${found.length} claims of SECURITY.md begin with: ${start}`);
  return found[0];
}

test.each(MUTATIONS)("patched out: $claim: $gone", ({ claim, also = [], edits, red }) => {
  for (const start of [claim, ...also]) {
    const { tests } = claimOf(start);
    expect(red.filter((title) => tests.some((name) => isCaseOf(name, title)))).not.toEqual([]);
  }
  const { tests } = claimOf(claim);
  expect(red.filter((title) => !tests.some((name) => isCaseOf(name, title)))).toEqual([]);
  const texts = patchTexts(edits, (file) => readFileSync(join(ROOT, file), "utf8"));
  for (const text of texts.values()) stripTypeScriptTypes(text);
});

/** Which of the tests that a claim names turn red under none of its mutations. */
function unprovenOf(claim: Claim): readonly string[] {
  const reds = MUTATIONS.filter((it) =>
    [it.claim, ...(it.also ?? [])].some((start) => claimOf(start) === claim),
  )
    .flatMap(({ red }) => red)
    .concat(EXEMPT.filter((it) => claimOf(it.claim) === claim).map((it) => it.test));
  return claim.tests.filter((name) => !reds.some((title) => isCaseOf(name, title)));
}

test("every test that a claim names turns red under a mutation of that claim: `npm run test:claims` shows it", () => {
  const unproven = new Set(claims.flatMap(unprovenOf));
  expect([...unproven].filter((name) => !UNPROVEN.includes(name))).toEqual([]);
  // The list names nothing else: it only shrinks.
  expect(UNPROVEN.filter((name) => !unproven.has(name))).toEqual([]);
  expect(EXEMPT.filter(({ because }) => because.length < 20)).toEqual([]);
});
