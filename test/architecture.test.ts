import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const SRC = resolve(import.meta.dirname, "../src");

/** Rooms by floor; an import goes to a lower floor or stays in its room. Files directly in `src` live on the top floor. */
const FLOOR: Readonly<Record<string, number>> = {
  domain: 0,
  config: 1,
  log: 1,
  store: 2,
  security: 3,
  jail: 3,
  claude: 4,
  workspace: 4,
  egress: 4,
  turns: 5,
  telegram: 6,
  ops: 7,
  demo: 7,
  ".": 8,
};

/** Who may import which package; a package that is not listed is open to all. */
const PACKAGE_ROOMS: Readonly<Record<string, readonly string[]>> = {
  "better-sqlite3": ["store"],
  "node:sqlite": ["store"],
  execa: ["jail", "ops"],
  "@anthropic-ai/sandbox-runtime": ["jail"],
  pino: ["log"],
  "pino-pretty": ["log"],
  "@secretlint/secretlint-rule-preset-recommend": ["log"],
  grammy: ["telegram"],
  "@grammyjs/runner": ["telegram"],
  dotenv: ["config"],
  // What opens files of other people's runs in a jail of its own.
  yauzl: ["jail"],
  "tar-stream": ["jail"],
  "file-type": ["jail"],
  commander: ["."],
  // The stand-in for the CLI runs inside the jail, where it starts commands as the CLI does.
  "node:child_process": ["jail", "ops", "demo", "."],
};

interface Import {
  readonly from: string;
  readonly target: string;
}

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => join(SRC, file));

function importsOf(file: string): readonly Import[] {
  const source = readFileSync(file, "utf8");
  const found = source.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^;"']*?["']([^"']+)["']|import\(\s*["']([^"']+)["']/g,
  );
  return [...found].map((match) => ({ from: file, target: match[1] ?? match[2] ?? "" }));
}

function roomOf(file: string): string {
  const path = relative(SRC, file);
  return path.includes("/") ? (path.split("/")[0] ?? ".") : ".";
}

const imports = files.flatMap(importsOf);

test("every room of src stands on a floor", () => {
  expect([...new Set(files.map(roomOf))].filter((room) => FLOOR[room] === undefined)).toEqual([]);
  expect(files.length).toBeGreaterThan(0);
});

test("imports go down a floor or stay in their room", () => {
  const wrong = imports
    .filter(({ target }) => target.startsWith("."))
    .map(({ from, target }) => ({ from, to: resolve(dirname(from), target) }))
    .filter(({ from, to }) => roomOf(from) !== roomOf(to))
    .filter(({ from, to }) => (FLOOR[roomOf(to)] ?? 99) >= (FLOOR[roomOf(from)] ?? 0))
    .map(({ from, to }) => `${relative(SRC, from)} -> ${relative(SRC, to)}`);
  expect(wrong).toEqual([]);
});

test("packages are imported only by the rooms that own them", () => {
  const roomsFor = (target: string): readonly string[] | undefined =>
    Object.entries(PACKAGE_ROOMS).find(([name]) => target === name || target.startsWith(`${name}/`))?.[1];
  const wrong = imports
    .filter(({ from, target }) => roomsFor(target)?.includes(roomOf(from)) === false)
    .map(({ from, target }) => `${relative(SRC, from)} imports ${target}`);
  expect(wrong).toEqual([]);
});

test("the demo is imported by the command line alone", () => {
  const wrong = imports
    .filter(({ target }) => target.includes("/demo/"))
    .map(({ from }) => relative(SRC, from))
    .filter((file) => !file.startsWith("demo/") && file !== "cli.ts");
  expect(wrong).toEqual([]);
});

/** Everything that running `entry` may load, now or later, that file included. `isCut` leaves an import out. */
function reachableFrom(entry: string, isCut: (edge: Import) => boolean = () => false): readonly string[] {
  const found = new Set([join(SRC, entry)]);
  for (const file of found) {
    for (const edge of importsOf(file)) {
      if (/^\..*\.ts$/.test(edge.target) && !isCut(edge)) found.add(resolve(dirname(file), edge.target));
    }
  }
  return [...found].map((file) => relative(SRC, file));
}

const isOfDemo = (file: string): boolean => file.startsWith("demo/");

test("nothing of the demo or of its emulators can be loaded by the daemon", () => {
  const ofDaemon = reachableFrom("start.ts");
  expect(ofDaemon).toEqual(expect.arrayContaining(["main.ts", "jail/open-jail.ts", "egress/proxy.ts"]));
  expect(ofDaemon.filter(isOfDemo)).toEqual([]);

  // The installed entry leads there by one import alone, which stands in the command `demo`.
  expect(reachableFrom("bin.ts").filter(isOfDemo).length).toBeGreaterThan(30);
  const isDemoCommand = ({ target }: Import): boolean => target === "./demo/demo.ts";
  expect(reachableFrom("bin.ts", isDemoCommand).filter(isOfDemo)).toEqual([]);
  const commands = readFileSync(join(SRC, "cli.ts"), "utf8").split(/^(?=program$)/m);
  const withDemo = commands.filter((command) => command.includes("./demo/"));
  expect(withDemo).toEqual([expect.stringContaining('.command("demo")')]);
  expect(withDemo[0]).toContain('await import("./demo/demo.ts")');
});

test("what is loaded is written out: no import of a computed name, and by other means packages alone", () => {
  const matching = (pattern: RegExp): readonly string[] =>
    files
      .filter((file) => pattern.test(readFileSync(file, "utf8")))
      .map((file) => relative(SRC, file))
      .sort();
  expect(matching(/\bimport\((?!\s*"[^"]+"\s*\))/)).toEqual([]);
  expect(matching(/\bcreateRequire\(|\bimport\.meta\.resolve\(|\bnew Worker\(/)).toEqual([
    "bin.ts", // the `node` package
    "domain/thread.ts", // threads of the daemon's own, of which the next test knows each
    "log/logger.ts", // pino-pretty
    "telegram/render/table.ts", // string-width
  ]);
});

test("the daemon has two threads of its own", () => {
  const starting = files.filter((file) => /\bstartThread\((?!module)/.test(readFileSync(file, "utf8")));
  expect(starting.map((file) => relative(SRC, file)).sort()).toEqual([
    "egress/wire-reader.ts",
    "jail/secret-watch.ts",
  ]);
});

test("the daemon never loads the client behind fetch: an import of node:http would", () => {
  const program = `await import("./start.ts"); await import("./open-claude.ts");
    console.log(JSON.stringify(process.moduleLoadList));`;
  const loaded = execFileSync(
    process.execPath,
    ["--disable-warning=DEP0040", "--input-type=module", "-e", program],
    {
      cwd: SRC,
      encoding: "utf8",
    },
  );
  expect(loaded).toContain("NativeModule _http_server");
  expect(loaded).not.toContain("undici");
});

test("files stay small: nearly all under 200 lines, none over 300", () => {
  const lengths = files.map((file) => ({
    file: relative(SRC, file),
    lines: readFileSync(file, "utf8").split("\n").length,
  }));
  expect(lengths.filter(({ lines }) => lines > 300)).toEqual([]);
  expect(lengths.filter(({ lines }) => lines > 200).length).toBeLessThanOrEqual(Math.ceil(files.length / 20));
});

test("no table of the store is written but by a change that names its transition", () => {
  const statements = files
    .filter((file) => roomOf(file) === "store")
    .flatMap((file) => {
      const source = readFileSync(file, "utf8");
      return [...source.matchAll(/\.run\(/g)].map(({ index }) => ({
        file: relative(SRC, file),
        // What stands before it, from the last `change(` of the same method on.
        change: /change\((?![\s\S]*\n {4}\},\n)[\s\S]*$/.exec(source.slice(0, index))?.[0] ?? null,
      }));
    });
  expect(statements.length).toBeGreaterThan(30);
  expect(statements.filter(({ change }) => change === null)).toEqual([]);
});
