import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { GIT_TOKEN_ABOUT, gitTokenKey } from "../../src/config/git-token.ts";
import { secretValues } from "../../src/config/secret.ts";
import { SECRET_KEYS, SETTING_KEYS } from "../../src/config/settings.ts";
import { createLogger } from "../../src/log/logger.ts";
import { API_KEY, BOT_TOKEN, createWorld } from "./support.ts";

const META = "EAAB-of-another-program";
const ENV_FILE = `TRACK_CREDENTIALS= META_ACCESS_TOKEN , openrouter_key,META_ACCESS_TOKEN\nMETA_ACCESS_TOKEN="${META}"\nopenrouter_key=or-1234567890\n`;

describe("TRACK_CREDENTIALS", () => {
  test("its names are known keys of the settings file, wherever it is set itself; others are not", () => {
    const world = createWorld();
    const path = world.write("home/.sallyport/.env", ENV_FILE);
    const { config, secrets } = world.load();
    expect(config.trackedCredentials).toEqual(["META_ACCESS_TOKEN", "openrouter_key"]);
    expect(secrets.named.map(({ name, value, file }) => [name, value.reveal(), file])).toEqual([
      ["TELEGRAM_BOT_TOKEN", BOT_TOKEN, null],
      ["ANTHROPIC_API_KEY", API_KEY, null],
      ["META_ACCESS_TOKEN", META, path],
      ["openrouter_key", "or-1234567890", path],
    ]);
    world.write("home/.sallyport/.env", "META_ACCESS_TOKEN=long-enough\nOTHER_TOKEN=y\n");
    expect(world.faults({ TRACK_CREDENTIALS: "META_ACCESS_TOKEN" }).slice(1)).toEqual([
      "  OTHER_TOKEN: expected a setting that .env.example names, got an unknown key",
    ]);
    world.write("home/.sallyport/.env", "");
    const inEnvironment = { TRACK_CREDENTIALS: "META_ACCESS_TOKEN", META_ACCESS_TOKEN: META };
    expect(world.load(inEnvironment).secrets.named.at(-1)).toMatchObject({
      name: "META_ACCESS_TOKEN",
      file: null,
    });
    expect(world.load({ TRACK_CREDENTIALS: "META_ACCESS_TOKEN" }).secrets.named).toHaveLength(2);
  });

  test.each([
    "ALLOWED_USERS",
    "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_BOT_TOKEN_FILE",
    "GIT_TOKEN_GITHUB_COM",
    "two words",
    "a=b",
  ])("%s is refused: it is a setting, or no name", (name) => {
    expect(
      createWorld()
        .faults({ TRACK_CREDENTIALS: `META_ACCESS_TOKEN,${name}` })
        .slice(1),
    ).toEqual([expect.stringMatching(/^ {2}TRACK_CREDENTIALS: expected names of .*secrets/)]);
  });

  test("what TRACK_CREDENTIALS names is a secret of the log's, and of nothing else", () => {
    const world = createWorld();
    world.write("home/.sallyport/.env", ENV_FILE);
    const loaded = world.load();
    expect(JSON.stringify(loaded)).not.toContain(META);
    const { named, ...used } = loaded.secrets;
    const inUse = [used.botToken, used.claudeCredential.value, ...used.gitTokens.values()];
    expect(inUse.map((secret) => secret.reveal())).not.toContain(META);
    let output = "";
    const destination = { write: (text: string) => (output += text) };
    const log = createLogger({
      level: "info",
      format: "json",
      secretValues: secretValues({ named }),
      destination,
    });
    log.info({ url: `https://graph.example.com/?t=${META}` }, `it was ${META}`);
    expect(output).toContain("https://graph.example.com/?t=[redacted]");
    expect(output).not.toContain(META);
  });

  test("one that is too short to be hidden in a log is refused, and not shown", () => {
    const env = { TRACK_CREDENTIALS: "SMTP_PIN", SMTP_PIN: "hunter2" };
    const lines = createWorld().faults(env).slice(1);
    expect(lines).toEqual([
      expect.stringMatching(/^ {2}SMTP_PIN: expected a secret of at least 8 characters/),
    ]);
    expect(lines.join()).not.toContain("hunter2");
  });

  test("a value in the place of a name is not shown", () => {
    const value = `sk-or-v1-${"0a1b2c3d".repeat(8)}`;
    const lines = createWorld().faults({ TRACK_CREDENTIALS: value }).slice(1);
    expect(lines).toEqual([
      expect.stringMatching(/^ {2}TRACK_CREDENTIALS: .*looks like a secret \(not shown\)/),
    ]);
  });

  test("no fault shows the value of a tracked credential", () => {
    const world = createWorld();
    world.write("home/.sallyport/.env", ENV_FILE);
    const lines = world.faults({ CLAUDE_MODEL: `x ${META}`, LOG_LEVEL: META });
    expect(lines).toHaveLength(3);
    expect(lines.join("\n")).not.toContain(META);
  });
});

describe("what the documents name", () => {
  const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
  /** What has the shape of a setting's name in these documents and is something else. */
  const OTHERS = [
    "META_ACCESS_TOKEN", // examples of what TRACK_CREDENTIALS may name
    "OPENROUTER_API_KEY",
    "NAME_FILE", // any secret's
    "AF_VSOCK",
  ];
  const isKnown = (name: string): boolean =>
    SETTING_KEYS.includes(name) ||
    SECRET_KEYS.some((key) => name === `${key}_FILE`) ||
    gitTokenKey(name) !== null ||
    OTHERS.includes(name);

  test("H83: the README says of every credential how it is renewed, and of nothing else", () => {
    const section = /### Rotating credentials\n([\s\S]*?)\n## /.exec(read("README.md"))?.[1] ?? "";
    const named = [...section.matchAll(/^\| .*?`([A-Z_<>]+)`/gm)].map(([, name = ""]) => name);
    const secrets = [
      ...SECRET_KEYS,
      GIT_TOKEN_ABOUT.example.replace("GITHUB_COM", "<HOST>"),
      "TRACK_CREDENTIALS",
    ];
    expect(new Set(named)).toEqual(new Set(secrets));
  });

  test.each(["README.md", "SECURITY.md", "CHANGELOG.md", ".env.example"])(
    "H83: every setting that %s names is one that is read",
    (file) => {
      const text = read(file).replaceAll(/\[[^\]]*\]/g, ""); // names of tests
      const names = [...text.matchAll(/(?<![\w/])[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9](?!\w)/g)].map(
        ([name]) => name,
      );
      expect(names.length).toBeGreaterThan(3);
      expect([...new Set(names)].filter((name) => !isKnown(name))).toEqual([]);
    },
  );
});
