import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { homePaths } from "../../src/store/home.ts";
import { MIGRATIONS } from "../../src/store/migrations.ts";
import { openStore } from "../../src/store/store.ts";
import { launch } from "../support/daemon.ts";
import { tempDir } from "../support/temp.ts";

/** A home whose audit has six rows, of which the first three were given up; with what was its head at the second. */
function createTrimmed() {
  const home = tempDir("sp-");
  const { database } = homePaths(home);
  const store = openStore(database, Date.now);
  onTestFinished(() => store[Symbol.dispose]());
  const append = (event: Parameters<typeof store.audit.append>[0]["event"]): void =>
    store.audit.append({ at: 1, risk: "low", userId: null, conversation: null, event });
  for (let row = 0; row < 5; row += 1) append({ type: "command.run", name: "help" });
  const [, second, third] = store.audit.after(0, 3);
  if (!second || !third) throw new Error("there are five rows");
  store.audit.giveUp(third);
  append({ type: "audit.trimmed", id: third.id, hash: third.hash });
  store.audit.removeGivenUp(2); // and one is still to be removed
  return { home, database, store, second, third };
}

async function verify(home: string, ...args: readonly string[]) {
  const env = { PATH: process.env.PATH ?? "", HOME: tempDir("sp-"), SALLYPORT_HOME: home };
  const life = launch(["audit", "verify", ...args], env);
  const { code } = await life.exited;
  return { code, output: life.output() };
}

test("an audit that retention has cut is whole, and what was cut is said", async () => {
  const { home, store, second, third } = createTrimmed();
  const head = store.audit.head();
  const told = `audit ok: 3 rows after row 3, where retention cut, head 6:${head.hash}\n`;
  expect(await verify(home)).toEqual({ code: 0, output: expect.stringContaining(told) });
  expect(await verify(home, "--head", `6:${head.hash}`)).toEqual({ code: 0, output: told });
  expect(await verify(home, "--head", `3:${third.hash}`)).toEqual({ code: 0, output: told });
  const early = `2:${second.hash}`;
  expect(await verify(home, "--head", early)).toEqual({
    code: 1,
    output: `${told}The head ${early} is older than what is kept, so it shows nothing: note the new one\n`,
  });
});

test("an anchor that was moved by hand, and rows that were removed beyond it, are found", async () => {
  const { home, database } = createTrimmed();
  const raw = new Database(database);
  onTestFinished(() => void raw.close());
  raw.exec("UPDATE audit_anchor SET id = 4, hash = (SELECT hash FROM audit WHERE id = 4)");
  expect(await verify(home)).toEqual({ code: 1, output: "audit BROKEN at row 4: untold\n" });
  raw.exec("DROP TRIGGER audit_is_append_only_delete; DELETE FROM audit WHERE id < 6");
  expect(await verify(home)).toEqual({ code: 1, output: "audit BROKEN at row 5: missing\n" });
});

test("an audit of before there was retention is verified as it stands", async () => {
  const home = tempDir("sp-");
  const { database } = homePaths(home);
  const before = MIGRATIONS.findIndex((sql) => sql.includes("audit_anchor"));
  const old = new Database(database);
  for (const sql of MIGRATIONS.slice(0, before)) old.exec(sql);
  old.close();
  expect(await verify(home)).toEqual({
    code: 0,
    output: expect.stringMatching(/^audit ok: 0 rows, head 0:0+\n/),
  });
});
