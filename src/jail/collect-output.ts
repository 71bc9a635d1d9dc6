import { text } from "node:stream/consumers";
import type { JailExit, JailedProcess } from "./jail.ts";

/** Ends a program's input, waits for it, and gives what it printed; one that takes too long or prints too much is killed. */
export async function collectOutput(
  {
    stdin,
    stdout,
    stderr,
    exited,
    kill,
  }: Pick<JailedProcess, "stdin" | "stdout" | "stderr" | "exited"> & {
    readonly kill: () => Promise<unknown>;
  },
  { timeoutMs, maxBytes }: { readonly timeoutMs: number; readonly maxBytes: number },
): Promise<Pick<JailExit, "code"> & { readonly stdout: string }> {
  const timer = setTimeout(() => void kill(), timeoutMs);
  stdin.end();
  stderr.resume();
  let bytes = 0;
  stdout.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) void kill();
  });
  const [printed, { code }] = await Promise.all([text(stdout), exited]);
  clearTimeout(timer);
  return { code, stdout: printed };
}
