import { randomUUID } from "node:crypto";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { configDirOf } from "../../src/claude/config-dir.ts";
import { claudeEnv } from "../../src/claude/env.ts";
import { callTool, createQueueScript, type QueueStep, reply } from "../../src/demo/messages-api/scripts.ts";
import { isErrno } from "../../src/domain/errors.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { createHouse, type House, type HouseOptions, processesWith, startTurn } from "./house.ts";

let house: House;
afterEach(() => house.dispose());

async function open(steps: readonly QueueStep[], options: HouseOptions = {}): Promise<void> {
  house = await createHouse({ script: createQueueScript(steps), ...options });
}

/** The end of one may be the end of the next. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!isErrno(error, "ESRCH")) throw error;
  }
}

function starts(): readonly Readonly<Record<string, unknown>>[] {
  return house.logged.filter(({ event }) => event === "claude.started");
}

test("a session goes on in a new daemon, with its history", async () => {
  await open([reply("first"), ({ messages }) => reply(`knows ${messages.length} messages`)]);
  const session = house.session();
  const { end } = await house.run(session, "one");
  await house.runner.close();
  const next = await startTurn(house.another(), { ...session, isResume: end.isResumable }, "two").done;
  expect(next.end.outcome).toMatchObject({ text: expect.stringMatching(/^knows [3-9] messages$/) });
  expect(starts()).toMatchObject([{ isResume: false }, { isResume: true }]);
});

test("a session whose process was killed in the middle goes on cold", async () => {
  await open([reply("first"), { kind: "hang", afterText: "half" }, reply("third")]);
  const session = house.session();
  await house.run(session, "one");
  const running = house.start(session, "two");
  await running.event(({ kind }) => kind === "text_delta");
  for (const { pid } of await processesWith(`--session-id=${session.sessionId}`)) killIfThere(pid);
  expect((await running.done).end.outcome).toMatchObject({ kind: "failed", code: "crashed" });
  const next = await house.run({ ...session, isResume: true }, "three");
  expect(next.end.outcome).toEqual({ kind: "completed", text: "third" });
});

test("a session that was begun, but not recorded as begun, is carried on and not refused", async () => {
  await open([reply("first"), reply("second")]);
  const session = house.session();
  await house.run(session, "one");
  await house.runner.close();
  const next = await startTurn(house.another(), session, "two").done;
  expect(next.end.outcome).toEqual({ kind: "completed", text: "second" });
});

test("H42: a session that is gone is told as lost; the prompt is not run in a new one", async () => {
  await open([reply("never")]);
  const running = house.start(house.session({ isResume: true }), "go");
  const { end } = await running.done;
  expect(end).toMatchObject({ outcome: { kind: "failed", code: "session_lost" }, isResumable: false });
  expect(running.isPrompted()).toBe(false);
  expect(house.api.requests.filter(({ method }) => method === "POST")).toEqual([]);
});

test("H34: another person in the same conversation has another process and another config folder", async () => {
  await open([reply("to one"), reply("to two")]);
  const other = join(house.root, "other");
  await mkdir(other, { mode: 0o700 });
  const one = house.session({ userId: 1 });
  const two = house.session({ userId: 2, configDir: other });
  await house.run(one, "x");
  await house.run(two, "y");
  expect(new Set(starts().map(({ cliPid }) => cliPid)).size).toBe(2);
  const cold = await startTurn(house.another(), { ...one, configDir: other, isResume: true }, "mine?").done;
  expect(cold.end.outcome).toMatchObject({ code: "session_lost" });
});

test("H34: each person has a CLI folder of his own in each project, closed to others", async () => {
  const root = tempDir("claude-");
  const of = (userId: number, project: string) => configDirOf(root, userId, project);
  const folders = [await of(1, "/p/a"), await of(1, "/p/b"), await of(2, "/p/a")];
  expect(new Set(folders).size).toBe(3);
  expect(await of(1, "/p/a")).toBe(folders[0]);
  for (const folder of folders) {
    expect(folder.startsWith(`${root}/`)).toBe(true);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  }
});

test("a new session of the same conversation takes the old one's process away", async () => {
  await open([reply("old"), reply("new")]);
  await house.run(house.session(), "one");
  await house.run(house.session(), "two");
  expect(starts()).toHaveLength(2);
  expect(house.runner.warm()).toBe(1);
});

test("two sessions in one config folder work at the same time", async () => {
  house = await createHouse({
    script: ({ toolResults }) =>
      toolResults.length > 0
        ? reply("done")
        : callTool("Bash", { command: "perl -e 'select(undef,undef,undef,0.3)'" }),
  });
  const decide = async ({ input }: { input: Readonly<Record<string, unknown>> }) =>
    ({ kind: "allow", input }) as const;
  const ran = await Promise.all(
    ["1:0", "2:0"].map((conversationKey) => house.run(house.session({ conversationKey }), "go", { decide })),
  );
  expect(ran.map(({ end }) => end.outcome)).toEqual([
    { kind: "completed", text: "done" },
    { kind: "completed", text: "done" },
  ]);
});

test("at most maxProcesses live; the one idle longest makes room, and its session goes on cold", async () => {
  await open([reply("a"), reply("b"), reply("a again"), reply("c"), reply("b again")], {
    settings: { maxProcesses: 2 },
  });
  const [a, b, c] = ["1:0", "2:0", "3:0"].map((conversationKey) => house.session({ conversationKey }));
  for (const session of [a, b, a, c]) if (session) await house.run(session, "go");
  expect(house.runner.warm()).toBe(2);
  expect(starts().map(({ sessionId }) => sessionId)).toEqual([a, b, c].map((session) => session?.sessionId));
  if (!b) throw new Error("unreachable");
  const { end } = await house.run({ ...b, isResume: true }, "back");
  expect(end.outcome).toEqual({ kind: "completed", text: "b again" });
  expect(starts().at(-1)).toMatchObject({ sessionId: b.sessionId, isResume: true });
});

test("a turn waits for a free process and runs when there is one", async () => {
  const release = Promise.withResolvers<void>();
  await open([() => release.promise.then(() => reply("first")), reply("second")], {
    settings: { maxProcesses: 1 },
  });
  const first = house.start(house.session({ conversationKey: "1:0" }), "one");
  await first.event(({ kind }) => kind === "started");
  const second = house.start(house.session({ conversationKey: "2:0" }), "two");
  expect(second.isPrompted()).toBe(false);
  release.resolve();
  expect((await first.done).end.outcome).toEqual({ kind: "completed", text: "first" });
  expect((await second.done).end.outcome).toEqual({ kind: "completed", text: "second" });
});

test("an idle process is closed after its time, in peace", async () => {
  await open([reply("one")], { settings: { idleMs: 100 } });
  const session = house.session();
  await house.run(session, "go");
  await until(() => house.runner.warm() === 0, "the idle process is closed");
  expect(await processesWith(session.sessionId)).toEqual([]);
  expect(house.logged).toContainEqual(expect.objectContaining({ event: "claude.exited", code: 0 }));
  expect(house.proxy.openLeases()).toBe(0);
});

test("H28: the prompt is on no command line of the machine", async () => {
  const secret = `prompt-${randomUUID()}`;
  await open([{ kind: "hang", afterText: "working" }]);
  const session = house.session();
  const running = house.start(session, `please ${secret}`);
  await running.event(({ kind }) => kind === "text_delta");
  expect((await processesWith(session.sessionId)).length).toBeGreaterThan(0);
  expect(await processesWith(secret)).toEqual([]);
  running.stop();
  await running.done;
});

const DANGEROUS = [
  "NODE_OPTIONS",
  "LD_PRELOAD",
  "LD_LIBRARY_PATH",
  "DYLD_INSERT_LIBRARIES",
  "GIT_SSH_COMMAND",
  "GIT_EXTERNAL_DIFF",
  "BASH_ENV",
  "ENV",
  "CLAUDE_CODE_EXTRA",
  "CLAUDE_CODE_USE_BEDROCK",
  "ANTHROPIC_MODEL",
  "ANTHROPIC_AUTH_TOKEN",
  "ANTHROPIC_CUSTOM_HEADERS",
  "HTTPS_PROXY",
  "https_proxy",
  "ALL_PROXY",
  "SSH_AUTH_SOCK",
  "TELEGRAM_BOT_TOKEN",
];

test.each(["require", "off"] as const)(
  "H36: of the daemon's environment nothing reaches the CLI or its Bash (sandbox %s)",
  async (sandbox) => {
    const before = { ...process.env };
    for (const name of DANGEROUS) process.env[name] = "CANARY";
    try {
      await open(
        [
          callTool("Bash", { command: "env -0 | tr '\\0' '\\n' > env.txt" }),
          { kind: "hang", afterText: "look" },
        ],
        { sandbox },
      );
      const session = house.session();
      const running = house.start(session, "go", { decide: async ({ input }) => ({ kind: "allow", input }) });
      await running.event(({ kind }) => kind === "text_delta");
      const pids = (await processesWith(session.sessionId)).map(({ pid }) => pid);
      const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, "utf8")));
      const cli = environments.map(parse).find((environment) => "CLAUDE_CONFIG_DIR" in environment) ?? {};
      const inside = {
        home: "",
        tmp: "",
        path: "",
        configDir: "",
        apiSocket: "",
        proxyPort: sandbox === "require" ? 3128 : null,
        cacheDir: null,
        project: "",
        program: [],
      };
      const wanted = Object.keys(claudeEnv({ inside, auth: "api-key", token: "" }));
      const own = Object.keys(cli).filter((name) => !["PWD", "SALLYPORT_JAIL"].includes(name));
      expect(own.sort()).toEqual(wanted.sort());
      expect(cli.ANTHROPIC_API_KEY).toMatch(/^sallyport-/);
      expect([...environments, await readFile(join(house.project, "env.txt"), "utf8")].join()).not.toContain(
        "CANARY",
      );
      running.stop();
      await running.done;
    } finally {
      for (const name of DANGEROUS) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  },
);

function parse(environ: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    environ
      .split("\0")
      .filter((entry) => entry.includes("="))
      .map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
}

test("a subscription's placeholder goes where the CLI wants a token, and an API key nowhere", async () => {
  await open([reply("hi")], { settings: { auth: "subscription" } });
  const { end } = await house.run(house.session(), "go");
  expect(end.outcome).toEqual({ kind: "completed", text: "hi" });
  const post = house.api.requests.find(({ method }) => method === "POST");
  expect(post?.headers.authorization).toBe("Bearer the-real-credential");
  expect(post?.headers["x-api-key"]).toBeUndefined();
});

test("model and effort are the CLI's own unless set", async () => {
  await open([({ model }) => reply(model)], { settings: { model: "haiku", effort: "low" } });
  const { end } = await house.run(house.session(), "go");
  expect(end.outcome).toMatchObject({ text: expect.stringContaining("haiku") });
  expect(end.model).toContain("haiku");
});

test("the CLI writes no memory of its own and starts no task that outlives the turn unseen", async () => {
  await open([
    callTool("Bash", { command: "true", run_in_background: true }),
    ({ toolResults, tools }) => reply(`${toolResults[0]?.isError} ${tools.join()}`),
  ]);
  const { end } = await house.run(house.session(), "go", {
    decide: async ({ input }) => ({ kind: "allow", input }),
  });
  expect(end.outcome).toMatchObject({ text: expect.stringMatching(/^true /) });
  expect(end.outcome).toMatchObject({ text: expect.not.stringMatching(/memory|WebFetch|Cron|SendMessage/i) });
});
