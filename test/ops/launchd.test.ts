import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { AppError } from "../../src/domain/errors.ts";
import { renderLaunchdPlist } from "../../src/ops/launchd.ts";
import { tempDir } from "../support/temp.ts";

const PATHS = {
  node: "/Users/o/sallyport/node_modules/node/bin/node",
  program: "/Users/o/sallyport/dist/bin.js",
  home: "/Users/o/.sallyport",
  settings: "/Users/o/.sallyport/.env",
  userHome: "/Users/o",
  log: "/Users/o/.sallyport/logs/daemon.log",
};

const PYTHON = `import json, plistlib, sys
json.dump(plistlib.loads(sys.stdin.buffer.read()), sys.stdout)`;

const hasPython = spawnSync("python3", ["-c", "import plistlib"]).status === 0;

/** Reads a property list as Python's plistlib does, where there is one; else by its own few kinds of elements. */
function parsePlist(xml: string): unknown {
  if (!hasPython) return parseByHand(xml);
  const { status, stdout, stderr } = spawnSync("python3", ["-c", PYTHON], { input: xml, encoding: "utf8" });
  if (status !== 0) throw new Error(`expected a property list, got ${stderr}`);
  return JSON.parse(stdout);
}

/** Property list to JSON, element by element: enough for this one, and no check of XML itself. */
function parseByHand(xml: string): unknown {
  const plain = (text: string) =>
    text.replace(
      /&(amp|lt|gt|quot|apos);/g,
      (_, name: string) => ({ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" })[name] ?? "",
    );
  const body = xml.replace(/<!--[\s\S]*?-->|<\?.*?\?>|<!DOCTYPE.*?>|<\/?plist.*?>/g, "");
  const json = body
    .replace(/<key>(.*?)<\/key>/g, (_, text: string) => `${JSON.stringify(plain(text))}:`)
    .replace(/<string>(.*?)<\/string>/g, (_, text: string) => `${JSON.stringify(plain(text))},`)
    .replace(/<integer>(\d+)<\/integer>/g, "$1,")
    .replace(/<(true|false)\/>/g, "$1,")
    .replace(/<dict>/g, "{")
    .replace(/<\/dict>/g, "},")
    .replace(/<array>/g, "[")
    .replace(/<\/array>/g, "],")
    .replace(/,(\s*[}\]])/g, "$1");
  return JSON.parse(json.trim().replace(/,$/, ""));
}

test("H80: the agent starts again after a crash only, from absolute paths, with a PATH on which claude is found", () => {
  expect(parsePlist(renderLaunchdPlist(PATHS))).toEqual({
    Label: "com.sallyport.daemon",
    ProgramArguments: [
      PATHS.node,
      "--max-semi-space-size=2",
      "--disable-warning=DEP0040",
      "--",
      PATHS.program,
      "start",
      "--supervised",
      "--env-file",
      PATHS.settings,
    ],
    EnvironmentVariables: {
      PATH: "/Users/o/.local/bin:/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
      SALLYPORT_HOME: PATHS.home,
    },
    WorkingDirectory: PATHS.home,
    RunAtLoad: true,
    KeepAlive: { SuccessfulExit: false },
    ThrottleInterval: 15,
    ExitTimeOut: 20,
    ProcessType: "Interactive",
    StandardOutPath: PATHS.log,
    StandardErrorPath: PATHS.log,
  });
});

test("the reader without python3 reads the same", () => {
  expect(parseByHand(renderLaunchdPlist(PATHS))).toEqual(parsePlist(renderLaunchdPlist(PATHS)));
});

test("H80: no network condition, no system daemon's keys, no shell's abbreviations and no gap is left in it", () => {
  const xml = renderLaunchdPlist(PATHS).replace(/<!--[\s\S]*?-->/g, "");
  expect(xml).not.toMatch(/\{\{|\}\}|~|\$/);
  for (const key of ["NetworkState", "Network", "UserName", "GroupName"])
    expect(xml).not.toContain(`<key>${key}</key>`);
});

test("a path may hold what XML, the template or a replacement would take for its own", () => {
  const odd = `/Users/o/a & <b> "c" 'd' {{home}} $& $1 é 日`;
  const paths = {
    node: `${odd}/node`,
    program: `${odd}/bin.js`,
    home: odd,
    settings: `${odd}/.env`,
    userHome: odd,
    log: `${odd}/log`,
  };
  expect(parsePlist(renderLaunchdPlist(paths))).toMatchObject({
    ProgramArguments: [
      paths.node,
      expect.anything(),
      expect.anything(),
      "--",
      paths.program,
      "start",
      "--supervised",
      "--env-file",
      paths.settings,
    ],
    EnvironmentVariables: {
      SALLYPORT_HOME: odd,
      PATH: expect.stringMatching(/^\/Users\/o\/a & <b>.*\/\.local\/bin:/),
    },
    StandardErrorPath: paths.log,
  });
});

test.each([
  [{ home: "relative" }, /^launchd home: expected an absolute path, got "relative"$/],
  [{ node: "node" }, /^launchd node: expected an absolute path/],
  [{ log: "" }, /^launchd log: expected an absolute path/],
  [{ program: "/a\u0000b" }, /without control characters/],
  [{ program: "/a\nb" }, /without control characters/],
  [{ log: "/a\ud800" }, /without control characters/],
  [{ userHome: "/Users/a:b" }, /without a colon/],
])("%j is refused", (change, told) => {
  try {
    renderLaunchdPlist({ ...PATHS, ...change });
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: "path_invalid", message: expect.stringMatching(told) });
  }
});

test("the template is part of the package", () => {
  const manifest: { files: string[] } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  expect(manifest.files).toContain("launchd");
});

test("`sallyport plist` prints the LaunchAgent of this installation, with absolute paths only", () => {
  const cli = resolve(import.meta.dirname, "../../src/cli.ts");
  const home = "/nowhere/sallyport";
  const env = { PATH: "/usr/bin:/bin", HOME: "/nowhere", SALLYPORT_HOME: home };
  const printed = execFileSync(process.execPath, ["--", cli, "plist"], { env, encoding: "utf8" });
  expect(printed).not.toContain("{{");
  expect(printed).toContain(`<string>${home}/sallyport.log</string>`);
  expect(printed).toContain(`<string>${process.execPath}</string>`);
  expect(printed).toContain(`<string>${home}/.env</string>`);
});

test("`sallyport plist --env-file` prints an agent that reads that very file", () => {
  const cli = resolve(import.meta.dirname, "../../src/cli.ts");
  const folder = tempDir();
  const settings = join(realpathSync(folder), "bot.env");
  writeFileSync(settings, "SALLYPORT_HOME=/nowhere/of-the-file\n", { mode: 0o600 });
  const options = {
    env: { PATH: "/usr/bin:/bin", HOME: "/nowhere" },
    encoding: "utf8",
    cwd: folder,
  } as const;
  const printed = execFileSync(process.execPath, ["--", cli, "plist", "--env-file", "bot.env"], options);
  expect(printed).toMatch(new RegExp(`<string>--env-file</string>\\s+<string>${settings}</string>`));
  expect(printed).toContain("<string>/nowhere/of-the-file/sallyport.log</string>");
});
