import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Jail, JailedProcess, JailLoss } from "../../src/jail/jail.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import { createSecretWatcher } from "../../src/jail/secret-watch.ts";
import { createWorld, type JailWorld, memoryLog, shellRequest } from "../support/git-project.ts";

/** Gives the longest that this thread worked between two turns of its loop, in ms: not how long a busy machine let it wait. */
function watchLoop(): () => number {
  let longest = 0;
  let last = process.threadCpuUsage();
  const look = (): void => {
    const { user, system } = process.threadCpuUsage(last);
    longest = Math.max(longest, (user + system) / 1_000);
    last = process.threadCpuUsage();
  };
  const timer = setInterval(look, 5);
  return () => {
    clearInterval(timer);
    look();
    return longest;
  };
}

describe.runIf(process.platform === "linux")("H32: a secret that appears while a jail lives", () => {
  let world: JailWorld;
  let jail: Jail;
  let losses: JailLoss[];
  beforeEach(async () => {
    losses = [];
    world = await createWorld();
    writeFileSync(join(world.project, ".env"), "MASKED");
    mkdirSync(join(world.project, "deep/er"), { recursive: true });
    mkdirSync(join(world.project, "keys"));
    symlinkSync("keys", join(world.project, ".ssh"));
    symlinkSync("deep/later", join(world.project, "dangling.pem"));
    jail = await openJail({
      sandbox: "require",
      platform: process.platform,
      scratchDir: world.scratchDir,
      log: memoryLog(),
      secretFiles: ["*.vault"],
    });
  });
  afterEach(async () => {
    await jail.close();
    await world[Symbol.asyncDispose]();
  });

  const at = (path: string): string => join(world.project, path);
  /** One character for each byte. */
  const bytes = (path: string): Buffer => Buffer.from(at(path), "latin1");
  const start = (
    script = "sleep 60",
    over: Partial<Parameters<Jail["start"]>[0]> = {},
  ): Promise<JailedProcess> =>
    jail.start({ ...shellRequest(world, script), onLoss: (loss) => void losses.push(loss), ...over });

  const WAYS: readonly (readonly [string, string, () => void])[] = [
    ["made", "server.key", () => writeFileSync(at("server.key"), "SECRET")],
    ["made far below", "deep/er/.env.local", () => writeFileSync(at("deep/er/.env.local"), "SECRET")],
    ["made in another case", "deep/.ENV", () => writeFileSync(at("deep/.ENV"), "SECRET")],
    [
      "renamed to its name",
      "deep/.npmrc",
      () => {
        writeFileSync(at("plain"), "SECRET");
        renameSync(at("plain"), at("deep/.npmrc"));
      },
    ],
    [
      "moved in with its folder",
      "in/a/id_rsa",
      () => {
        mkdirSync(join(world.root, "out/a"), { recursive: true });
        writeFileSync(join(world.root, "out/a/id_rsa"), "SECRET");
        renameSync(join(world.root, "out"), at("in"));
      },
    ],
    [
      "made in a folder made just before",
      "new/er/.netrc",
      () => {
        mkdirSync(at("new/er"), { recursive: true });
        writeFileSync(at("new/er/.netrc"), "SECRET");
      },
    ],
    [
      "linked in from outside",
      "deep/x.pem",
      () => {
        writeFileSync(join(world.root, "outside"), "SECRET");
        linkSync(join(world.root, "outside"), at("deep/x.pem"));
      },
    ],
    ["a second name for a masked one", "deep/harmless", () => linkSync(at(".env"), at("deep/harmless"))],
    [
      "a link to a file of the project",
      "deep/.envrc",
      () => {
        writeFileSync(at("plain"), "SECRET");
        symlinkSync("../plain", at("deep/.envrc"));
      },
    ],
    [
      "the target of a link that led nowhere before",
      "dangling.pem",
      () => writeFileSync(at("deep/later"), "SECRET"),
    ],
    ["below the folder that a link calls .ssh", ".ssh", () => writeFileSync(at("keys/work"), "SECRET")],
    [
      "made where a link to a link leads",
      ".config",
      () => {
        rmSync(at(".ssh"));
        mkdirSync(at("conf"));
        symlinkSync("../keys", at("conf/gcloud"));
        symlinkSync("conf", at(".config"));
        writeFileSync(at("keys/harmless"), "SECRET");
      },
    ],
    [
      "made in a folder whose name is no UTF-8",
      "deep/\uFFFD/.env",
      () => {
        mkdirSync(bytes("deep/\xff"));
        writeFileSync(bytes("deep/\xff/.env"), "SECRET");
      },
    ],
    [
      "a second name, no UTF-8, for a masked one",
      "deep/\uFFFD",
      () => linkSync(at(".env"), bytes("deep/\xff")),
    ],
    ["of the owner's own list", "my.vault", () => writeFileSync(at("my.vault"), "SECRET")],
  ];

  test.each(WAYS)("%s is noticed, told and ends the jail", async (_what, path, act) => {
    const jailed = await start();
    act();
    await jailed.settle();
    expect(losses).toEqual([{ kind: "secret", path: at(path) }]);
    expect((await jailed.exited).code).toBe(137);
  });

  test("what is none ends nothing: ordinary files, templates, a link that leads out, packages, and what is exposed", async () => {
    const exposed = [at("shown.key")];
    const workshop = { tools: [], path: [], cacheDir: null, uploadsDir: null, env: () => ({}), exposed };
    const jailed = await start("sleep 60", { workshop });
    for (const name of ["plain", ".env.example", "shown.key"]) writeFileSync(at(name), "x");
    mkdirSync(at("node_modules/m"), { recursive: true });
    writeFileSync(at("node_modules/m/.env"), "x");
    mkdirSync(at(".env.d/lib"), { recursive: true });
    writeFileSync(at(".env.d/pyvenv.cfg"), "x");
    writeFileSync(at(".env.d/lib/a.py"), "x");
    mkdirSync(at(".venv/lib/site-packages/m"), { recursive: true });
    writeFileSync(at(".venv/lib/site-packages/m/test.key"), "x");
    writeFileSync(join(world.root, "outside"), "x");
    symlinkSync(join(world.root, "outside"), at("out.pem"));
    symlinkSync("nowhere", at("nowhere.pem"));
    mkdirSync(at("conf/nvim"), { recursive: true });
    writeFileSync(at("conf/nvim/init"), "x");
    symlinkSync("conf", at(".config"));
    mkdirSync(at(".venv.key"));
    await jailed.settle();
    await jailed.settle();
    expect(losses).toEqual([]);
    await jailed.kill();
  });

  test("between the look at the project and the watch nothing slips in", async () => {
    const script = "sleep 1; cat late.key; echo end";
    let asked = 0;
    const jailed = await start(script, {
      // Asked for when the look at the project is over and the watch has not begun.
      args: () => {
        asked += 1;
        if (asked === 1) writeFileSync(at("late.key"), "SECRET");
        return ["-c", script];
      },
    });
    expect(asked).toBe(2);
    let said = "";
    jailed.stdout.on("data", (chunk) => {
      said += chunk;
    });
    await jailed.exited;
    expect(said).not.toContain("SECRET");
  });

  test("H32: a second name that a masked file had before is refused, with its place", async () => {
    linkSync(at(".env"), at("deep/harmless"));
    await expect(start()).rejects.toMatchObject({
      code: "path_invalid",
      message: expect.stringContaining("deep/harmless"),
    });
    expect(losses).toEqual([]);
  });

  test("H32: a folder that was made again under its name is watched like the first", async () => {
    const jailed = await start();
    rmdirSync(at("deep/er"));
    await jailed.settle();
    mkdirSync(at("deep/er"));
    await jailed.settle();
    renameSync(at("deep"), at("away"));
    mkdirSync(at("deep"));
    await jailed.settle();
    writeFileSync(at("deep/.env"), "SECRET");
    await jailed.settle();
    expect(losses).toEqual([{ kind: "secret", path: at("deep/.env") }]);
  });

  test("a flood of files made inside hides no secret and does not hold up the daemon", async () => {
    const jailed = await start(
      "i=0; while [ $i -lt 5000 ]; do : > deep/f$i; i=$((i+1)); done; echo done; sleep 60",
    );
    const stop = watchLoop();
    await once(jailed.stdout, "data"); // the flood is over
    writeFileSync(at("deep/after.key"), "SECRET");
    await jailed.settle();
    const longestMs = stop();
    expect(losses).toEqual([{ kind: "secret", path: at("deep/after.key") }]);
    expect(longestMs).toBeLessThan(50);
  });

  test("settling takes milliseconds where nothing happens", async () => {
    const jailed = await start();
    const took: number[] = [];
    for (let round = 0; round < 50; round += 1) {
      const before = performance.now();
      await jailed.settle();
      took.push(performance.now() - before);
    }
    expect(Math.min(...took)).toBeLessThan(20); // one that waited for a timer would never be quick
    await jailed.kill();
  });

  test("a project of ten thousand folders is looked through and watched without holding up the daemon", async () => {
    for (let n = 0; n < 100; n += 1)
      for (let m = 0; m < 100; m += 1) mkdirSync(at(`t/${n}/${m}`), { recursive: true });
    const stop = watchLoop();
    const before = process.cpuUsage();
    const jailed = await start();
    const { user, system } = process.cpuUsage(before);
    const longestMs = stop();
    writeFileSync(at("t/99/99/deep.key"), "SECRET");
    await jailed.settle();
    expect(losses).toEqual([{ kind: "secret", path: at("t/99/99/deep.key") }]);
    expect(longestMs, `of ${(user + system) / 1_000} ms`).toBeLessThan((user + system) / 20_000); // whatever the machine: no part of it was done in one go
  });

  describe("the thread that watches", () => {
    const told: JailLoss[] = [];
    const watchIt = async (within: { openMs?: number; answerMs?: number } = {}) => {
      told.length = 0;
      const watcher = createSecretWatcher(join(world.root, "watcher"), [], within);
      const watched = watcher.watch({
        project: world.project,
        protectedPaths: [],
        exposed: [at(".env")],
        onLoss: (loss) => void told.push(loss),
      });
      return { watcher, watched };
    };
    const lost = [{ kind: "unwatched", path: expect.stringContaining("/project") }];

    test("is given up when it does not look through the project in time", async () => {
      const { watcher, watched } = await watchIt({ openMs: 1 });
      await expect(watched.opened).rejects.toMatchObject({
        code: "sandbox_missing",
        message: expect.stringContaining("changes faster than it can be watched"),
      });
      expect(told).toEqual(lost);
      await watcher.close();
    });

    test("is given up when it does not answer any more", async () => {
      const { watcher, watched } = await watchIt({ answerMs: 1_000 });
      await watched.opened;
      execFileSync("sh", ["-c", 'mkfifo "$0"', join(world.root, "watcher/watch/1/s1")]); // what it writes there never ends
      await watched.settle();
      expect(told).toEqual(lost);
      closeSync(openSync(join(world.root, "watcher/watch/1/s1"), constants.O_RDONLY | constants.O_NONBLOCK));
      await watcher.close();
    });

    test("is missed when it ends by itself", async () => {
      const { watcher, watched } = await watchIt();
      await watched.opened;
      rmSync(join(world.root, "watcher/watch/1"), { recursive: true });
      await watched.settle();
      expect(told).toEqual(lost);
      await watcher.close();
    });

    test("is one for each jail: a flood in one project does not keep another's secret from being noticed", async () => {
      const other = await createWorld();
      // It ends in time for a thread that it keeps from everything else to say so.
      const flood = `my $n = shift; open(F, ">$n"); mkdir "b"; $| = 1; print "begun"; my $end = time + 15; while (time < $end) { rename $n, "b/$n"; rename "b/$n", $n } open(G, ">over")`;
      // As many as keep one thread busy beside whatever else this machine does.
      const floods = ["1", "2", "3"].map((name) =>
        spawn("sh", ["-c", 'exec perl -e "$0" "$1"', flood, name], { cwd: other.project }),
      );
      const { watcher, watched } = await watchIt();
      const { project } = other;
      const loud = watcher.watch({ project, protectedPaths: [], exposed: [], onLoss: () => undefined });
      await Promise.all([watched.opened, loud.opened, ...floods.map(({ stdout }) => once(stdout, "data"))]);
      writeFileSync(at("deep/quiet.key"), "SECRET");
      await watched.settle();
      expect(told).toEqual([{ kind: "secret", path: at("deep/quiet.key") }]);
      expect(existsSync(join(project, "over"))).toBe(false); // told while the flood went on
      for (const one of floods) one.kill();
      await watcher.close();
      await other[Symbol.asyncDispose]();
    });
  });
});
