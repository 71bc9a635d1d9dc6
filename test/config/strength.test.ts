import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isPlaceholder, weaknessOf } from "../../src/config/strength.ts";
import { chosenSecret } from "../../src/config/values.ts";
import { createWorld, OAUTH_TOKEN } from "./support.ts";

/** Random bytes as people's tools print them. */
const randomSecret = (bytes: number) =>
  fc
    .tuple(
      fc.uint8Array({ minLength: bytes, maxLength: bytes }),
      fc.constantFrom("hex", "base64", "base64url" as const),
    )
    .filter(([array]) => new Set(array).size > bytes / 2) // what fast-check makes simple is not random
    .map(([array, encoding]) => Buffer.from(array).toString(encoding as "hex"));

describe("secrets that a person chose", () => {
  test.each([32, 16])("%i random bytes are never refused, in hex as in base64", (bytes) => {
    fc.assert(
      fc.property(randomSecret(bytes), (secret) => {
        expect(weaknessOf(secret, bytes)).toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ["openssl rand -base64 32", 32, "base64", 0],
    ["openssl rand -hex 32", 32, "hex", 0],
    ["openssl rand -hex 16", 16, "hex", 20],
  ] as const)("of 20000 secrets as `%s` prints them next to none is refused", (_, bytes, encoding, most) => {
    const made = Array.from({ length: 20_000 }, () => randomBytes(bytes).toString(encoding));
    expect(made.filter((secret) => weaknessOf(secret, 32) !== null).length).toBeLessThanOrEqual(most);
  });

  test.each([
    "nine green herons argue about Thursday's soup",
    "orbit-llama-fabric-dizzy-mango-candle",
    "kxqzvwbnmtprtfglkjhdzxcvqqwertyk",
  ])("a long sentence of one's own is taken, and letters that are none: %s", (secret) => {
    expect(weaknessOf(secret, 32)).toBeNull();
  });

  test.each([
    ["short", /^has 5 bytes$/],
    ["a".repeat(64), /placeholder/],
    ["x".repeat(32), /placeholder/],
    ["changeme-changeme-changeme-changeme", /placeholder/],
    ["your-secret-key-here-your-secret-key-here", /placeholder/],
    ["abababababababababababababababababababab", /guess/],
    ["0123456789abcdef0123456789abcdef", /guess/],
    ["abcdefghijklmnopqrstuvwxyz0123456789", /guess/],
    ["passwordpasswordpasswordpassword", /guess/],
    ["my-super-secret-token-secret-pass-1234", /guess/],
    ["Sallyport-Telegram-Auth-Secret-2026", /guess/],
    ["1122334455667788990011223344556677", /guess/],
    ["qwertyqwertyasdfghasdfgh12345678", /guess/],
    [" ".repeat(40), /placeholder/],
    ["1q2w3e4r5t6y7u8i9o0p1q2w3e4r5t6y7u", /guess/],
    ["qazwsxedcrfvtgbyhnujmikolpqazwsxedc", /guess/],
    ["correcthorsebatterystaplecorrecthorse!", /guess/],
    ["thequickbrownfoxjumpsoverthelazydog", /guess/],
    ["a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6", /guess/],
    ["https://t.me/my_sallyport_bot_2026", /guess/],
    ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", /guess/],
    ["é".repeat(9), /^has 18 bytes$/],
    ["hunter2hunter2hunter2hunter2hunt", /guess/],
    ["monday1monday1monday1monday1mond", /guess/],
    ["Monday1monday2MONDAY3Monday4monday5", /guess/],
    ["P@ssw0rd1P@ssw0rd2P@ssw0rd3P@ssw0rd4", /guess/],
    ["Summer2024!Summer2025!Summer2026!", /guess/],
    ["13579bdf02468ace13579bdf02468acf", /guess/],
    ["MyCompanyTelegramBotSecretKey2024", /guess/],
    ["our_family-in-Oberammergau-2025!", /guess/],
  ])("%j is refused: %s", (secret, why) => {
    const told = weaknessOf(secret, 32);
    expect(told).toMatch(why);
    expect(told).not.toContain(secret);
  });

  test("a block that goes on in itself is worth no more for where it is cut", () => {
    const block = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(block, fc.nat(8), (text, cut) => {
        expect(weaknessOf(text.repeat(64).slice(cut, 40 + cut), 32)).not.toBeNull();
      }),
    );
  });

  test("a secret of any length is weighed at once", () => {
    expect(weaknessOf("a-b".repeat(5_000), 32)).not.toBeNull();
    expect(weaknessOf(randomBytes(12_000).toString("base64"), 32)).toBeNull();
  });

  test("what one repetition of a block is worth, many are", () => {
    const block = fc.string({
      unit: fc.constantFrom(...Array.from("abcdef0123456789")),
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(block, (text) => {
        expect(weaknessOf(text.repeat(64), 32)).not.toBeNull();
      }),
    );
  });
});

describe("placeholders in the place of a given secret", () => {
  const KEYS = ["TELEGRAM_BOT_TOKEN", "ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "GIT_TOKEN_GITHUB_COM"];

  test.each([
    ["TELEGRAM_BOT_TOKEN", "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"],
    ["TELEGRAM_BOT_TOKEN", "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"],
    ["TELEGRAM_BOT_TOKEN", "1234567890:your_bot_token_from_botfather_here"],
    ["TELEGRAM_BOT_TOKEN", `123456789:${"x".repeat(35)}`],
    ["ANTHROPIC_API_KEY", "sk-ant-xxxxxxxxxxxxxxxx"],
    ["ANTHROPIC_API_KEY", "sk-ant-api03-..."],
    ["ANTHROPIC_API_KEY", "sk-ant-your-key-here"],
    ["ANTHROPIC_API_KEY", "<your-api-key>"],
    ["CLAUDE_CODE_OAUTH_TOKEN", "sk-ant-oat01-YOUR_TOKEN"],
    ["GIT_TOKEN_GITHUB_COM", "ghp_xxxxxxxxxxxxxxxxxxxx"],
    ["GIT_TOKEN_GITHUB_COM", "changeme"],
  ])("%s=%s is refused, not shown, and no second fault is made of it", (key, value) => {
    const world = createWorld();
    const isOauth = key === "CLAUDE_CODE_OAUTH_TOKEN";
    const lines = world.faults({ ...(isOauth ? { CLAUDE_AUTH: "subscription" } : {}), [key]: value });
    expect(lines).toEqual([expect.anything(), expect.stringMatching(`^  ${key}: expected .*placeholder`)]);
    expect(lines.join("\n")).not.toContain(value);
  });

  test("real shapes are taken under every name", () => {
    fc.assert(
      fc.property(randomSecret(48), (secret) => {
        expect(isPlaceholder(secret)).toBe(false);
        expect(isPlaceholder(`sk-ant-api03-${secret}`)).toBe(false);
        expect(isPlaceholder(`123456789:AA${secret}`)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
    expect(KEYS.some((key) => isPlaceholder(key))).toBe(false);
    expect(isPlaceholder(OAUTH_TOKEN)).toBe(false);
  });
});

test("a setting of a chosen secret says what is wrong with it, and how one is made", () => {
  const parser = chosenSecret(32);
  expect(parser.safeParse("f".repeat(20)).error?.issues.map(({ message }) => message)).toEqual([
    "a random secret of at least 32 bytes, such as `openssl rand -hex 32` prints, and not one that has 20 bytes",
  ]);
  const made = "5f0c2b9d8e7a41630f9ce2ab4d718c365f1c2b9d8e7a41630f9ce2ab4d718c36";
  expect(parser.safeParse(made).data).toBe(made);
});
