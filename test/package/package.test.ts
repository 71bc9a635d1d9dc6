import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import { zip } from "../support/archives.ts";
import { createStage, type Life, launch } from "../support/daemon.ts";
import { queryDaemon } from "../support/daemon-database.ts";
import { processesWith } from "../support/processes.ts";
import { sendFile } from "../support/send-file.ts";
import { tempDir } from "../support/temp.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const RECORDER = join(import.meta.dirname, "recorder.fixture.ts");
/** The machine's own Node, as a user has it: not the one that npm puts first while it runs a script. */
const PATH = (process.env.PATH ?? "")
  .split(":")
  .filter((folder) => !folder.includes("node_modules"))
  .join(":");

/** An empty folder with the package installed in it. */
let folder = "";
/** What is in the tarball, without its leading `package/`. */
let packed: readonly string[] = [];

const installed = (path: string): string => join(folder, "node_modules", path);
const ofPackage = (path: string): string => installed(join("sallyport", path));
const program = (): readonly string[] => [installed(".bin/sallyport")];

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "sallyport-package-")));
  const npm = (cwd: string, ...args: readonly string[]): string =>
    execFileSync("npm", [...args], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const [tarball = ""] = npm(ROOT, "pack", "--silent", "--pack-destination", folder).split("\n").slice(-2);
  const list = execFileSync("tar", ["-tzf", join(folder, tarball)], { encoding: "utf8" });
  packed = list
    .trim()
    .split("\n")
    .map((path) => path.replace(/^package\//, ""));
  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  npm(folder, "install", "--silent", "--no-audit", "--no-fund", "--prefer-offline", `./${tarball}`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the tarball", () => {
  test("holds what is built and what a user reads, and nothing of the source, the tests or the benches", () => {
    const { files }: { files: string[] } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const allowed = [...files, "package.json"];
    expect(packed).toEqual(
      expect.arrayContaining(["dist/bin.js", "dist/start.js", ".env.example", "LICENSE"]),
    );
    expect(
      packed.filter((path) => !allowed.some((own) => path === own || path.startsWith(`${own}/`))),
    ).toEqual([]);
    expect(packed.filter((path) => /\.ts$|^(src|test|bench)\/|\.(test|fixture)\./.test(path))).toEqual([]);
    expect(packed.filter((path) => path.startsWith("dist/") && !/\.js(\.map)?$/.test(path))).toEqual([]);
  });

  test("has a map beside every file, with the source inside, and each file names its own", () => {
    const code = packed.filter((path) => path.startsWith("dist/") && path.endsWith(".js"));
    expect(code.length).toBeGreaterThan(150);
    for (const path of code) {
      const text = readFileSync(ofPackage(path), "utf8");
      const [, url = ""] = /^\/\/# sourceMappingURL=(\S+)\s*$/m.exec(text) ?? [];
      const map = join(dirname(ofPackage(path)), url);
      expect([path, url !== "" && existsSync(map)]).toEqual([path, true]);
      const { sources, sourcesContent } = JSON.parse(readFileSync(map, "utf8"));
      const source = resolve(dirname(join(ROOT, path)), sources[0]);
      expect(source).toBe(join(ROOT, path.replace(/^dist\//, "src/").replace(/\.js$/, ".ts")));
      expect(sourcesContent).toEqual([readFileSync(source, "utf8")]);
    }
  });

  test("a stack trace leads to the line of the source that threw", () => {
    const script = `import { createUpstream } from ${JSON.stringify(ofPackage("dist/egress/upstream.js"))};
      try { createUpstream("no address"); } catch (error) { console.log(error.stack); }`;
    const argv = ["--enable-source-maps", "--input-type=module", "--eval", script];
    const stack = execFileSync(installed("node/bin/node"), argv, { cwd: folder, encoding: "utf8" });
    const [, source = "", line = ""] = /^ {4}at parseBaseUrl \((.*\.ts):(\d+):\d+\)$/m.exec(stack) ?? [];
    expect(source).toMatch(/\/src\/egress\/upstream\.ts$/);
    const text = readFileSync(join(ROOT, "src/egress/upstream.ts"), "utf8").split("\n")[Number(line) - 1];
    expect(text).toContain("throw new AppError(");
  });
});

describe("installed in an empty folder", () => {
  const env = () => ({ PATH, HOME: tempDir("sp-") });
  const endOf = async (life: Life) => ({ code: (await life.exited).code, output: life.output() });

  test("it says its version, and without settings what it lacks", async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const told = await endOf(launch(["--version"], env(), { program: program() }));
    expect(told).toEqual({ code: 0, output: `${version}\n` });
    const { code, output } = await endOf(launch(["start"], env(), { program: program() }));
    expect(code).toBe(78);
    expect(output).toMatch(/^ {2}TELEGRAM_BOT_TOKEN: expected .*, got nothing$/m);
  });

  test("it answers a command and a prompt, and leaves nothing running when it is told to end", async () => {
    const script = createQueueScript([reply("Hello from the package.")]);
    const stage = await createStage({ script, program: program(), env: { PATH } });
    const life = await stage.start();
    await stage.ask("/help", "/status:");
    await stage.ask("hello", "Hello from the package.");
    const [row] = queryDaemon(stage.home, "SELECT id FROM sessions");
    const { id: session } = row as { id: string };
    const running = () => [...processesWith(folder), ...processesWith(session)];
    expect(processesWith(folder).length).toBeGreaterThan(0);
    expect(processesWith(session).length).toBeGreaterThan(0);
    expect((await life.kill("SIGTERM")).code).toBe(0);
    expect(running()).toEqual([]);
  });

  test("H16: a zip that is sent is unpacked by what is installed, and a way out of it is refused", async () => {
    const script = createQueueScript([
      callTool("Read", { file_path: "/uploads/app/a.txt" }),
      ({ toolResults }) => reply(`It says: ${toolResults[0]?.text}`),
    ]);
    const stage = await createStage({ script, program: program(), env: { PATH } });
    const life = await stage.start();
    sendFile(stage, { name: "up.zip", content: zip([{ name: "../../up.txt", content: "x" }]) });
    await stage.waitFor(({ text }) => text.includes("it leads out of its own folder"));
    sendFile(stage, { name: "app.zip", content: zip([{ name: "a.txt", content: "from the zip" }]) });
    await stage.waitFor(({ text }) => text.includes("from the zip"));
    expect((await life.kill("SIGTERM")).code).toBe(0);
  });

  test("the daemon loads nothing of the demo or its emulators, whatever it is asked", async () => {
    const list = join(tempDir("sp-"), "loaded");
    const node = [installed("node/bin/node"), "--import", RECORDER, ofPackage("dist/bin.js")];
    const recorded = { LOADED_FILES: list };
    const ofDemo = () => loaded().filter((url) => url.includes("/dist/demo/"));
    const loaded = () => readFileSync(list, "utf8").trim().split("\n");

    const script = createQueueScript([reply("Hello from the package.")]);
    const stage = await createStage({ script, program: node, env: recorded });
    const life = await stage.start();
    await stage.ask("/help", "/status:");
    await stage.ask("hello", "Hello from the package.");
    expect((await life.kill("SIGTERM")).code).toBe(0);
    const names = [
      "cli",
      "start",
      "main",
      "telegram/door",
      "claude/runner",
      "jail/open-jail",
      "egress/proxy",
    ];
    for (const name of names) expect(loaded()).toContain(`file://${ofPackage(`dist/${name}.js`)}`);
    expect(ofDemo()).toEqual([]);

    const demo = launch(["demo"], { ...env(), ...recorded }, { program: node });
    expect((await demo.exited).code).toBe(0);
    expect(ofDemo()).toContain(`file://${ofPackage("dist/demo/demo.js")}`); // it would have been seen
  });
});
