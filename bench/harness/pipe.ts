import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { builtProgram } from "./built.ts";
import { atOfHrtime, steadyNow } from "./clock.ts";

const GAP_MS = 20;

/** Milliseconds from writing a prompt into the stand-in's stdin to its noting it, `count` times; no jail, no daemon. */
export async function pipeTimes(count: number): Promise<readonly number[]> {
  const folder = mkdtempSync(join(tmpdir(), "spb-"));
  const argv = [builtProgram("stand-in"), "--session-id=pipe", '--settings={"permissions":{"deny":[]}}'];
  const child = spawn(process.execPath, argv, {
    env: { CLAUDE_CONFIG_DIR: folder },
    stdio: ["pipe", "ignore", "inherit"],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  try {
    await sleep(500);
    const sent: number[] = [];
    for (let index = 0; index < count; index += 1) {
      sent.push(steadyNow());
      const message = { role: "user", content: `ping ${index}` };
      child.stdin.write(`${JSON.stringify({ type: "user", uuid: "", message })}\n`);
      await sleep(GAP_MS);
    }
    child.stdin.end();
    await exited;
    const noted = readFileSync(join(folder, "stdin.log"), "utf8").trim().split("\n");
    return noted.map(
      (line, index) => atOfHrtime(BigInt(line.split(" ")[0] ?? "0")) - (sent[index] ?? Number.NaN),
    );
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}
