import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { type AuditRow, verifyChain } from "../../src/domain/audit-chain.ts";
import { homePaths } from "../../src/store/home.ts";
import { openStore } from "../../src/store/store.ts";
import { launch } from "../support/daemon.ts";
import { tempDir } from "../support/temp.ts";

const ROWS = 200;

async function writer(
  path: string,
  userId: number,
  otherId: number,
): Promise<ChildProcessByStdio<Writable, Readable, null>> {
  const file = join(import.meta.dirname, "writer.fixture.ts");
  const child = spawn(process.execPath, [file, path, ...[userId, ROWS, otherId].map(String)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

/** How often the rows go from one person to another: writers that took turns. */
function changesIn(rows: readonly AuditRow[]): number {
  return rows.filter(({ userId }, index) => index > 0 && userId !== rows[index - 1]?.userId).length;
}

test("two processes and a command at the machine that write at the same time make one chain, and none of their rows is lost", async () => {
  const home = tempDir("sp-");
  const { database } = homePaths(home);
  using store = openStore(database, Date.now);
  store.facts.set("lock", JSON.stringify({ since: 1, by: 7 }));
  const writers = await Promise.all([writer(database, 1, 2), writer(database, 2, 1)]);
  const ends = writers.map(async (child) => {
    const end = await once(child, "exit");
    if (end[0] !== 0) for (const other of writers) other.kill(); // who is left would wait for its rows
    return end;
  });
  for (const child of writers) child.stdin.end("go\n");
  const unlock = launch(["unlock"], { PATH: process.env.PATH ?? "", HOME: home, SALLYPORT_HOME: home });
  expect(await Promise.all(ends)).toEqual([
    [0, null],
    [0, null],
  ]);
  expect((await unlock.exited).code).toBe(0);

  const rows = [...store.audit.rows()];
  expect(verifyChain(rows)).toMatchObject({ kind: "ok", count: 2 * ROWS + 1, head: { id: 2 * ROWS + 1 } });
  for (const userId of [1, 2]) {
    const own = rows.filter((row) => row.userId === userId).map(({ data }) => data);
    expect(own).toEqual(Array.from({ length: ROWS }, (_, n) => JSON.stringify({ name: `row ${n}` })));
  }
  expect(rows.filter(({ type }) => type === "daemon.unlocked")).toHaveLength(1);
  expect(changesIn(rows)).toBeGreaterThan(3); // else they wrote one after the other, and this proves nothing
}, 120_000);
