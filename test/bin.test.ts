import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { EXIT } from "../src/domain/errors.ts";

const PROGRAM = resolve(import.meta.dirname, "..");
const PINNED = realpathSync(join(PROGRAM, "node_modules/node/bin/node"));

/** A stand-in for the program: tells how it was started, then does what its argument says. */
const CLI = `
import { isDeepStrictEqual } from "node:util";
declare const process: any;
const [act = "", ...rest]: string[] = process.argv.slice(2);
const told = { execPath: process.execPath, version: process.versions.node, flags: process.execArgv, stackTraceLimit: (Error as any).stackTraceLimit, rest };
process.stdout.write(JSON.stringify(told) + "\\n");
if (act === "exit") process.exitCode = Number(rest[0]);
if (act === "die") process.kill(process.pid, rest[0]);
if (act === "echo") process.stdin.pipe(process.stdout);
if (act === "wait") {
  setInterval(() => isDeepStrictEqual(1, 2), 1000);
  for (const signal of rest) process.on(signal, () => { process.stdout.write(signal + "\\n"); process.exit(9); });
  process.stdout.write("waiting\\n");
}
export {};
`;

let root = "";
const bin = () => join(root, "dist/bin.js");

/** Node older than the program needs, as a machine may have it: /usr/bin/node of Debian, or another on PATH. */
function findOldNode(): string | null {
  const folders = ["/usr/bin", "/usr/local/bin", ...(process.env.PATH ?? "").split(":")];
  const found = folders.map((folder) => join(folder, "node")).filter((path) => existsSync(path));
  return (
    found.find((path) => {
      const { stdout } = spawnSync(path, ["-p", "process.versions.node"], { encoding: "utf8" });
      const [major = 0, minor = 0] = (stdout ?? "").trim().split(".").map(Number);
      return major >= 20 && (major < 24 || (major === 24 && minor < 11));
    }) ?? null
  );
}

const oldNode = findOldNode();

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "sallyport-bin-")));
  mkdirSync(join(root, "src"));
  mkdirSync(join(root, "home"));
  cpSync(join(PROGRAM, "src/bin.ts"), join(root, "src/bin.ts"));
  writeFileSync(join(root, "src/cli.ts"), CLI);
  writeFileSync(join(root, "package.json"), '{ "type": "module" }');
  symlinkSync(join(PROGRAM, "node_modules"), join(root, "node_modules"));
  writeFileSync(
    join(root, "tsconfig.json"),
    JSON.stringify({
      extends: join(PROGRAM, "tsconfig.build.json"),
      compilerOptions: { rootDir: join(root, "src"), outDir: join(root, "dist") },
      include: [join(root, "src")],
    }),
  );
  const tsc = join(PROGRAM, "node_modules/.bin/tsc");
  const built = spawnSync(PINNED, [realpathSync(tsc), "-p", root], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`expected bin.ts to compile, got ${built.stdout}${built.stderr}`);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A copy of the built entry beside which nothing is installed. */
function copyAway(): string {
  const away = realpathSync(mkdtempSync(join(tmpdir(), "sallyport-bin-away-")));
  onTestFinished(() => rmSync(away, { recursive: true, force: true }));
  for (const file of ["dist", "package.json"])
    cpSync(join(root, file), join(away, file), { recursive: true });
  return away;
}

/** Runs the entry; ended by the test's end at the latest. */
function run(node: string, ...argv: string[]) {
  const child = spawn(node, [bin(), ...argv], { env: { PATH: "/usr/bin:/bin", HOME: join(root, "home") } });
  onTestFinished(() => void child.kill("SIGKILL"));
  const seen = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (seen.out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (seen.err += text));
  return { child, seen };
}

async function until(child: ChildProcess, isReached: () => boolean): Promise<void> {
  while (!isReached()) await once(child.stdout ?? child, "data");
}

test("the entry names the interpreter for npm's link, and needs of Node what the package says it does", () => {
  const source = readFileSync(bin(), "utf8");
  expect(source.startsWith("#!/usr/bin/env -S node --\n")).toBe(true);
  const manifest: { engines: { node: string } } = JSON.parse(
    readFileSync(join(PROGRAM, "package.json"), "utf8"),
  );
  const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(manifest.engines.node) ?? [];
  expect(source).toContain(`{ major: ${major}, minor: ${minor} }`);
  expect(source).toContain(`EXIT_CONFIG = ${EXIT.config};`);
});

test.each([["the pinned Node", PINNED], ...(oldNode === null ? [] : [["an older Node", oldNode]])])(
  "H36: started by its name on %s, the program's own --env-file does not reach Node, nor what stands in that file",
  (_, node) => {
    const folder = mkdtempSync(join(root, "path-"));
    symlinkSync(node, join(folder, "node"));
    chmodSync(bin(), 0o755);
    writeFileSync(join(folder, "some.env"), "NODE_OPTIONS=--stack-trace-limit=3\n");
    for (const file of ["/nonexistent/file", join(folder, "some.env")]) {
      const { status, stdout, stderr } = spawnSync(bin(), ["exit", "0", "--env-file", file], {
        encoding: "utf8",
        env: { PATH: `${folder}:/usr/bin:/bin`, HOME: join(root, "home") },
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(JSON.parse(stdout)).toMatchObject({ rest: ["0", "--env-file", file], stackTraceLimit: 10 });
    }
  },
);

describe("on a Node that is new enough", () => {
  test("the program runs in this very process, and its compiled code is kept in the user's own folder", async () => {
    const { child, seen } = run(PINNED, "exit", "3");
    const [code] = await once(child, "close");
    expect(seen.err).toBe("");
    expect(code).toBe(3);
    expect(JSON.parse(seen.out)).toMatchObject({ execPath: PINNED, flags: [], rest: ["3"] });
    expect(readdirSync(join(root, "home/.cache/sallyport/compile"))).not.toEqual([]);
  });
});

describe.skipIf(oldNode === null)(`on an older Node (${oldNode ?? "none on this machine"})`, () => {
  const old = oldNode ?? "";

  test("the program runs on the pinned one, with its flags and the same arguments", async () => {
    const { child, seen } = run(old, "exit", "0", "--flag=a b", "");
    const [code] = await once(child, "close");
    expect(seen.err).toBe("");
    expect(code).toBe(0);
    expect(JSON.parse(seen.out)).toEqual({
      execPath: PINNED,
      version: expect.stringMatching(/^24\./),
      flags: ["--max-semi-space-size=2", "--disable-warning=DEP0040"],
      stackTraceLimit: 10,
      rest: ["0", "--flag=a b", ""],
    });
  });

  test.each([1, 75, 77, 78])("H81: the exit code %i is passed through", async (wanted) => {
    const { child } = run(old, "exit", String(wanted));
    const [code, signal] = await once(child, "close");
    expect([code, signal]).toEqual([wanted, null]);
  });

  test.each(["SIGKILL", "SIGTERM", "SIGABRT"])("the end by %s is passed through", async (wanted) => {
    const { child } = run(old, "die", wanted);
    const [code, signal] = await once(child, "close");
    expect([code, signal]).toEqual([null, wanted]);
  });

  test("standard input reaches the program, and its end too", async () => {
    const { child, seen } = run(old, "echo");
    child.stdin.end("hello\n");
    const [code] = await once(child, "close");
    expect(code).toBe(0);
    expect(seen.out.endsWith("hello\n")).toBe(true);
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2"] as const)(
    "%s is forwarded, and the program's own end counts",
    async (sent) => {
      const { child, seen } = run(old, "wait", sent);
      await until(child, () => seen.out.includes("waiting"));
      child.kill(sent);
      const [code, signal] = await once(child, "close");
      expect([code, signal]).toEqual([9, null]);
      expect(seen.out).toContain(`${sent}\n`);
    },
  );

  test("a signal that the program does not handle ends both", async () => {
    const { child, seen } = run(old, "wait");
    await until(child, () => seen.out.includes("waiting"));
    child.kill("SIGTERM");
    const [code, signal] = await once(child, "close");
    expect([code, signal]).toEqual([null, "SIGTERM"]);
  });

  test("H81: without the pinned Node it ends with 78 and one line that says what to do", () => {
    const away = copyAway();
    // NODE_PATH may name a Node of anybody's: it is not looked for there.
    const env = { HOME: join(root, "home"), NODE_PATH: join(PROGRAM, "node_modules") };
    const { status, stderr, stdout } = spawnSync(old, [join(away, "dist/bin.js"), "exit", "0"], {
      encoding: "utf8",
      env,
    });
    expect({ status, stdout }).toEqual({ status: 78, stdout: "" });
    expect(stderr).toMatch(/^sallyport: expected Node 24\.11 or newer, got \d+\..*npm rebuild node.*\n$/);
  });

  test("H81: a pinned Node that does not run, or is the old one itself, ends the same way and not in a circle", () => {
    const away = copyAway();
    const folder = join(away, "node_modules/node/bin");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(away, "node_modules/node/package.json"), "{}");
    writeFileSync(join(folder, "node"), "no program");
    const start = () => spawnSync(old, [join(away, "dist/bin.js")], { encoding: "utf8", timeout: 20_000 });
    expect(start()).toMatchObject({ status: 78, stderr: expect.stringContaining("does not run") });
    rmSync(join(folder, "node"));
    symlinkSync(realpathSync(old), join(folder, "node"));
    expect(start()).toMatchObject({ status: 78, stderr: expect.stringContaining("is missing") });
  });
});
