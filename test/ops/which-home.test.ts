import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { MIGRATIONS } from "../../src/store/migrations.ts";
import { openStore } from "../../src/store/store.ts";
import { launch } from "../support/daemon.ts";
import { tempDir } from "../support/temp.ts";

const COMMANDS = [
  ["audit", "verify"],
  ["audit", "tail"],
  ["unlock"],
  ["backup"],
  ["restore", "/nonexistent.db"],
  ["plist"],
];
/** Without the `--` Node takes `--env-file` for its own, wherever it stands. */
const PROGRAM = [process.execPath, "--", join(import.meta.dirname, "../../src/cli.ts")];

/** A person whose settings file names another home than the usual one, which has a database as well. */
function createPerson() {
  const folder = tempDir("sp-");
  const envFile = join(folder, "my.env");
  const home = join(folder, "own");
  writeFileSync(envFile, `SALLYPORT_HOME=${home}\n`, { mode: 0o600 });
  const run = async (...args: readonly string[]) => {
    const life = launch(args, { PATH: process.env.PATH ?? "", HOME: folder }, { program: PROGRAM });
    const { code } = await life.exited;
    return { code, output: life.output() };
  };
  return { folder, envFile, home, run };
}

test.each(COMMANDS.map((words) => [words.join(" "), words] as const))(
  "H29: `%s` works on no other home when the settings file cannot be read or trusted: 78",
  async (_name, args) => {
    const { folder, envFile, run } = createPerson();
    const missing = await run(...args, "--env-file", join(folder, "typo.env"));
    expect(missing).toEqual({ code: 78, output: expect.stringContaining("typo.env, which does not exist") });
    chmodSync(envFile, 0o664);
    const open = await run(...args, "--env-file", envFile);
    expect(open).toEqual({ code: 78, output: expect.stringContaining(`chmod 600 ${envFile}`) });
    chmodSync(envFile, 0o600);
    writeFileSync(envFile, "SALLYPORT_HOM=/x\n");
    const wrong = await run(...args, "--env-file", envFile);
    expect(wrong).toEqual({ code: 78, output: expect.stringContaining("did you mean SALLYPORT_HOME?") });
  },
  90_000,
);

test("a command beside the daemon leaves an older schema to the daemon's next start", async () => {
  const { folder, run } = createPerson();
  const home = join(folder, "own");
  const path = join(home, "sallyport.db");
  mkdirSync(home, { mode: 0o700 });
  const old = new Database(path);
  for (const sql of MIGRATIONS.slice(0, -1)) old.exec(sql);
  old.pragma(`user_version = ${MIGRATIONS.length - 1}`);
  const { code, output } = await run("unlock", "--env-file", join(folder, "my.env"));
  expect(code).toBe(1);
  expect(output).toMatch(/of schema \d+, this program's is \d+: start the daemon anew first/);
  expect(old.pragma("user_version", { simple: true })).toBe(MIGRATIONS.length - 1);
  old.close();
  openStore(path, Date.now)[Symbol.dispose](); // a start
  expect((await run("unlock", "--env-file", join(folder, "my.env"))).output).toContain("Not locked");
});
