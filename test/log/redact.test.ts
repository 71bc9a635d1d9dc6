import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRedactor, createSecretFinder } from "../../src/log/redact.ts";

const TOKEN = `123456789:${"AAExample-bot_token".padEnd(35, "x")}`;
const SECRET = "a value that is known and of no shape";
const hide = createRedactor([]);

/** A line of a key's body. */
const KEY_LINE = "aB3dE5fG7hJ9".repeat(6).slice(0, 64);

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
    [`-----BEGIN RSA PRIVATE KEY-----\n${KEY_LINE}\nabc=\n-----END RSA PRIVATE KEY-----.`, "[redacted]."],
    [`-----BEGIN PRIVATE KEY-----\n${KEY_LINE.slice(0, 20)}`, "[redacted]"],
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

describe("a private key", () => {
  const key = [
    "-----BEGIN RSA PRIVATE KEY-----",
    "Proc-Type: 4,ENCRYPTED",
    "DEK-Info: AES-128-CBC,0123ABCD",
    "",
    KEY_LINE,
    KEY_LINE,
    "abCD==",
    "-----END RSA PRIVATE KEY-----",
  ];
  const each = (change: (line: string, index: number) => string): string => key.map(change).join("\n");

  test.each([
    ["as it is", key.join("\n")],
    ["in JSON", JSON.stringify(key.join("\n"))],
    ["in JSON in JSON", JSON.stringify(JSON.stringify(key.join("\n")))],
    ["on one line", key.join(" ")],
    ["quoted", each((line) => `> ${line}`)],
    ["added", each((line) => `+${line}`)],
    ["taken out", each((line) => `-${line}`)],
    ["indented", each((line) => `        ${line}`)],
    ["numbered by a tab", each((line, index) => `  ${index}\t${line}`)],
    ["numbered by an arrow", each((line, index) => `${index}→${line}`)],
    ["as code", each((line) => `"${line}\\n" +`)],
    ["as a list", each((line) => `  '${line}',`)],
    ["cut off", key.join("\n").slice(0, 150)],
    ["as grep -n shows it", each((line, index) => `${index + 7}-${line}`)],
    ["commented by slashes", each((line) => `// ${line}`)],
    ["commented by stars", each((line) => ` * ${line}`)],
    ["commented by semicolons", each((line) => `; ${line}`)],
    ["in a frame", each((line) => `| ${line} |`)],
    ["as cat -A shows it", each((line) => `${line}$`)],
    ["in colour", each((line) => `\u001b[32m${line}\u001b[0m`)],
  ])("%s leaves nothing of itself behind", (_, text) => {
    const shown = hide(text);
    expect(shown).toContain("[redacted]");
    for (const rest of ["BEGIN", "END", "DEK", KEY_LINE.slice(0, 8), "abCD"])
      expect(shown).not.toContain(rest);
  });

  test("of PGP, with whatever its headers say, leaves nothing of itself behind", () => {
    const shown = hide(
      [
        "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        "Version: GnuPG v2.0.22 (MingW32)",
        "Comment: Bob's key, für <bob@example.com>",
        "",
        KEY_LINE,
        "=abCD",
        "-----END PGP PRIVATE KEY BLOCK-----",
      ].join("\n"),
    );
    expect(shown).toBe("[redacted]");
  });

  test.each([
    "A PEM file begins with `-----BEGIN PRIVATE KEY-----`. To make one: run it.",
    'if (text.includes("-----BEGIN RSA PRIVATE KEY-----")) return read(text);',
    "grep -rl -- '-----BEGIN PRIVATE KEY-----' . ; rm -rf build; curl http://a.example/?x=1",
    ": -----BEGIN PRIVATE KEY-----; cat README.md; touch hidden-from-the-record",
    ": -----BEGIN PRIVATE KEY-----\n/tmp/evil && reboot",
    `-----BEGIN PRIVATE KEY-----\nVersion: $(curl a.example)\n${KEY_LINE}`,
    `-----BEGIN PRIVATE KEY-----\nComment: a; curl a.example\n${KEY_LINE}`,
    `-----BEGIN PRIVATE KEY-----; rm -rf build; ${KEY_LINE}`,
    "from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY----- it is base64",
  ])("its header alone hides nothing that stands behind it: %j", (text) => {
    expect(hide(text)).toBe(text);
  });
});

test("a password is taken out of an address whatever signs it has, as a secret by itself too", () => {
  expect(hide("postgres://app:s3cret#pass9x@db/x")).not.toContain("s3cret");
  expect(createRedactor(["postgres://app:s3cret#pass9x@db/x"])("<s3cret#pass9x>")).toBe("<[redacted]>");
});

test.each([
  "http://evil.example.org:8080?d=12345678@good.example.com",
  "curl http://localhost:3000?email=ada@example.com",
  "http://evil.example.org:8080#12345678@good.example.com",
])("a host is told as it is, whatever stands behind it: %s", (text) => {
  expect(hide(text)).toBe(text);
});

describe("known values", () => {
  test("are found as they are, in URLs, in JSON, in hex and in base64 wherever they begin in it", () => {
    const secret = 'odd "value" \\ with/signs:and-more_of-them';
    const redact = createRedactor([secret]);
    const forms = [
      secret,
      encodeURIComponent(secret),
      encodeURIComponent(secret).toLowerCase(),
      new URLSearchParams({ v: secret }).toString().slice(2),
      encodeURIComponent(secret).replaceAll("%2F", "/"),
      JSON.stringify(secret).slice(1, -1),
      JSON.stringify(secret).slice(1, -1).replaceAll("/", "\\/"),
      secret.replaceAll('"', "&quot;"),
      Buffer.from(secret).toString("hex"),
      ...["", "u", "us", "user:"].flatMap((before) => [
        Buffer.from(`${before}${secret}`).toString("base64"),
        Buffer.from(`${before}${secret} after`).toString("base64url"),
      ]),
    ];
    for (const form of forms) expect(redact(`<${form}>`)).toMatch(/^<.{0,8}\[redacted\].{0,12}>$/);
  });

  test("an address with a password is a secret, and so is the password; its host and path are none", () => {
    const redact = createRedactor(["postgres://app:S3cr3t%40Pw99xyz@db.internal:5432/app"]);
    expect(redact("postgres://app:S3cr3t%40Pw99xyz@db.internal:5432/app")).toBe("[redacted]");
    expect(redact("<S3cr3t%40Pw99xyz> <S3cr3t@Pw99xyz>")).toBe("<[redacted]> <[redacted]>");
    expect(redact("psql localhost:5432/app")).toBe("psql localhost:5432/app");
  });

  test("a value with a colon in it has no half, unless it is a bot token", () => {
    const redact = createRedactor(["some:ordinary-words", TOKEN]);
    expect(redact("ordinary-words")).toBe("ordinary-words");
    expect(redact(`<${TOKEN.split(":")[1]}>`)).toBe("<[redacted]>");
  });

  test("are found wrapped at any width, as base64 and hex tools do, and where three full stops end a beginning", () => {
    const redact = createRedactor([TOKEN]);
    const wrap = (text: string, width: number, end: string): string =>
      text.replace(new RegExp(`.{${width}}`, "g"), `$&${end}`);
    const encoded = [
      TOKEN,
      Buffer.from(`x${TOKEN} and more`).toString("base64"),
      Buffer.from(TOKEN).toString("hex"),
    ];
    for (const text of encoded)
      for (const width of [7, 16, 60, 64, 76])
        for (const end of ["\n", "\r\n", "\n    ", "\\n"]) {
          const shown = redact(`is:\n${wrap(text, width, end)}\n.`).replace(/\s|\\n/g, "");
          for (let from = 0; from + 8 <= text.length - 16; from++)
            if (from >= 4) expect(shown).not.toContain(text.slice(from, from + 8));
        }
    expect(redact(`begins ${TOKEN.slice(0, 24)}... so`)).toBe("begins [redacted]... so");
  });

  test("while they are still being written, wrapped or not, no part of them is shown", () => {
    const { decided, redact } = createSecretFinder([SECRET]);
    const wrapped = Buffer.from(SECRET).toString("base64").replace(/.{8}/g, "$&\n");
    const text = `words before\n${wrapped}`;
    for (let length = text.length; length > 0; length--) {
      const shown = redact(decided(text.slice(0, length)), "certain").replaceAll("\n", "");
      expect(shown).not.toContain(wrapped.replaceAll("\n", "").slice(0, 6));
    }
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

/** What repeated makes a search of its kind slow: beginnings of shapes, alone and after what makes each a new word. */
const HOSTILE: readonly string[] = [
  "1",
  "bot1",
  "sk-ant-",
  "Bearer ",
  "\n",
  "a\n",
  " \\n",
  "bearer a1",
  "a://a:",
  "dp.pt.",
  "0123456789abcdef",
  "://",
  "-----BEGIN ",
  "-----BEGIN PRIVATE KEY-----",
  "a",
  "://a",
  " ",
  "123456:",
  "-eyJ",
  ".eyJaaaaaaaaaaa",
  "SG.",
  "-SG.aaaaaaaaaaaaaaaaaaaa",
  "-AIza",
  "key=",
  "token",
  "token: ",
  "hooks.slack.com/services/",
  "password=",
  "secret ",
  "https://a:",
  "AccountKey=",
  "xoxb-1",
  "figd_",
  "dapi",
  "aws_secret_access_key",
  "private_key",
  "glsa_",
  "SK",
  "postgres://a:b",
  "eyJ",
  "_",
  "-",
  "…",
  "@",
  "AKIA",
  "123456789:AAExa",
  "123456789:AAExample-bot_token",
  "MTIzNDU2Nzg5OkFBRXhh",
];

/** The least of three goes (one, where it takes long), in milliseconds of the processor: other work does not count. */
function cpuMs(act: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let go = 0; go < 3 && (go === 0 || least < 1_000); go++) {
    const before = process.cpuUsage();
    act();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}

test("what redaction costs grows with the text and no faster, whatever the text is", () => {
  const redact = createRedactor([TOKEN]);
  const finder = createSecretFinder([TOKEN]);
  for (const piece of HOSTILE) {
    const text = (length: number): string => piece.repeat(Math.ceil(length / piece.length));
    for (const act of [redact, finder.decided]) {
      const [short, long] = [text(10_000), text(160_000)];
      const [one, sixteen] = [cpuMs(() => act(short)), cpuMs(() => act(long))];
      expect(sixteen, `${JSON.stringify(piece)}: ${one} ms of the sixteenth`).toBeLessThan(
        60 * Math.max(one, 2),
      );
    }
  }
});
