import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");

const tests = readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".test.ts") && file !== "security-claims.test.ts")
  .map((file) => readFileSync(join(ROOT, "test", file), "utf8"))
  .join("\n");

const security = readFileSync(join(ROOT, "SECURITY.md"), "utf8");
const holds = security.slice(security.indexOf("## What holds"), security.indexOf("## What does not hold"));
const lines = holds.split("\n");
/** Bullets, and rows of tables under their head: the last cell of a row has the names. */
const claims = [
  ...lines.filter((line) => line.startsWith("- ")),
  ...lines.filter((line) => line.startsWith("| ") && !line.endsWith("| tests |")),
];

/** The names of tests that stand in brackets at the end of a claim; a name may itself hold brackets. */
function namesIn(claim: string): readonly string[] {
  const start = claim.search(/[.|] \[/);
  if (start < 0) return [];
  return claim.slice(start + 3, claim.lastIndexOf("]")).split("] [");
}

test("every claim of SECURITY.md names its test", () => {
  expect(claims.length).toBeGreaterThan(20);
  expect(claims.filter((claim) => namesIn(claim).length === 0)).toEqual([]);
});

test.each(claims.flatMap(namesIn))("SECURITY.md names a test that exists: %s", (name) => {
  const spellings = [name, name.replaceAll('"', '\\"'), name.replaceAll("'", "\\'")];
  expect(
    spellings.some((spelling) => tests.includes(`"${spelling}"`) || tests.includes(`'${spelling}'`)),
  ).toBe(true);
});
