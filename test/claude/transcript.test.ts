import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hasTranscript, withholdResults } from "../../src/claude/transcript.ts";

const ID = "0f8fad5b-d9cb-469f-a165-70867728950e";
let configDir: string;
let path: string;
beforeEach(() => {
  configDir = realpathSync(mkdtempSync(join(tmpdir(), "transcript-")));
  mkdirSync(join(configDir, "projects/-p"), { recursive: true });
  path = join(configDir, "projects/-p", `${ID}.jsonl`);
});
afterEach(() => rmSync(configDir, { recursive: true }));

const said = (id: string, block: string, over: object = {}) => ({
  type: "assistant",
  message: { id, model: "claude-x", content: [{ type: "tool_use", id: block }] },
  ...over,
});
const result = (block: string) => ({
  type: "user",
  message: { content: [{ type: "tool_result", tool_use_id: block }] },
});

/** The lines that are left of a session with these. */
async function left(...lines: readonly object[]): Promise<readonly unknown[]> {
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  await withholdResults(configDir, ID);
  if (!(await hasTranscript(configDir, ID))) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

const prompt = { type: "user", message: { content: "do it" } };

test("H32: the files in which the CLI keeps long results go as well, and nothing through a link", async () => {
  const own = path.replace(".jsonl", "");
  const other = own.replace(ID, "another");
  for (const folder of [own, other]) {
    mkdirSync(join(folder, "tool-results"), { recursive: true });
    writeFileSync(join(folder, "tool-results/a.txt"), "SECRET");
  }
  await left(prompt, said("m1", "a"), result("a"));
  expect([own, join(other, "tool-results/a.txt")].map(existsSync)).toEqual([false, true]);

  const outside = join(configDir, "outside");
  mkdirSync(join(outside, ID), { recursive: true });
  symlinkSync(outside, join(configDir, "projects/-q"));
  await expect(withholdResults(configDir, ID)).rejects.toMatchObject({ code: "path_outside" });
  expect(existsSync(join(outside, ID))).toBe(true);
});

test("H32: results after the model's last message are taken out, those before it stay", async () => {
  const kept = [prompt, said("m1", "a"), result("a"), said("m2", "b"), said("m2", "c")];
  expect(await left(...kept, result("b"), result("c"))).toEqual(kept);
});

test("H32: a result that came between the blocks of one message is taken out with what follows", async () => {
  const kept = [prompt, said("m1", "a"), result("a"), said("m2", "b")];
  expect(await left(...kept, result("b"), said("m2", "c"), result("c"), said("m2", "d"))).toEqual(kept);
});

test("H32: what a subagent or the CLI itself says after a result does not keep it", async () => {
  const kept = [prompt, said("m1", "a")];
  expect(await left(...kept, result("a"), said("m9", "x", { isSidechain: true }))).toEqual(kept);
  const synthetic = { type: "assistant", message: { id: "s", model: "<synthetic>", content: [] } };
  expect(await left(...kept, result("a"), synthetic)).toEqual(kept);
});

test("H32: a session in which the model has said nothing is removed", async () => {
  expect(await left(prompt)).toEqual([]);
});
