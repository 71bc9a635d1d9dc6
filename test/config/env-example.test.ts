import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { aboutSettings } from "../../src/config/about.ts";
import { GIT_TOKEN_ABOUT } from "../../src/config/git-token.ts";
import { SECRET_KEYS, SETTING_KEYS, settingsSchema } from "../../src/config/settings.ts";
import { createWorld } from "./support.ts";

const EXAMPLE = new URL("../../.env.example", import.meta.url);
const { shape } = settingsSchema("/home/u");

/** The blocks of the example after its heading: a meaning, a remark, and the setting. */
const blocks = readFileSync(EXAMPLE, "utf8")
  .trim()
  .split("\n\n")
  .slice(1)
  .map((block) => block.split("\n"));

test("H29: the example names every setting that is read and no other, in the same order", () => {
  const keys = blocks.map((lines) => /^#?([A-Z_]+)=/.exec(lines.at(-1) ?? "")?.[1]);
  expect(keys).toEqual([...SETTING_KEYS, GIT_TOKEN_ABOUT.example]);
});

test("the example tells meaning, unit and default of each as the schema has them", () => {
  const told = Object.entries(shape).map(([key, schema]) => {
    const about = aboutSettings.get(schema);
    if (!about) return [`${key} is not described`];
    const unit = about.unit === null ? "" : `Unit: ${about.unit}. `;
    const standard = about.isRequired ? "Required." : `Default: ${about.standard ?? "none."}`;
    const mark = about.isRequired ? "" : "#";
    return [
      `# ${about.meaning}`,
      `# ${unit}${about.isSecret ? "Secret. " : ""}${standard}`,
      `${mark}${key}=${about.standard ?? ""}`,
    ];
  });
  const { meaning, example } = GIT_TOKEN_ABOUT;
  expect(blocks).toEqual([...told, [`# ${meaning}`, "# Secret. Default: none.", `#${example}=`]]);
});

test("the secrets of the schema are those that may come from files", () => {
  const secrets = Object.entries(shape).filter(([, schema]) => aboutSettings.get(schema)?.isSecret);
  expect(secrets.map(([key]) => key)).toEqual([...SECRET_KEYS]);
});

test("the example with every line in force, beside the required ones, changes no default", () => {
  const world = createWorld();
  const plain = world.load().config;
  const path = world.write("all.env", readFileSync(EXAMPLE, "utf8").replace(/^#([A-Z_]+=)/gm, "$1"));
  const { config } = world.load({}, { argv: { envFile: path } });
  expect({ ...config, settingsFile: null, limits: { ...config.limits, isCostLimitExplicit: false } }).toEqual(
    plain,
  );
});

test("the example as it is asks for what is required and for nothing else", () => {
  const world = createWorld();
  const none = Object.fromEntries(Object.keys(world.minimal).map((key) => [key, undefined]));
  const path = world.write("copy.env", readFileSync(EXAMPLE, "utf8"));
  const lines = world.faults(none, { argv: { envFile: path } });
  expect(lines.slice(1).map((line) => line.split(":")[0]?.trim())).toEqual([
    "TELEGRAM_BOT_TOKEN",
    "APPROVED_DIRECTORY",
    "CLAUDE_AUTH",
    "ALLOWED_USERS",
  ]);
});
