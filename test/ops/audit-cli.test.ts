import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import * as fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { type AuditRow, verifyChain } from "../../src/domain/audit-chain.ts";
import type { AuditEntry } from "../../src/domain/audit-event.ts";
import { AUDIT_FORMATS } from "../../src/ops/audit-formats.ts";
import { parseMoment } from "../../src/ops/audit-options.ts";
import { homePaths } from "../../src/store/home.ts";
import { openStore } from "../../src/store/store.ts";
import { launch } from "../support/daemon.ts";
import { canMount, smallDisk } from "../support/small-disk.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

const HOUR = 3_600_000;
const NOW = Date.now();

function createHome() {
  const home = tempDir("sp-");
  const store = openStore(homePaths(home).database, Date.now);
  onTestFinished(() => store[Symbol.dispose]());
  const append = (entry: Partial<AuditEntry>): void =>
    store.audit.append({
      at: NOW,
      risk: "low",
      userId: 7,
      conversation: { chatId: -100, threadId: null },
      event: { type: "command.run", name: "help" },
      ...entry,
    });
  return { home, store, append };
}

async function audit(home: string, ...args: readonly string[]) {
  const life = launch(["audit", ...args], { PATH: process.env.PATH ?? "", HOME: home, SALLYPORT_HOME: home });
  const { code } = await life.exited;
  return { code, output: life.output() };
}

const HOSTILE = '=cmd|"/C calc"!A0\n\u202e\u0007';

test("an export in JSON lines is a chain that anybody can check, and ends with the head that `audit verify --head` knows", async () => {
  const { home, append } = createHome();
  for (let hour = 5; hour > 0; hour -= 1) append({ at: NOW - hour * HOUR });
  append({ at: NOW, userId: null, conversation: null, event: { type: "project.left_out", path: HOSTILE } });
  const file = join(home, "audit.jsonl");
  const { code, output } = await audit(home, "export", "--format", "jsonl", "--out", file);
  expect(code).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const records = readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text) as AuditRow & { readonly head: string; readonly count: number });
  const end = records.pop();
  expect(records).toHaveLength(6);
  expect(verifyChain(records)).toMatchObject({ kind: "ok", count: 6 });
  expect(JSON.parse(records[5]?.data ?? "")).toEqual({ path: HOSTILE });
  expect(end).toMatchObject({ type: "export.end", count: 6, head: `6:${records[5]?.hash}` });
  expect(output).toContain(`6 rows, head ${end?.head}`);
  append({});
  expect((await audit(home, "verify", "--head", end?.head ?? "")).code).toBe(0);
  const other = `${end?.head.slice(0, -1)}${end?.head.endsWith("0") ? "1" : "0"}`;
  expect((await audit(home, "verify", "--head", other)).code).toBe(1);
});

test("an export of a time has no gap, whatever the clock did, and touches no file that is there", async () => {
  const { home, append } = createHome();
  for (const hours of [9, 5, 7, 4, 3, 1]) append({ at: NOW - hours * HOUR });
  const range = ["--since", "6h", "--until", new Date(NOW - 2 * HOUR).toISOString()];
  const { output } = await audit(home, "export", "--format", "jsonl", ...range);
  const ids = output
    .split("\n")
    .filter((text) => text.startsWith('{"id"'))
    .map((text) => (JSON.parse(text) as AuditRow).id);
  expect(ids).toEqual([2, 3, 4, 5]);
  const file = join(home, "there");
  writeFileSync(file, "mine");
  expect((await audit(home, "export", "--format", "csv", "--out", file)).code).not.toBe(0);
  expect(readFileSync(file, "utf8")).toBe("mine");
  const wrong = await audit(home, "export", "--format", "xml", "--out", join(home, "new"));
  expect(wrong).toEqual({
    code: 78,
    output: expect.stringContaining('--format must be jsonl or csv, got "xml"'),
  });
  expect(existsSync(join(home, "new"))).toBe(false);
});

test.skipIf(process.platform !== "linux")(
  "what could not be written is said, and ends with 1; a reader that has seen enough is no fault",
  async () => {
    const { home, append } = createHome();
    for (let row = 0; row < 3; row += 1) append({});
    const env = { PATH: process.env.PATH ?? "", HOME: home, SALLYPORT_HOME: home };
    const ended = async (args: readonly string[], redirect: string) => {
      const life = launch(["audit", ...args], env, { wrap: ["bash", "-c", `"$0" "$@" ${redirect}`] });
      return { ...(await life.exited), output: life.output() };
    };
    const [dump, all] = [["export", "--format", "jsonl"], ["tail"]];
    for (const args of [dump, all, ["verify"]])
      expect(await ended(args, "> /dev/full")).toMatchObject({
        code: 1,
        output: expect.stringMatching(/^The output could not be written: ENOSPC\b.*\n$/),
      });
    for (const args of [dump, all])
      expect(await ended(args, "| true; exit $PIPESTATUS")).toMatchObject({ code: 0 });
  },
  90_000,
);

test.skipIf(process.platform !== "linux")(
  "an export for which the disk has no room leaves no half of itself",
  async ({ skip }) => {
    if (!canMount()) skip("this user may not mount a small disk");
    const { home, append } = createHome();
    for (let row = 0; row < 300; row += 1)
      append({ event: { type: "project.left_out", path: "p".repeat(400) } });
    const folder = join(home, "small");
    smallDisk(folder, 1);
    writeFileSync(join(folder, "most"), Buffer.alloc(980_000));
    const file = join(folder, "audit.jsonl");
    const { code, output } = await audit(home, "export", "--format", "jsonl", "--out", file);
    expect(code).toBe(1);
    expect(output).toContain(`${file} could not be written: ENOSPC`);
    expect(existsSync(file)).toBe(false);
  },
  90_000,
);

/** Reads what RFC 4180 calls a record. */
function cellsOf(text: string): readonly string[] {
  const cells = [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",\r\n]*))(?=,|\r\n$)/g)];
  return cells.map(([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? "");
}

test("no text in a CSV export is a formula to a spreadsheet, and none breaks out of its cell", () => {
  const csv = AUDIT_FORMATS.get("csv");
  if (!csv) throw new Error("there is a form for CSV");
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom("=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", 'a","=1'),
  );
  fc.assert(
    fc.property(text, text, text, (type, chat, data) => {
      const row = { id: 1, at: 0, type, risk: "low", userId: null, chat, data, previousHash: "0", hash: "1" };
      const cells = cellsOf(csv.row(row));
      expect(cells).toHaveLength(10);
      for (const cell of cells) expect(cell).not.toMatch(/^[=+\-@\t\r\n]/);
      expect(cells[2]?.endsWith(type)).toBe(true);
      expect(cells[6]?.endsWith(data)).toBe(true);
    }),
  );
});

test("the tail shows the newest rows by risk, person and time, a line each, whatever stands in them", async () => {
  const { home, append } = createHome();
  for (let n = 0; n < 30; n += 1) append({ at: NOW - 3 * HOUR });
  append({ at: NOW - HOUR, risk: "high", userId: 8, event: { type: "violation.injection", path: HOSTILE } });
  append({ at: NOW, risk: "critical", userId: null });
  append({ at: NOW, risk: "medium", userId: 8 });
  const ids = (output: string): number[] =>
    output.split("\n").flatMap((text) => (text === "" ? [] : [Number.parseInt(text, 10)]));
  expect(ids((await audit(home, "tail")).output)).toEqual(Array.from({ length: 20 }, (_, n) => n + 14));
  expect(ids((await audit(home, "tail", "--risk", "high")).output)).toEqual([31, 32]);
  expect(ids((await audit(home, "tail", "--user", "8", "-n", "1")).output)).toEqual([33]);
  const { output } = await audit(home, "tail", "--since", "2h", "--user", "8", "--risk", "high");
  expect(output).toMatch(
    /^ {4}31 \S+Z high {5}8 {10}violation\.injection path==cmd\|"\/C calc"!A0\\n\\u\{202e\}\\u\{7\}\n$/,
  );
  expect(await audit(home, "tail", "--since", "soon")).toEqual({
    code: 78,
    output: expect.stringContaining(
      '--since must be like 90m, 48h, 7d or 2026-11-26T14:00 (UTC), got "soon"',
    ),
  });
});

const AT = Date.UTC(2026, 10, 27, 14, 30);

test.each([
  ["2026-11-27T14:30", AT],
  ["2026-11-27T14:30:00.000Z", AT],
  ["2026-11-27T15:30+01:00", AT],
  ["2026-11-27", Date.UTC(2026, 10, 27)],
  ["90m", AT - 90 * 60_000],
])("the moment %j is %d, whatever the zone of the machine", (text, at) => {
  vi.stubEnv("TZ", "Asia/Tokyo");
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(new Date(2026, 0, 1).getTimezoneOffset()).toBe(-540); // else this proves nothing
  expect(parseMoment("--since", text, AT)).toBe(at);
});

test.each([
  "banana 3",
  "1",
  "2026",
  "2026-13-45",
  "2026-02-30",
  "2026-11-27 14:30",
  "27 Nov 2026",
  "-1h",
  "1w",
  "",
])("%j is no moment", (text) => {
  expect(() => parseMoment("--since", text, AT)).toThrow("--since must be like 90m");
});

test("what became known as a secret after it was stored is neither shown nor exported, and the chain of the other rows can still be checked", async () => {
  const { home, append } = createHome();
  const value = "a-git-token-without-any-shape";
  const shape = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
  append({ event: { type: "project.left_out", path: `${value} and ${shape}` } });
  append({});
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: home,
    SALLYPORT_HOME: home,
    GIT_TOKEN_EXAMPLE_COM: value,
  };
  const run = async (...args: readonly string[]): Promise<string> => {
    const life = launch(["audit", ...args], env);
    expect((await life.exited).code).toBe(0);
    return life.output();
  };
  const [jsonl, csv] = [await run("export", "--format", "jsonl"), await run("export", "--format", "csv")];
  const marks = csv.split("\r\n").map((row) => row.split(",").at(-1));
  expect(marks.slice(0, 4)).toEqual(['"isRedacted"', '"true"', '""', '""']);
  for (const output of [await run("tail"), jsonl, csv]) {
    expect(output).toContain("[redacted]");
    for (const secret of [value, shape]) expect(output).not.toContain(secret);
  }
  const [first, second] = jsonl
    .split("\n")
    .map((text) => (text.startsWith('{"id"') ? JSON.parse(text) : null));
  expect(first).toMatchObject({ id: 1, isRedacted: true });
  expect(second).toMatchObject({ id: 2, previousHash: first.hash });
  expect(second).not.toHaveProperty("isRedacted");
  expect(verifyChain([second], { after: { id: 1, hash: first.hash } })).toMatchObject({ reason: "untold" }); // whole and linked
});

test("a row in which somebody wrote what is no JSON hides none of the others", async () => {
  const { home, append } = createHome();
  for (let row = 0; row < 3; row += 1) append({});
  const raw = new Database(homePaths(home).database);
  raw.exec("DROP TRIGGER audit_is_append_only_update; UPDATE audit SET data = '{no' WHERE id = 2");
  raw.close();
  const { output } = await audit(home, "export", "--format", "jsonl");
  expect(output).toContain('"data":"{no"');
  expect(output).toMatch(/"type":"export.end".*"count":3/);
  expect((await audit(home, "tail")).output).toMatch(/unreadable=\{no\n\s+3 /);
});

test("the tail goes on with what another process puts on record, until it is told to end", async () => {
  const { home, append } = createHome();
  append({ risk: "high" });
  const env = { PATH: process.env.PATH ?? "", HOME: home, SALLYPORT_HOME: home };
  const life = launch(["audit", "tail", "--follow", "--risk", "high"], env);
  await until(() => life.output().includes("     1 "), "the row that is there");
  append({});
  append({ risk: "critical", event: { type: "command.run", name: "later" } });
  await until(() => life.output().includes("name=later"), "the row that came");
  expect(life.output()).not.toContain("     2 ");
  expect(await life.kill("SIGTERM")).toEqual({ code: 0, signal: null });
});
