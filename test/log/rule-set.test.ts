import { rules } from "@secretlint/secretlint-rule-preset-recommend";
import type { SecretLintRuleContext, SecretLintSourceCode } from "@secretlint/types";
import { expect, test } from "vitest";
import { createSecretFinder, redactShapes } from "../../src/log/redact.ts";

/** Joined here, so that no scanner takes the test for a leak. */
const long = (length: number): string =>
  "aB3dE5fG7hJ9kL2mN4pQ".repeat(Math.ceil(length / 20)).slice(0, length);
const hex = (length: number): string => "9f86d081884c7d65".repeat(Math.ceil(length / 16)).slice(0, length);

/** Secrets as vendors give them out, one a line; those of the later half are in no shape of our own. */
const CORPUS: readonly string[] = [
  `ghp_${long(36)}`,
  `sk-ant-api03-${long(93)}AA`,
  `sk-proj-${long(74)}T3BlbkFJ${long(74)}`,
  `xoxb-123456789012-123456789012-${long(24)}`,
  `https://hooks.slack.com/services/T01234567/B01234567/${long(24)}`,
  `npm_${long(36)}`,
  `glpat-${long(20)}`,
  `SG.${long(22)}.${long(43)}`,
  `AWS_SECRET_ACCESS_KEY=${long(40)}`,
  `postgres://admin:${long(12)}@db.example.com:5432/main`,
  `https://ann:${long(12)}@example.com/x`,
  `-----BEGIN RSA PRIVATE KEY-----\n${long(64)}\n${long(64)}\n-----END RSA PRIVATE KEY-----`,
  `shpat_${hex(32)}`,
  `lin_api_${long(40)}`,
  `secret_${long(43)}`,
  `ntn_123456789012${long(35)}`,
  `glsa_${long(32)}_${hex(8)}`,
  `figd_${long(40)}`,
  `dapi${hex(32)}`,
  `tskey-auth-${long(17)}-${long(32)}`,
  `hvs.${long(95)}`,
  `dckr_pat_${long(27)}`,
  `gsk_${long(52)}`,
];

/** What the package's rules find, all of them, run as the package itself runs a rule. */
function foundByRules(content: string): readonly string[] {
  const found: string[] = [];
  const context: SecretLintRuleContext = {
    sharedOptions: {},
    createTranslator: () => (_id, data) => ({ message: "", messageId: "", data }),
    report: ({ range: [from, to] }) => found.push(content.slice(from, to)),
    ignore: () => undefined,
  };
  const source = { content, filePath: "a.txt", ext: ".txt", contentType: "text", hasBOM: false };
  for (const rule of rules.filter(({ meta }) => !meta.id.endsWith("filter-comments")))
    void rule.create(context, {}).file?.(source as SecretLintSourceCode);
  return found;
}

test("of everything that the kept rule set finds, nothing is left of its secret part", () => {
  const found = CORPUS.map(foundByRules);
  expect(found.filter((each) => each.length > 0).length).toBeGreaterThanOrEqual(14); // it does find secrets
  for (const secret of CORPUS.filter((_, index) => found[index]?.length !== 0)) {
    for (const text of [secret, `say ${secret} again`, `"${secret}",`]) {
      const shown = redactShapes(text);
      for (const piece of secret.match(/[A-Za-z0-9]{12,}/g) ?? []) expect(shown).not.toContain(piece);
    }
  }
});

test("of what holds a secret only the secret is taken out of an answer, and what explains one stays", () => {
  const { redact } = createSecretFinder([]);
  const parts = [
    ["postgres://admin:", long(12), "@db.example.com:5432/main"],
    ["AccountName=me;AccountKey=", `${long(86)}==`, ";EndpointSuffix=core.windows.net"],
    ["https://", hex(32), "@o123.ingest.sentry.io/456"],
    ["curl -H 'Authorization: Bearer ", long(40), "' https://example.com"],
  ] as const;
  for (const [before, secret, after] of parts)
    expect(redact(before + secret + after, "certain")).toBe(`${before}[redacted]${after}`);
  for (const plain of [
    "postgres://user:password@localhost:5432/main",
    "Authorization: Bearer YOUR_ACCESS_TOKEN",
    "the bearer of this letter",
    "git@github.com:ann/project.git",
    "AccountKey=<your key>",
    "https://example.com/a:b1234567/c@d",
  ])
    expect(redact(plain, "certain")).toBe(plain);
});

test("the rule set adds what no shape of our own knows, in answers too", () => {
  const { redact } = createSecretFinder([]);
  for (const secret of [`shpat_${hex(32)}`, `lin_api_${long(40)}`, `figd_${long(40)}`])
    expect(redact(`use ${secret}.`, "certain")).toBe("use [redacted].");
});
