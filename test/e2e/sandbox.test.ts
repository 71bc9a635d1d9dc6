import { spawnSync } from "node:child_process";
import { chownSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import { createStage, type Life, launch } from "../support/daemon.ts";
import { auditIn } from "../support/daemon-database.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

const entry = join(import.meta.dirname, "sandbox.fixture.ts");
const BWRAP = "/usr/bin/bwrap";

/** A bwrap that does `body` first, in bash, once the self-test has laid out its folder, which stands in `$1`. */
function bwrapThat(home: string, body: string): string {
  const path = join(tempDir("sp-bwrap-"), "bwrap");
  const script = `#!/bin/bash
extra=()
act() { ${body}; }
for folder in "${home}"/proof/*/; do [ -d "$folder" ] && act "$folder"; done
exec ${BWRAP} "$1" "$2" "\${extra[@]}" "\${@:3}"
`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

const hasLogged = ({ log }: Life, event: string): boolean => log.some((line) => line.event === event);

describe.runIf(process.platform === "linux")("the sandbox is proved at every start", () => {
  test("a sandbox that does not hold: the daemon polls, runs no turn, names the way and ends with 78", async () => {
    const stage = await createStage({ script: createQueueScript([reply("never")]), entry });
    const TEST_BWRAP = bwrapThat(stage.home, 'extra+=(--ro-bind "$1"outside "$1"outside)');
    stage.chat.send("do something");
    const life = await stage.start({ env: { TEST_BWRAP } });
    expect(await life.exited).toEqual({ code: 78, signal: null });
    expect(life.output()).toMatch(
      /^sallyport: The sandbox does not hold: read a file outside the project: it succeeded \(and \d+ more\)/m,
    );
    expect(hasLogged(life, "daemon.started")).toBe(false);
    expect(stage.model.requests).toEqual([]);
    expect(auditIn(stage.home, "violation.sandbox")).toHaveLength(1);
  });

  test("a prompt that comes before the proof waits for it, and then runs", async () => {
    const provedAtRequest: boolean[] = [];
    const lives: Life[] = [];
    const stage = await createStage({
      script: () => {
        provedAtRequest.push(lives.every((life) => hasLogged(life, "jail.proved")));
        return reply("Done.");
      },
      entry,
    });
    stage.chat.send("do something");
    const TEST_BWRAP = bwrapThat(stage.home, "sleep 2");
    lives.push(await stage.start({ env: { TEST_BWRAP } }));
    await stage.waitFor(({ text }) => text.includes("Done.") && text.includes(" · $"));
    expect(provedAtRequest.length).toBeGreaterThan(0);
    expect(provedAtRequest).not.toContain(false);
    const [proved] = lives.flatMap(({ log }) => log.filter(({ event }) => event === "jail.proved"));
    expect(proved?.held).toBeGreaterThan(40);
  });

  test("with SANDBOX=off there is nothing to prove", async () => {
    const stage = await createStage({
      script: createQueueScript([]),
      env: { SANDBOX: "off", ENVIRONMENT: "development" },
    });
    const life = await stage.start();
    await until(() => hasLogged(life, "daemon.started"), "the start's end");
    expect(hasLogged(life, "jail.proved")).toBe(false);
  });

  test("`sallyport self-test` says each attempt, while the daemon runs, and leaves nothing", async () => {
    const stage = await createStage({ script: createQueueScript([reply("Still here.")]) });
    const life = await stage.start();
    await until(() => hasLogged(life, "daemon.started"), "the start's end");
    const env = { PATH: process.env.PATH ?? "", HOME: tempDir("sp-"), SALLYPORT_HOME: stage.home };
    const before = readdirSync(stage.home);
    const tested = launch(["self-test"], env);
    expect((await tested.exited).code).toBe(0);
    const lines = tested.output().trimEnd().split("\n");
    expect(lines.pop()).toBe("The sandbox holds.");
    expect(lines.filter((line) => /^(OK {2}|- {3}) /.test(line))).toEqual(lines);
    expect(lines).toContain("OK   read a file outside the project");
    expect(readdirSync(stage.home)).toEqual(before);
    await stage.ask("are you there?", "Still here.");
  });

  test.runIf(process.getuid?.() === 0)(
    "an ordinary user's sandbox holds as root's does",
    async ({ skip }) => {
      const nobody = 65_534;
      const wrap = ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"];
      const cli = join(import.meta.dirname, "../../src/cli.ts");
      const readable = spawnSync(wrap[0] ?? "", [
        ...wrap.slice(1),
        "test",
        "-r",
        cli,
        "-a",
        "-x",
        process.execPath,
      ]);
      if (readable.status !== 0) skip("nobody may not read this checkout, or there is no setpriv");
      const home = tempDir("sp-nobody-");
      chownSync(home, nobody, nobody);
      const env = { PATH: process.env.PATH ?? "", HOME: home, SALLYPORT_HOME: home };
      const tested = launch(["self-test"], env, { wrap });
      expect({ ...(await tested.exited), output: tested.output() }).toEqual({
        code: 0,
        signal: null,
        output: expect.stringMatching(/^OK {3}make a user namespace$[\s\S]*^The sandbox holds\.$/m),
      });
    },
  );

  test("`sallyport self-test` on a machine whose sandbox does not hold: 78, and the way", async () => {
    const home = tempDir("sp-");
    await mkdir(home, { recursive: true });
    const hole = bwrapThat(home, 'extra+=(--ro-bind "$1"outside "$1"outside)');
    const real = join(tempDir("sp-real-"), "bwrap");
    // In a mount namespace of the test's own the weak one lies where the system's is.
    writeFileSync(hole, readFileSync(hole, "utf8").replace(BWRAP, real), { mode: 0o755 });
    writeFileSync(real, "");
    const wrap = [
      "/usr/bin/unshare",
      "-Urm",
      "/bin/sh",
      "-c",
      `mount --bind ${BWRAP} ${real} && mount --bind ${hole} ${BWRAP} && exec "$@"`,
      "sh",
    ];
    const env = { PATH: process.env.PATH ?? "", HOME: home, SALLYPORT_HOME: home };
    const tested = launch(["self-test"], env, { wrap });
    const { code } = await tested.exited;
    expect(tested.output()).toMatch(/^FAIL read a file outside the project: it succeeded$/m);
    expect(tested.output()).toMatch(/^The sandbox does NOT hold: \d+ failed\.$/m);
    expect(code).toBe(78);
  });
});
