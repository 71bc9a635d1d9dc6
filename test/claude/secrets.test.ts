import { linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ClaudeEvent } from "../../src/domain/claude-event.ts";
import type { Jail } from "../../src/jail/jail.ts";
import { until } from "../support/until.ts";
import { createHouse, type House } from "./house.ts";

const CANARY = "CANARY-7f3a";
let house: House;
afterEach(() => house.dispose());

const WAYS: readonly (readonly [string, string, (at: (path: string) => string) => void])[] = [
  ["made", "server.key", (at) => writeFileSync(at("server.key"), CANARY)],
  [
    "renamed in",
    "server.key",
    (at) => {
      writeFileSync(at("../outside"), CANARY);
      renameSync(at("../outside"), at("server.key"));
    },
  ],
  [
    "linked in",
    "server.key",
    (at) => {
      writeFileSync(at("../outside"), CANARY);
      linkSync(at("../outside"), at("server.key"));
    },
  ],
  [
    "linked to by its name",
    "server.key",
    (at) => {
      mkdirSync(at("d"));
      writeFileSync(at("d/data"), CANARY);
      symlinkSync("d/data", at("server.key"));
    },
  ],
];

test.each(WAYS)(
  "H32: what one Bash reads in a loop of a secret that is %s never reaches the model, and the turn goes on with it hidden",
  async (_way, path, act) => {
    // Ends by itself as soon as it has read something, so that its result is on its way at once.
    const loop = `touch begun; n=0; while [ $n -lt 200000 ]; do n=$((n+1)); for f in server.ke?; do if [ -s $f ]; then cat $f; exit 0; fi; done; done 2>/dev/null`;
    house = await createHouse({
      settings: { permissionMode: "jail" },
      script: createQueueScript([
        callTool("Bash", { command: loop }),
        callTool("Bash", {
          command: `f=${path.slice(0, -1)}; cat "$f"y d/data 2>/dev/null; echo "[$(wc -c < "$f"y)]"`,
        }),
        ({ toolResults }) => reply(`went on: ${toolResults.at(-1)?.text}`),
      ]),
    });
    const at = (name: string): string => join(house.project, name);
    const running = house.start(house.session(), "read it");
    await until(() => running.events.some(({ kind }) => kind === "tool_started"), "the loop begins");
    await until(async () => (await import("node:fs")).existsSync(at("begun")), "the loop runs");
    act(at);
    const { end, events } = await running.done;
    expect(end.outcome).toMatchObject({ kind: "completed", text: expect.stringMatching(/^went on: \[0\]/) });
    expect(events.filter(({ kind }) => kind === "jail_renewed")).toEqual([
      { kind: "jail_renewed", cause: "secret", path: expect.stringMatching(/server\.key|d\/data\.key/) },
    ]);
    const sent = JSON.stringify(house.api.requests.map(({ body }) => body));
    expect(sent).not.toContain(CANARY);
    expect(sent).toContain("Your sandbox was ended in the middle of your work");
  },
  90_000,
);

test("H32: a secret that appears again and again ends the turn, and each time is told", async () => {
  const loop = (n: number) =>
    callTool("Bash", {
      command: `python3 -c "import time; open('s${n}.' + 'key', 'w').write('x'); time.sleep(20)"`,
    });
  house = await createHouse({
    settings: { permissionMode: "jail" },
    script: createQueueScript([0, 1, 2, 3].map(loop)),
  });
  const { end, events } = await house.run(house.session(), "make secrets");
  expect(end.outcome).toMatchObject({ kind: "failed", code: "jail_lost", detail: "s3.key" });
  expect(events.filter(isLoss)).toEqual([
    { kind: "jail_renewed", cause: "secret", path: "s0.key" },
    { kind: "jail_renewed", cause: "secret", path: "s1.key" },
    { kind: "jail_renewed", cause: "secret", path: "s2.key" },
    { kind: "jail_lost", cause: "secret", path: "s3.key" },
  ]);
});

/** A jail in whose project a secret appears as soon as it runs, the first `times`. */
const withSecretsAtStart =
  (times: number) =>
  (jail: Jail): Jail => {
    let starts = 0;
    return {
      ...jail,
      start: async (request) => {
        const jailed = await jail.start(request);
        starts += 1;
        if (starts <= times) writeFileSync(join(request.project, `s${starts}.key`), CANARY);
        return jailed;
      },
    };
  };

test("H32: a secret that appears while the CLI starts is told as one, and the prompt is written once, to the next", async () => {
  house = await createHouse({ over: withSecretsAtStart(2), script: createQueueScript([reply("Done.")]) });
  const { end, events } = await house.run(house.session(), "do it");
  expect(end.outcome).toMatchObject({ kind: "completed", text: "Done." });
  expect(events.filter(isLoss)).toEqual([
    { kind: "jail_renewed", cause: "secret", path: "s1.key" },
    { kind: "jail_renewed", cause: "secret", path: "s2.key" },
  ]);
  expect(JSON.stringify(house.api.requests)).not.toContain("Your sandbox was ended");
});

test("H32: one that appears at every start ends the turn as what it is", async () => {
  house = await createHouse({ over: withSecretsAtStart(9), script: createQueueScript([reply("Done.")]) });
  const { end, events } = await house.run(house.session(), "do it");
  expect(end.outcome).toMatchObject({ kind: "failed", code: "jail_lost", detail: "s4.key" });
  expect(events.filter(isLoss).map(({ kind }) => kind)).toEqual([
    "jail_renewed",
    "jail_renewed",
    "jail_renewed",
    "jail_lost",
  ]);
});

test("H32: one that appears between two turns is told to the turn before, and the next one runs", async () => {
  house = await createHouse({ script: createQueueScript([reply("First."), reply("Second.")]) });
  const session = house.session();
  const { events } = await house.run(session, "one");
  writeFileSync(join(house.project, "server.key"), CANARY);
  await until(() => events.some(({ kind }) => kind === "jail_lost"), "the loss is told");
  const next = await house.run({ ...session, isResume: true }, "two");
  expect(next.end.outcome).toMatchObject({ kind: "completed", text: "Second." });
  expect(events.filter(isLoss)).toEqual([{ kind: "jail_lost", cause: "secret", path: "server.key" }]);
  expect(next.events.filter(isLoss)).toEqual([]);
});

function isLoss({ kind }: ClaudeEvent): boolean {
  return kind === "jail_renewed" || kind === "jail_lost";
}
