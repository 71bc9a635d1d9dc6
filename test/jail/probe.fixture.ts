import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";

/** Tries each act of its argv (`read:PATH`, `write:PATH`, `tcp:PORT`, `unix:PATH`, `env`) and prints the outcomes as JSON. */
const outcomes: Record<string, string> = {};
for (const act of process.argv.slice(2)) {
  outcomes[act] = await attempt(act).catch((error: NodeJS.ErrnoException) => error.code ?? String(error));
}
process.stdout.write(JSON.stringify(outcomes));

async function attempt(act: string): Promise<string> {
  const [kind, ...rest] = act.split(":");
  const target = rest.join(":");
  if (kind === "read") return readFileSync(target, "utf8");
  if (kind === "env") return JSON.stringify(process.env);
  if (kind === "write") {
    writeFileSync(target, "written", { flag: "a" });
    return "written";
  }
  const socket = kind === "tcp" ? connect(Number(target), "127.0.0.1") : connect(target);
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("data", (chunk) => resolve(String(chunk)));
  });
}
