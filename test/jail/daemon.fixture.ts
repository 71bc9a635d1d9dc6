import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import type { ApprovedPath } from "../../src/domain/approved-path.ts";
import { openJail } from "../../src/jail/open-jail.ts";

/** A daemon in small: opens a jail, starts the shell script of its argument's JSON in it, and prints what comes out. */
const { world, script, sandbox = "require" } = JSON.parse(readFileSync(0, "utf8"));
const log = { info: () => undefined, warn: () => undefined };
const jail = await openJail({
  sandbox,
  platform: process.platform,
  scratchDir: world.scratchDir,
  log,
});
const jailed = await jail.start({
  project: world.project as ApprovedPath,
  program: "/bin/sh",
  configDir: world.configDir,
  apiSocket: world.apiSocket,
  args: () => ["-c", script],
  env: ({ path, home }) => ({ PATH: path, HOME: home }),
});
process.stdout.write("started\n");
const [out, err, { code }] = await Promise.all([text(jailed.stdout), text(jailed.stderr), jailed.exited]);
process.stdout.write(JSON.stringify({ out, err, code, uid: process.getuid?.() }));
await jail.close();
