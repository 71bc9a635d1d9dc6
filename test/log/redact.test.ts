import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRedactor } from "../../src/log/redact.ts";

const TOKEN = `123456789:${"AAExample-bot_token".padEnd(35, "x")}`;
const hide = createRedactor([]);

describe("shapes of credentials are cut out, whoever's they are", () => {
  test.each([
    [`https://api.telegram.org/bot${TOKEN}/getMe`, "https://api.telegram.org/bot[redacted]/getMe"],
    ["http://127.0.0.1:8081/bot42:short/getMe", "http://127.0.0.1:8081/bot[redacted]/getMe"],
    [`/file/bot${TOKEN}/documents/a.txt`, "/file/bot[redacted]/documents/a.txt"],
    [`/bot${encodeURIComponent(TOKEN)}/getMe`, "/bot[redacted]/getMe"],
    [`token ${TOKEN}, then`, "token [redacted], then"],
    ["key=sk-ant-api03-abcdefgh-ijk", "key=[redacted]"],
    ["Authorization: Bearer abc.def-ghi/jkl=", "Authorization: Bearer [redacted]"],
    ["authorization: basic dXNlcjpwYXNz", "authorization: basic [redacted]"],
    ["https://me:word@git.example.com/x", "https://[redacted]@git.example.com/x"],
    ["ghp_0123456789abcdefghij", "[redacted]"],
    ["-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----.", "[redacted]."],
    ["-----BEGIN PRIVATE KEY-----\ncut off", "[redacted]"],
  ])("%j", (text, shown) => {
    expect(hide(text)).toBe(shown);
  });

  test.each([
    "12:30:45",
    "chat 123456789:0",
    "a robot1: hello",
    "update 5",
    "https://example.com/a@b",
    "no bearer",
  ])("%j is left as it is", (text) => {
    expect(hide(text)).toBe(text);
  });
});

describe("known values", () => {
  test("are found as they are, in URLs, in JSON, in hex and in base64 wherever they begin in it", () => {
    const secret = 'odd "value" \\ with/signs:and-more_of-them';
    const redact = createRedactor([secret]);
    const forms = [
      secret,
      encodeURIComponent(secret),
      encodeURIComponent(secret).toLowerCase(),
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(secret).toString("hex"),
      ...["", "u", "us", "user:"].flatMap((before) => [
        Buffer.from(`${before}${secret}`).toString("base64"),
        Buffer.from(`${before}${secret} after`).toString("base64url"),
      ]),
    ];
    for (const form of forms) expect(redact(`<${form}>`)).toMatch(/^<.{0,8}\[redacted\].{0,12}>$/);
  });

  test("a bot token's half after the colon is one too", () => {
    expect(createRedactor([TOKEN])(`half ${TOKEN.split(":")[1]}.`)).toBe("half [redacted].");
  });

  test("a value under 8 characters is passed over: words would be torn apart", () => {
    expect(createRedactor(["", "error", TOKEN])("an error")).toBe("an error");
  });

  test("of two values the longer is cut out whole", () => {
    expect(createRedactor(["abcdefgh", "abcdefghij"])("abcdefghij")).toBe("[redacted]");
  });

  test("no text holds a secret afterwards, other text stays, and doing it twice changes nothing", () => {
    const secret = fc
      .string({ minLength: 8, maxLength: 40, unit: "grapheme-ascii" })
      .filter((text) => !"[redacted]".includes(text));
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 3 }),
        fc.string(),
        fc.string(),
        (secrets, before, after) => {
          const redact = createRedactor(secrets);
          for (const value of secrets) {
            const shown = redact(`${before}${value}${after}`);
            for (const other of secrets) expect(shown.includes(other)).toBe(false);
            expect(redact(shown)).toBe(shown);
          }
        },
      ),
    );
  });
});

test("no text makes the search slow", () => {
  const size = 400_000;
  const hostile = [
    "1",
    "bot1",
    "sk-ant-",
    "Bearer ",
    "://",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "a",
    "://a",
    " ",
    "123456:",
  ];
  const redact = createRedactor([TOKEN]);
  for (const piece of hostile) {
    const started = performance.now();
    redact(piece.repeat(Math.ceil(size / piece.length)));
    expect(performance.now() - started, piece).toBeLessThan(2000);
  }
});
