import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { createBwrapReading } from "../../src/jail/bwrap-reading.ts";
import { wordsOf } from "../../src/jail/git-config.ts";
import { createMarks } from "../../src/jail/mark.ts";
import { findSystemProgram } from "../../src/jail/open-jail.ts";
import { createGitConfigReader, type RunReading } from "../../src/jail/read-git-configs.ts";
import { systemBinds } from "../../src/jail/system-binds.ts";
import { createTenants } from "../../src/jail/tenants.ts";
import { memoryLog } from "../support/git-project.ts";
import { tempDir } from "../support/temp.ts";

const SIGNS = Array.from("ab /.\\\"#;=[]\t'-ä");

describe.runIf(process.platform === "linux")("what a project's git configs say", () => {
  let project: string;
  let run: RunReading;

  beforeEach(async () => {
    project = realpathSync(tempDir());
    const scratchDir = realpathSync(tempDir());
    const bwrap = (await findSystemProgram("bwrap")) ?? "";
    const [marks, system] = [createMarks(scratchDir), await systemBinds(scratchDir)];
    const own = { identity: null, system, become: [], moveIn: async () => undefined };
    const tenants = createTenants({ own, scratchDir, tools: null, log: memoryLog() });
    run = createBwrapReading({ bwrap, scratchDir, marks, tenants });
  });

  function put(name: string, text: string): string {
    const file = join(project, name);
    writeFileSync(file, text);
    return file;
  }

  async function read(text: string) {
    const file = put("config", text);
    return (await createGitConfigReader(project, [file], run))(file);
  }

  test("hooks and includes are found in any spelling", async () => {
    const text = `\uFEFF[core]
	hooksPath = .githooks ; with a comment
[user] name = "a # b"
[CORE] HooksPath="a b\\\\c" # one line
[include]
	path = ../.gitconfig
	other = no
[includeIf "onbranch:main"]
	path = "conf\\
ig"
[includeIf "gitdir:~/a.b/"]
	path = kept
[remote "path"]
	path = no
`;
    expect(await read(text)).toEqual({
      hooksPaths: [".githooks", "a b\\c"],
      includes: ["../.gitconfig", "config", "kept"],
      commands: [],
    });
  });

  test("programs that git would run are found in any section, and taken apart into words", async () => {
    const text = `[core]
	fsmonitor = ./tools/monitor
[diff "x"]
	textconv = node scripts/text.js --plain
[filter.old] clean = "sh -c 'clean.sh %f'"
[alias]
	st = !./status.sh
[user]
	name = ./not-run
[diff]
	tool = ./not-run
[gpg "ssh"]
	defaultKeyCommand = ./key.sh
[core]
	alternateRefsCommand = ./refs.sh
[tar "tar.gz"]
	command = ./tar.sh
[sendemail]
	toCmd = ./to.sh
`;
    const { commands } = await read(text);
    expect(commands.map(wordsOf)).toEqual([
      ["./tools/monitor"],
      ["node", "scripts/text.js", "--plain"],
      ["sh", "-c", "clean.sh", "%f"],
      ["./status.sh"],
      ["./key.sh"],
      ["./refs.sh"],
      ["./tar.sh"],
      ["./to.sh"],
    ]);
  });

  test("nothing is made up, and what git itself cannot read says nothing", async () => {
    const nothing = { hooksPaths: [], includes: [], commands: [] };
    expect(await read("")).toEqual(nothing);
    expect(await read("[core]\nhooksPath\nhooksPath =\n#hooksPath = y")).toEqual(nothing);
    expect(await read("hooksPath = x\n[core]\nother = x")).toEqual(nothing);
    expect(await read("[core\nhooksPath = x")).toEqual(nothing);
  });

  test("many configs are read at one go, each for itself, and one that was not named later", async () => {
    let runs = 0;
    const files = [
      "",
      "[core]\nhooksPath =\n",
      "[core]\nhooksPath = a",
      "[broken",
      "[core]\nhooksPath = b",
    ].map((text, index) => put(`config ${index}`, text));
    const reader = await createGitConfigReader(project, files, (...asked) => {
      runs += 1;
      return run(...asked);
    });
    const hooks = await Promise.all(files.map(async (file) => (await reader(file)).hooksPaths));
    expect(hooks).toEqual([[], [], ["a"], [], ["b"]]);
    expect(runs).toBe(1);
    expect((await reader(put("later", "[core]\nhooksPath = c"))).hooksPaths).toEqual(["c"]);
    expect(runs).toBe(2);
  });

  test("a value that git wrote is read as git reads it", async () => {
    const values = fc.sample(fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(...SIGNS) }), {
      numRuns: 40,
      seed: 7,
    });
    const files = values.map((value, index) => {
      const file = put(`config${index}`, "");
      execFileSync("git", ["config", "-f", file, "core.hooksPath", value]);
      return file;
    });
    const reader = await createGitConfigReader(project, files, run);
    const told = await Promise.all(files.map(async (file) => (await reader(file)).hooksPaths));
    const read = files.map((file) =>
      execFileSync("git", ["config", "-z", "-f", file, "core.hooksPath"], { encoding: "utf8" }).slice(0, -1),
    );
    expect(told).toEqual(read.map((value) => [value]));
  });

  test("H18: configs are read in a sandbox that has the project alone, read-only, and no network", async () => {
    const file = put("config", "[core]\nhooksPath = a");
    const beside = realpathSync(tempDir());
    writeFileSync(join(beside, "note"), "OUTSIDE");
    mkdirSync(join(project, "sub"));
    const script = `cat "$1" "$3/note"; touch "$2/made" "$2/sub/made" "$3/made"; ls /sys/class/net /run; cut -d: -f1 /proc/net/dev | tail -n +3`;
    const { stdout } = await run(project, ["/bin/sh", "-c", script, "sh", file, project, beside]);
    expect(stdout.replaceAll(/\s+/g, " ").trim()).toBe("[core] hooksPath = a lo");
    expect(
      [join(project, "made"), join(project, "sub/made"), join(beside, "made")].filter(existsSync),
    ).toEqual([]);
  });

  test("a sandbox in which configs cannot be read ends the look: nothing is taken for harmless", async () => {
    const file = put("config", "[core]\nhooksPath = a");
    const reading = (code: number, stdout = ""): Promise<unknown> =>
      createGitConfigReader(project, [file], async () => ({ code, stdout }));
    await expect(reading(9)).rejects.toMatchObject({
      code: "sandbox_missing",
      message: expect.stringContaining("install git"),
    });
    await expect(reading(0)).rejects.toMatchObject({ code: "sandbox_missing" });
    await expect(reading(137, "\n\0")).rejects.toMatchObject({ code: "sandbox_missing" });
  });
});
