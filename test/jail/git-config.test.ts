import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { gitConfigPaths, wordsOf } from "../../src/jail/git-config.ts";

const SIGNS = Array.from("ab /.\\\"#;=[]\t'-ä");

test("hooks and includes are found in any spelling", () => {
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
[include "sub"]
	path = kept
[remote "path"]
	path = no
`;
  expect(gitConfigPaths(text)).toEqual({
    hooksPaths: [".githooks", "a b\\c"],
    includes: ["../.gitconfig", "config", "kept"],
    commands: [],
  });
});

test("programs that git would run are found in any section, and taken apart into words", () => {
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
`;
  const { commands } = gitConfigPaths(text);
  expect(commands.map(wordsOf)).toEqual([
    ["./tools/monitor"],
    ["node", "scripts/text.js", "--plain"],
    ["sh", "-c", "clean.sh", "%f"],
    ["./status.sh"],
  ]);
});

test("a comment ends with its line, even after a backslash", () => {
  const text =
    '[core]\n# a \\\nhooksPath = x ; b \\\nhooksPath = y\\\nz\nhooksPath = "a # b" # "c\nhooksPath = d';
  expect(gitConfigPaths(text).hooksPaths).toEqual(["x", "yz", "a # b", "d"]);
});

test("nothing is made up", () => {
  expect(gitConfigPaths("")).toEqual({ hooksPaths: [], includes: [], commands: [] });
  expect(gitConfigPaths("hooksPath = x\n[core]\nhooksPath\nhooksPath =\n#hooksPath = y")).toEqual({
    hooksPaths: [],
    commands: [],
    includes: [],
  });
});

test("no text makes it throw", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void gitConfigPaths(text)));
});

test("a value that git wrote is read as git reads it", () => {
  const folder = mkdtempSync(join(tmpdir(), "git-config-"));
  const file = join(folder, "config");
  try {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(...SIGNS) }), (value) => {
        writeFileSync(file, "");
        execFileSync("git", ["config", "-f", file, "core.hooksPath", value]);
        const read = execFileSync("git", ["config", "-z", "-f", file, "core.hooksPath"], {
          encoding: "utf8",
        });
        expect(gitConfigPaths(execFileSync("cat", [file], { encoding: "utf8" })).hooksPaths).toEqual([
          read.slice(0, -1),
        ]);
      }),
      { numRuns: 40 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
