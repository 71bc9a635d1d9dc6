import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { homePaths } from "../../src/store/home.ts";
import { openStore } from "../../src/store/store.ts";
import { tempDir } from "../support/temp.ts";

const CLI = join(import.meta.dirname, "../../src/cli.ts");
const OWNER = 1001;
const DAY_MS = 86_400_000;

/** The command line of somebody who takes tokens, and the invites in his database. */
function createMachine() {
  const folder = tempDir("sp-");
  const home = join(folder, "home");
  const approved = join(folder, "projects");
  mkdirSync(home, { mode: 0o700 });
  mkdirSync(approved);
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: folder,
    SALLYPORT_HOME: home,
    APPROVED_DIRECTORY: approved,
    TELEGRAM_BOT_TOKEN: "123456:test-token-of-thirty-characters-or-more",
    ALLOWED_USERS: String(OWNER),
    CLAUDE_AUTH: "api-key",
    ANTHROPIC_API_KEY: "sk-ant-api03-the-real-key-that-never-enters-the-jail",
    ENABLE_TOKEN_AUTH: "true",
    AUTH_TOKEN_SECRET: "5f0c2b9d8e7a41630f9ce2ab4d718c365f1c2b9d8e7a41630f9ce2ab4d718c36",
  };
  return {
    token: (...args: readonly string[]) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, "token", ...args], {
        env,
        encoding: "utf8",
      });
      return { code: status, stdout, stderr };
    },
    /** So many open invites that the owner made. */
    fill: (count: number): void => {
      using store = openStore(homePaths(home).database, Date.now);
      for (let no = 0; no < count; no += 1)
        store.invites.make({
          digest: `d${no}`,
          role: "member",
          madeBy: OWNER,
          expiresAt: Date.now() + DAY_MS,
        });
    },
  };
}

test("a token that is not made is no success: what keeps it stands on the standard error alone", () => {
  const { token, fill } = createMachine();
  expect(token("create")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^spt_[\w-]{43}\n/) });
  fill(49);
  expect(token("create")).toEqual({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("There are 50 open invites: revoke some first"),
  });
});

test.each(["0x1e", "1e1", "1.0", " 7", "", "0", "31", "-1"])(
  "the days of a token are a whole number in digits, 1 to 30: %j is refused",
  (days) => {
    expect(createMachine().token("create", `--days=${days}`)).toMatchObject({
      code: 78,
      stdout: "",
      stderr: expect.stringContaining("--days: expected 1 to 30"),
    });
  },
  90_000,
);

test("revoking at the machine says apart what was ended and what was taken back", () => {
  const { token, fill } = createMachine();
  fill(2);
  const listed = `${OWNER} stands in ALLOWED_USERS: take it out there and restart the daemon.\n`;
  expect(token("revoke", String(OWNER))).toEqual({
    code: 0,
    stdout: `2 open invites that ${OWNER} made are taken back.\n${listed}`,
    stderr: "",
  });
  expect(token("revoke", String(OWNER))).toEqual({
    code: 1,
    stdout: "",
    stderr: `There is no such login and no such open invite.\n${listed}`,
  });
});
