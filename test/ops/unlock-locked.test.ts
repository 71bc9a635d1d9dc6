import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { homePaths } from "../../src/store/home.ts";
import { openStore } from "../../src/store/store.ts";
import { launch } from "../support/daemon.ts";
import { tempDir } from "../support/temp.ts";

test("an unlock that cannot be put on record unlocks nothing, and says what to do", async () => {
  const home = tempDir("sp-");
  const { database } = homePaths(home);
  const store = openStore(database, Date.now);
  const holder = new Database(database);
  onTestFinished(() => {
    holder.close();
    store[Symbol.dispose]();
  });
  store.facts.set("lock", JSON.stringify({ since: 1, by: 7 }));
  const unlock = async () => {
    const env = { PATH: process.env.PATH ?? "", HOME: home, SALLYPORT_HOME: home };
    const life = launch(["unlock"], env);
    return { ...(await life.exited), output: life.output() };
  };
  holder.exec("BEGIN IMMEDIATE");
  expect(await unlock()).toEqual({
    code: 1,
    signal: null,
    output: expect.stringMatching(
      /locked\. Nothing was done: another program keeps the database .* end that program/,
    ),
  });
  expect(store.facts.get("lock")).not.toBeNull();
  expect([...store.audit.rows()]).toEqual([]);
  holder.exec("ROLLBACK");
  expect((await unlock()).code).toBe(0);
  expect(store.facts.get("lock")).toBeNull();
  expect([...store.audit.rows()].map(({ type }) => type)).toEqual(["daemon.unlocked"]);
});
