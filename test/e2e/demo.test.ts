import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { tempDir } from "../support/temp.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** Runs the demo with a PATH of its own and types what the screen asks for. */
async function runDemo(
  path: string,
  type: (output: string) => string | null,
): Promise<{ code: number | null; output: string }> {
  const env = { PATH: path, HOME: tempDir(), TMPDIR: tempDir() };
  const child = spawn(process.execPath, ["--disable-warning=DEP0040", join(ROOT, "src/cli.ts"), "demo"], {
    env,
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  let seen = 0;
  const take = (chunk: string): void => {
    output += chunk;
    const line = type(output.slice(seen));
    if (line === null) return;
    seen = output.length;
    if (line === "") child.stdin.end();
    else child.stdin.write(`${line}\n`);
  };
  child.stdout.setEncoding("utf8").on("data", take);
  child.stderr.setEncoding("utf8").on("data", take);
  const [code]: unknown[] = await once(child, "close");
  return { code: code as number | null, output };
}

/** Types `hello`, then asks for a file, allows it by the button's number, and ends. */
function visitor(): (output: string) => string | null {
  const steps: [RegExp, (match: RegExpMatchArray) => string][] = [
    [/Ctrl-D ends/, () => "hello"],
    [/scripted model: what I say[\s\S]*shed · .* · \$0\.\d/, () => "make a file"],
    [/\[(\d+)\] Allow once/, (match) => match[1] ?? ""],
    [/Done\. The tool said[\s\S]*1 tool call/, () => ""],
  ];
  return (output) => {
    const match = steps[0] && output.match(steps[0][0]);
    return match ? (steps.shift()?.[1](match) ?? null) : null;
  };
}

test("the demo runs the whole program with the real CLI, in this terminal", async () => {
  const path = `${join(ROOT, "node_modules/.bin")}:/usr/bin:/bin`;
  const { code, output } = await runDemo(path, visitor());
  expect(output).toMatch(/^Claude here is the real claude CLI, in the jail/);
  expect(output).toContain("✅ Allowed once.");
  expect(code).toBe(0);
  const folder = output.match(/Log: (.*)\/daemon\.log/)?.[1] ?? "";
  expect(existsSync(dirname(folder))).toBe(true);
  expect(existsSync(folder)).toBe(false);
});

test("where no claude is installed, the demo says so and runs with its stand-in", async () => {
  const { code, output } = await runDemo("/usr/bin:/bin", visitor());
  expect(output).toMatch(
    /^Claude here is a scripted stand-in for the CLI \(no claude was found\), in the jail/,
  );
  expect(output).toContain("✅ Allowed once.");
  expect(code).toBe(0);
});
