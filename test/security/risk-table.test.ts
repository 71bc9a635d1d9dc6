import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RISK_OF_TYPE, risksFrom } from "../../src/security/risk.ts";

const security = readFileSync(join(import.meta.dirname, "../../SECURITY.md"), "utf8");

/** The table as it has to stand in SECURITY.md: a row a risk, its events by name. */
const rows = (risksFrom("low") ?? []).map((risk) => {
  const types = Object.entries(RISK_OF_TYPE).filter(([, of]) => of === risk);
  const names = types.map(([type]) => `\`${type}\``).toSorted();
  return `| ${risk} | ${names.join(", ")} |`;
});

test("the table of events and their risk in SECURITY.md is the one by which they are recorded", () => {
  const table = security.slice(security.indexOf("## Events and their risk"), security.indexOf("## Threats"));
  expect(table.split("\n").filter((line) => /^\| (?:low|medium|high|critical) \|/.test(line))).toEqual(rows);
});
