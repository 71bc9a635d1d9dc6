import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { tempDir } from "../support/temp.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** Runs the demo in `folder` with an input that stays open; `onOutput` sees all that was printed so far. */
async function runDemo(folder: string, onOutput: (stdout: string, kill: () => void) => void) {
  const env = { PATH: `${join(ROOT, "node_modules/.bin")}:/usr/bin:/bin`, HOME: tempDir(), TMPDIR: folder };
  const args = ["--disable-warning=DEP0040", join(ROOT, "src/cli.ts"), "demo"];
  const child = spawn(process.execPath, args, { env, stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
    onOutput(stdout, () => child.kill("SIGINT"));
  });
  const [code, signal]: unknown[] = await once(child, "close");
  return { code, signal, stderr, stdout };
}

test("a fault of the daemon ends the demo with one line and its code, though the input is still open", async () => {
  const folder = join(tempDir(), "a-folder-too-long-for-a-socket".repeat(4));
  mkdirSync(folder);
  const { code, stderr, stdout } = await runDemo(folder, () => undefined);
  expect(stdout).toContain("Ctrl-D ends");
  expect(stderr).toMatch(/^Expected a socket path of at most \d+ bytes, got \d+[^\n]*\n$/);
  expect(code).toBe(78);
  expect(readdirSync(folder)).toEqual([]);
});

test("SIGINT ends the demo in order, in the middle of a chat: code 0, and its folder is gone", async () => {
  const folder = tempDir();
  let isSent = false;
  const { code, signal, stderr } = await runDemo(folder, (stdout, kill) => {
    if (isSent || !stdout.includes("Ctrl-D ends")) return;
    isSent = true; // a second one would end it at once
    kill();
  });
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
  expect(readdirSync(folder).filter((name) => name.startsWith("sallyport-demo-"))).toEqual([]);
});
