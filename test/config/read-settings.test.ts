import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { aboutSettings } from "../../src/config/about.ts";
import type { LoadedConfig } from "../../src/config/load.ts";
import { SETTING_KEYS, settingsSchema } from "../../src/config/settings.ts";
import { createWorld, TOKEN_SECRET } from "./support.ts";

const SRC = resolve(import.meta.dirname, "../../src");
const { shape } = settingsSchema("/home/u");

/** What is no default of any setting, of every kind that there is; each setting takes at least one of them. */
const VALUES = [
  "7",
  "11",
  "22",
  "true",
  "false",
  "low",
  "month",
  "warn",
  "pretty",
  "ask",
  "none",
  "development",
  "off",
  "subscription",
  "Read",
  "opus",
  "META_ACCESS_TOKEN",
  "Europe/Paris",
  "text",
  "-1001234567890",
  "example.com",
  "8443",
  "http://127.0.0.1:9",
  "5f0c2b9d8e7a41630f9ce2ab4d718c365f1c2b9d8e7a41630f9ce2ab4d718c36",
  "987654:another-token-of-thirty-signs-or-more",
] as const;

/** What else has to be set, or not, so that another value of a setting can stand. */
const BESIDE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  SANDBOX: { ENVIRONMENT: "development" },
  ENABLE_TOKEN_AUTH: { AUTH_TOKEN_SECRET: TOKEN_SECRET },
  REQUIRE_TOKEN: { AUTH_TOKEN_SECRET: TOKEN_SECRET },
  CLAUDE_AUTH: { CLAUDE_CODE_OAUTH_TOKEN: "sk-ant-oat01-example-token-of-a-subscription" },
};

const shown = ({ config, secrets }: LoadedConfig): string =>
  JSON.stringify([
    config,
    secrets.named.map(({ name, value }) => [name, value.reveal()]),
    secrets.claudeCredential.kind,
  ]);

test.each(SETTING_KEYS)("H29: %s is read: another value makes another configuration", (key) => {
  const world = createWorld();
  const cli = world.write("tools/other-claude", "", 0o755);
  const beside = BESIDE[key] ?? {};
  const plain = shown(world.load(beside));
  const paths = [cli, world.at("home"), world.at("home/other"), world.at("projects/sub")];
  world.write("projects/sub/file", "");
  const isTaken = [...VALUES, ...paths].some((value) => {
    const env = { ...beside, [key]: value };
    return world.faults(env).length === 0 && shown(world.load(env)) !== plain;
  });
  expect(isTaken).toBe(true);
});

/** All that the program says outside `config/`, where settings are made. */
const program = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.startsWith("config/"))
  .map((file) => readFileSync(join(SRC, file), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ""))
  .join("\n");

/** True when a field of that name is read: behind a dot, or taken out of an object. */
const isRead = (name: string): boolean =>
  new RegExp(`\\.${name}\\b|[{,]\\s*${name}\\s*(?:[,:=][^;]*)?\\}[^;]*[=:)]`).test(program);

const fieldsOf = (value: object): readonly string[] =>
  Object.entries(value).flatMap(([name, field]: [string, unknown]) =>
    typeof field === "object" && field !== null && !Array.isArray(field)
      ? [name, ...fieldsOf(field)]
      : [name],
  );

/** Read by the checks of `config/` alone: how strict they are, and where the settings file may not lie. */
const OF_CHECKS = ["environment", "settingsFile"];

test("H29: every field that settings become is used outside of where they are read", () => {
  const { config, secrets } = createWorld().load();
  const fields = [...fieldsOf(config), ...Object.keys(secrets)].filter((name) => !isRead(name));
  expect(fields.filter((name) => !OF_CHECKS.includes(name))).toEqual([]);
  expect(isRead("fieldThatNobodyReads")).toBe(false);
  expect(isRead("approvalTimeoutMs")).toBe(true);
});

test("enumerations are read in any case, and blanks round a value do not count", () => {
  const world = createWorld();
  const words: Readonly<Record<string, string>> = {
    CLAUDE_COST_WINDOW: "month",
    CLAUDE_EFFORT: "low",
    CLAUDE_PERMISSION_MODE: "plan",
    SANDBOX: "require",
    SANDBOX_TOOLS: "none",
    LOG_LEVEL: "warn",
    LOG_FORMAT: "json",
    ENVIRONMENT: "development",
  };
  for (const [key, word] of Object.entries(words)) {
    const title = word.charAt(0).toUpperCase() + word.slice(1);
    for (const written of [word.toUpperCase(), ` ${title} `])
      expect(world.load({ [key]: written }).config).toEqual(world.load({ [key]: word }).config);
  }
});

test("an empty value of any setting that is not required counts as unset", () => {
  const world = createWorld();
  const optional = Object.entries(shape).filter(
    ([, schema]) => aboutSettings.get(schema)?.isRequired === false,
  );
  const keys = optional.map(([key]) => key).filter((key) => !(key in world.minimal));
  for (const empty of ["", "  ", "\t"])
    expect(world.load(Object.fromEntries(keys.map((key) => [key, empty]))).config).toEqual(
      world.load().config,
    );
});
