import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createBwrapSift } from "../../src/jail/bwrap-sift.ts";
import { createHostSift } from "../../src/jail/host-sift.ts";
import type { Sift } from "../../src/jail/jail.ts";
import { createMarks } from "../../src/jail/mark.ts";
import { findSystemProgram } from "../../src/jail/open-jail.ts";
import { siftParams } from "../../src/jail/seatbelt-params.ts";
import { findSiftProgram, type SiftProgram } from "../../src/jail/sift-program.ts";
import { systemBinds } from "../../src/jail/system-binds.ts";
import { createTenants } from "../../src/jail/tenants.ts";
import { createWorld, memoryLog } from "../support/git-project.ts";

const LOOK_ROUND = join(import.meta.dirname, "look-round.fixture.ts");

/** The same program in the jail of archives, and without one. */
async function bench() {
  const world = await createWorld();
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.close();
    await world[Symbol.asyncDispose]();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  mkdirSync(world.scratchDir, { mode: 0o700 });
  const marks = createMarks(world.scratchDir);
  const system = await systemBinds(world.scratchDir);
  const own = { identity: null, system, become: [], moveIn: async () => undefined };
  const { scratchDir } = world;
  const tenants = createTenants({ own, scratchDir, tools: null, log: memoryLog() });
  const bwrap = (await findSystemProgram("bwrap")) ?? "";
  const find = async (): Promise<SiftProgram> => ({
    node: process.execPath,
    script: LOOK_ROUND,
    parts: [{ source: LOOK_ROUND, path: LOOK_ROUND }],
  });

  const outside = join(world.root, "outside.txt");
  writeFileSync(outside, "outside");
  let count = 0;
  async function look(sift: Sift, signal = new AbortController().signal) {
    count += 1;
    const folder = join(world.root, `staging-${count}`);
    const [file, target] = [join(folder, "file"), join(folder, "out")];
    mkdirSync(target, { recursive: true });
    writeFileSync(file, "as it came");
    const request = { program: "sniff", file, target, order: { port, outside } } as const;
    const ended = await sift({ ...request, maxFileBytes: 1_000_000, project: world.project, signal });
    return { ...ended, file, target };
  }
  const jailed = createBwrapSift({ bwrap, scratchDir, marks, tenants }, find);
  return { look, jailed, marks, find, world };
}

describe.runIf(process.platform === "linux")("the jail for a file of somebody else's", () => {
  test("H16: it has the file, the folder and the program: no project, no network, no memory without end", async () => {
    const { look, jailed, marks, find } = await bench();
    const { code, stdout, file } = await look(jailed);
    expect(code).toBe(0);
    const seen = JSON.parse(stdout);
    expect(seen).toMatchObject({
      root: ["file", "sift", "target"],
      outside: false,
      network: "ECONNREFUSED",
      writesFile: "EROFS",
      writesTarget: "done",
      writesLarge: "EFBIG",
    });
    expect(seen.fills).not.toBe("done");
    expect(seen.env.filter((name: string) => name !== "PWD")).toEqual(["HOME", "LC_ALL", "PATH"]);
    expect(readFileSync(file, "utf8")).toBe("as it came");

    // Without the jail the same acts succeed; the limits of the system hold there too.
    const { script } = await find();
    const control = createHostSift({
      marks,
      siftCommand: async ({ argv }) => ({
        file: argv[0] ?? "",
        argv: argv.slice(1).map((each) => (each.endsWith("/sift/sniff.ts") ? script : each)),
      }),
    });
    const free = await look(control);
    const told = JSON.parse(free.stdout);
    expect(told).toMatchObject({ outside: true, network: "done", writesFile: "done", writesLarge: "EFBIG" });
    expect(told.fills).not.toBe("done");
  });

  test("it ends at once when it is told to", async () => {
    const { look, jailed } = await bench();
    const { code } = await look(jailed, AbortSignal.abort());
    expect(code).not.toBe(0);
  });

  test("the program comes with its packages and nothing else of where it is installed", async () => {
    const { parts, script } = await findSiftProgram("unpack");
    const names = parts.map(({ path }) => path.slice(path.lastIndexOf("/") + 1)).sort();
    expect(names).toEqual(expect.arrayContaining(["domain", "sift", "package.json", "yauzl", "tar-stream"]));
    expect(names.filter((name) => name.startsWith("bare-") || name === "src")).toEqual([]);
    expect(script.endsWith("/jail/sift/unpack.ts")).toBe(true);
  });
});

test("the macOS profile for a file of somebody else's reads the file and its program, and writes the folder alone", () => {
  const entry = { argv: ["/bin/sh", "it's"], reads: ["/x/file", "/opt/node"], target: "/x/out" };
  expect(siftParams(entry, ["/Users"])).toMatchObject({
    command: `exec '/bin/sh' 'it'\\''s'`,
    needsNetworkRestriction: true,
    allowAllUnixSockets: false,
    readConfig: { denyOnly: ["/Users"], literalAllowWithinDeny: ["/x/file", "/opt/node", "/x/out"] },
    writeConfig: { allowOnly: [], literalAllowOnly: ["/x/out"] },
  });
});
