/** Stands in a program of `sift/`'s place: says what it can see and do, as JSON. */
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";

const [file = "", target = "", order = "{}"] = process.argv.slice(2);
const { port, outside }: { port: number; outside: string } = JSON.parse(order);

const tried = (act: () => unknown): string => {
  try {
    act();
    return "done";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
};

const reached = await new Promise<string>((resolve) => {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("connect", () => resolve("done"));
  socket.on("error", (error) => resolve("code" in error ? String(error.code) : "failed"));
});

process.stdout.write(
  JSON.stringify({
    root: existsSync("/run") ? readdirSync("/run").sort() : [],
    outside: existsSync(outside),
    network: reached,
    writesFile: tried(() => writeFileSync(file, "changed")),
    writesTarget: tried(() => writeFileSync(`${target}/made`, "x")),
    writesLarge: tried(() => writeFileSync(`${target}/large`, Buffer.alloc(2_000_000))),
    fills: tried(() => Array.from({ length: 40 }, () => Buffer.alloc(100_000_000, 1))),
    env: Object.keys(process.env).sort(),
  }),
);
process.exit(0);
