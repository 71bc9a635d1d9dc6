import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ALL_SHAPES } from "../../src/domain/secret-shapes.ts";
import { redactShapes } from "../../src/log/redact.ts";
import { summariseTool } from "../../src/security/redact.ts";
import { escapeInvisible, quote, shorten } from "../../src/security/visible.ts";

const projectPath = "/home/u/projects/app";

function summary(name: string, input: Record<string, unknown>, maxLength = 80): string {
  return summariseTool(name, input, { projectPath, maxLength, redactText: redactShapes });
}

/** Joined here, so that no scanner takes the test for a leak. */
const long = (length: number) => "aB3dE5fG7hJ9".repeat(Math.ceil(length / 12)).slice(0, length);
const hex = (length: number) => "9f86d081884c7d65".repeat(Math.ceil(length / 16)).slice(0, length);
const SECRETS: Readonly<Record<string, string>> = {
  "private key": `-----BEGIN RSA PRIVATE KEY-----\n${long(64)}\n${long(64)}\n-----END RSA PRIVATE KEY-----`,
  "Telegram bot token": `123456789:${long(35)}`,
  "login token of ours": `spt_${long(43)}`,
  "Anthropic key": `sk-ant-api03-${long(40)}`,
  "OpenAI or OpenRouter key": `sk-or-v1-${long(40)}`,
  "Stripe key": `sk_live_${long(24)}`,
  "GitHub token": `ghp_${long(36)}`,
  "GitLab token": `glpat-${long(20)}`,
  "AWS key id": "AKIAIOSFODNN7EXAMPLE",
  "Google key": `AIza${long(35)}`,
  "Google OAuth token": `ya29.${long(60)}`,
  "Slack token": `xoxb-${long(40)}`,
  "npm token": `npm_${long(36)}`,
  "PyPI token": `pypi-${long(60)}`,
  "Hugging Face token": `hf_${long(34)}`,
  "SendGrid key": `SG.${long(22)}.${long(43)}`,
  "JSON web token": `eyJ${long(20)}.${long(40)}.${long(40)}`,
  "Mailgun key of the older kind": `key-${hex(32)}`,
  "authorization header": `Bearer ${long(24)}`,
  "age key": `AGE-SECRET-KEY-1${long(58).toUpperCase()}`,
  "webhook address": `https://hooks.slack.com/services/T0AB12CD3/B0AB12CD3/${long(24)}`,
  "DigitalOcean token": `dop_v1_${"ab12cd34".repeat(8)}`,
  "Docker token": `dckr_pat_${long(27)}`,
  "Meta token": `EAA${long(120)}`,
  "Atlassian token": `ATATT3${long(60)}`,
  "Groq or xAI key": `gsk_${long(52)}`,
  "Vault token": `hvs.${long(28)}`,
  "Supabase token": `sbp_${hex(40)}`,
  "Notion token": `ntn_${long(46)}`,
  "NVIDIA key": `nvapi-${long(64)}`,
  "Replicate token": `r8_${long(37)}`,
  "Mailgun key": `${hex(32)}-${hex(8)}-${hex(8)}`,
  "Doppler token": `dp.pt.${long(43)}`,
  "HubSpot token": `pat-na1-${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`,
  "Postman key": `PMAK-${hex(24)}-${hex(34)}`,
  "Fly token": `fm2_${long(120)}`,
  "Cloudflare origin key": `v1.0-${hex(24)}-${hex(146)}`,
  "Azure account key": `AccountName=me;AccountKey=${long(86)}==`,
  "Sentry address": `https://${hex(32)}@o123.ingest.sentry.io/456`,
  "password of an address, with a digit as made up ones have": `postgres://admin:${long(12)}@db.example.com:5432/main`,
  "bearer of a token, long and with digits": `x: Bearer ${long(40)}`,
  "path of a Bot API address": "/bot42:hunter/getMe",
  "user of an address": "https://ann:hunter2@example.com/x",
  "value of a secret's name": "DB_PASSWORD=hunter",
  "value beside a secret's name": '"client_secret": "abc12345678"',
  "long value of a key": `key = ${long(64)}`,
};

test("every shape has its sample here", () => {
  expect(Object.keys(SECRETS).toSorted()).toEqual(ALL_SHAPES.map(({ name }) => name).toSorted());
});

test.each(Object.entries(SECRETS))("the shape of a %s is replaced, wherever it stands", (name, secret) => {
  const shape = ALL_SHAPES.find((one) => one.name === name);
  expect(secret.search(shape?.pattern ?? /$^/)).not.toBe(-1);
  for (const text of [secret, `x ${secret} y`, `"${secret}"`, `a=1\n${secret}\nb`, `(${secret})`]) {
    const redacted = redactShapes(text);
    expect(redacted).toContain("[redacted]");
    for (const piece of secret.match(/[A-Za-z0-9]{12,}|hunter\w*/g) ?? [])
      expect(redacted).not.toContain(piece);
  }
});

test.each([
  ["curl -H 'Authorization: Bearer abcdefgh12345678' x", "curl -H 'Authorization: Bearer [redacted]' x"],
  ["https://ann:pw@h/x", "https://[redacted]@h/x"],
  ["export API_KEY=abcd1234", "export API_KEY=[redacted]"],
  ["mysql --password=geheim -u x", "mysql --password=[redacted] -u x"],
  [
    "https://api.telegram.org/bot123456789:AAabcdefghijklmnopqrstuvwxyz0123456/getMe",
    "https://api.telegram.org/bot[redacted]/getMe",
  ],
])("only the secret goes, what stands round it stays: %s", (text, redacted) => {
  expect(redactShapes(text)).toBe(redacted);
});

test.each([
  "git checkout 3f786850e387550fdab836ed7e6dc881de23001b",
  "the token bucket refills 20 tokens a minute",
  "password: string; token?: string",
  "cat token-list docs/2024-report.md",
  "--max_tokens=8192",
  '"input_tokens":12345678,"output_tokens":1',
  "const token = readToken()",
  "npm run test:unit -- --reporter=verbose",
  "https://example.com:8080/a@b",
  "12:30:45 and 2026-11-23T10:00:00.123456:00",
  "sk-learn is scikit-learn",
  "the global-configuration-file-name.ts",
  "task-force-number-one-and-more-words",
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAA",
])("what is no secret stays: %s", (text) => {
  expect(redactShapes(text)).toBe(text);
});

test("redacting what is redacted changes nothing", () => {
  const piece = fc.constantFrom(
    ...Object.values(SECRETS),
    "token",
    "=",
    ":",
    " ",
    '"',
    "key",
    "secret",
    "//",
    "@",
    "x1",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const once = redactShapes(pieces.join(""));
      expect(redactShapes(redactShapes(once))).toBe(redactShapes(once));
    }),
  );
});

test("no text makes the search slow", () => {
  const worst = [
    "a",
    "token",
    "token=",
    "secret ",
    "://",
    "://a:",
    "-----BEGIN PRIVATE KEY-----",
    "sk-",
    "eyJ",
    "1",
    "1234567:",
    "key=",
    "SG.a",
    "bearer ",
    "_-",
    "passwd-",
  ];
  const behindHeaders = [
    "Comment: ",
    "\nComment: a",
    " \n",
    "\n| ",
    "\\n",
    "1234567",
    "aB3d",
    `\n${long(64)}`,
    "\n1-",
  ];
  const texts = [
    ...worst.map((piece) => piece.repeat(Math.ceil(100_000 / piece.length))),
    ...behindHeaders.map((piece) => `-----BEGIN PRIVATE KEY-----${piece.repeat(100_000 / piece.length)}!`),
    ...behindHeaders.map((piece) => `-----BEGIN PRIVATE KEY-----${piece}\n`.repeat(2_000)),
  ];
  for (const text of texts) {
    const before = process.cpuUsage();
    redactShapes(text);
    expect(process.cpuUsage(before).user / 1_000, text.slice(0, 60)).toBeLessThan(5_000); // a squared search would take minutes
  }
});

test.each([
  ["Bash", { command: "npm test", description: "Run" }, "npm test"],
  ["Bash", { command: "\n  npm ci\nnpm test\nrm -rf x\n" }, "npm ci (+2 lines)"],
  ["Read", { file_path: "/home/u/projects/app/src/main.ts" }, "src/main.ts"],
  ["Read", { file_path: "/home/u/projects/app" }, "."],
  ["Read", { file_path: "/home/u/projects/app2/x" }, "/home/u/projects/app2/x"],
  ["Edit", { file_path: "/etc/passwd", old_string: "a", new_string: "b" }, "/etc/passwd"],
  [
    "Write",
    { file_path: "/home/u/projects/app/../other/x", content: "c" },
    "/home/u/projects/app/../other/x",
  ],
  ["NotebookEdit", { notebook_path: "/home/u/projects/app/n.ipynb" }, "n.ipynb"],
  ["Grep", { pattern: "TODO", path: "/home/u/projects/app/src" }, "TODO in src"],
  ["Glob", { pattern: "**/*.ts" }, "**/*.ts"],
  [
    "WebFetch",
    { url: "https://example.com/?token=abcd1234", prompt: "p" },
    "https://example.com/?token=[redacted]",
  ],
  ["Agent", { description: "Look for bugs", prompt: "PRIVATE" }, "Look for bugs"],
  ["mcp__x__y", { first: "PRIVATE", second: 1 }, "{first, second}"],
  ["constructor", { a: 1 }, "{a}"],
  ["Bash", {}, ""],
  ["Bash", { command: 5 }, ""],
] as const)("a summary of %s %j is one line: %j", (name, input, line) => {
  expect(summary(name, input)).toBe(line);
});

test("H20: secrets in a command are not in its summary, those that the cut would halve included", () => {
  for (const secret of Object.values(SECRETS))
    for (const before of [0, 20, 60, 70, 75, 79, 90]) {
      const text = `${"x".repeat(before)} ${secret.replaceAll("\n", " ")} y`;
      const line = summary("Bash", { command: text }) + summary("Read", { file_path: text });
      for (const piece of secret.match(/[A-Za-z0-9]{12,}|hunter\w*/g) ?? [])
        expect(line).not.toContain(piece.slice(0, 8));
    }
});

test("a private key over several lines leaves nothing of itself behind", () => {
  const command = `printf '${SECRETS["private key"]}' > k`;
  expect(summary("Bash", { command })).toBe("printf '[redacted]' > k");
});

test("a summary is one visible line of at most the wished length, for any input", () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom("\u202E", "\n", "\u0000", "\uD83D", "😀".repeat(60), "\u2028"),
  );
  const input = fc.dictionary(
    fc.constantFrom("command", "file_path", "pattern", "url", "\u202E"),
    fc.oneof(text, fc.anything()),
  );
  fc.assert(
    fc.property(
      fc.constantFrom("Bash", "Read", "Grep", "WebFetch", "other"),
      input,
      fc.integer({ min: 1, max: 90 }),
      (name, input, max) => {
        const line = summary(name, input, max);
        expect(line.length).toBeLessThanOrEqual(max);
        expect(line.isWellFormed()).toBe(true);
        expect(/[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069\u200B]/u.test(line)).toBe(false);
      },
    ),
  );
});

test("what cannot be seen is written out", () => {
  expect(escapeInvisible("a\n\t\r\u0000\u202E\u200B\uD800\u{E0041}b é 😀")).toBe(
    "a\\n\\t\\r\\u{0}\\u{202e}\\u{200b}\\u{d800}\\u{e0041}b é 😀",
  );
});

test("a cut never halves a character, and says that it was made", () => {
  expect(shorten("abc", 3)).toBe("abc");
  expect(shorten("abcd", 3)).toBe("ab…");
  expect(shorten("a😀😀", 3)).toBe("a…");
  expect(shorten("abc😀😀", 5)).toBe("abc…");
  expect(shorten("abc", 0)).toBe("…");
});

test("a quoted text is short, visible and in quotes", () => {
  expect(quote("a\nb")).toBe('"a\\nb"');
  expect(quote("\u202E".repeat(1_000)).length).toBeLessThanOrEqual(122);
});

test("an empty field of a call is left out, and so is one that is no text", () => {
  expect(summary("Glob", { pattern: "", path: `${projectPath}/src` })).toBe("src");
  expect(summary("Grep", { pattern: "x", path: "" })).toBe("x");
  expect(summary("Grep", { pattern: "x", path: 7 })).toBe("x");
});
