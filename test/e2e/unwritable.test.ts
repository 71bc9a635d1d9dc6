import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { callTool, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelReply, ModelScript } from "../../src/demo/messages-api/types.ts";
import { createStage, hasButton, type Life, launch, type Stage } from "../support/daemon.ts";
import { auditIn, queryDaemon } from "../support/daemon-database.ts";
import { canMount, smallDisk } from "../support/small-disk.ts";
import { until } from "../support/until.ts";

const ENTRY = join(import.meta.dirname, "../durability/daemon.fixture.ts");
const TOLD = "I could put nothing on record";

/** A model that touches the file that a prompt names, each time when it is let, and says what became of it. */
function createToucher(fileOf: (name: string) => string, tool: "Bash" | "Write") {
  const asked: string[] = [];
  let gate: Promise<unknown> = Promise.resolve();
  const script: ModelScript = async (request): Promise<ModelReply> => {
    if (request.isAuxiliary) return reply("ok");
    const name = /touch (\w+)$/.exec(request.lastUserText)?.[1] ?? "nothing";
    if (request.toolResults.length > 0) return reply(`Tried to touch ${name}.`);
    asked.push(name);
    await gate;
    const path = fileOf(name);
    return tool === "Bash"
      ? callTool("Bash", { command: `touch ${path}` })
      : callTool("Write", { file_path: path, content: name });
  };
  return {
    script,
    asked,
    waitFor: (next: Promise<unknown>) => {
      gate = next;
    },
  };
}

async function verified(stage: Stage): Promise<string> {
  const env = { PATH: process.env.PATH ?? "", HOME: stage.home, SALLYPORT_HOME: stage.home };
  const life = launch(["audit", "verify"], env);
  await life.exited;
  return life.output();
}

const unwritable = ({ log }: Life) => log.filter(({ event }) => event === "store.unwritable");
const summaries = (stage: Stage, type: string) =>
  auditIn(stage.home, type).map(({ summary }) => String(summary));

test.skipIf(process.platform !== "linux")(
  "H17: while the disk is full no tool call runs, no message is admitted, no /lock locks; the log says why and what to do, and when there is room all goes on and the owners are told",
  async ({ skip }) => {
    if (!canMount()) skip("this user may not mount a small disk");
    const project = { path: "" };
    const toucher = createToucher((name) => join(project.path, name), "Bash");
    const stage = await createStage({
      script: toucher.script,
      entry: ENTRY,
      env: { CLAUDE_PERMISSION_MODE: "jail", TEST_STORE_AGAIN_MS: "300" },
    });
    project.path = stage.project;
    const disk = smallDisk(stage.home, 64);
    const life = await stage.start();
    await stage.ask("touch one", "Tried to touch one."); // the positive control
    expect(existsSync(join(stage.project, "one"))).toBe(true);

    const gate = Promise.withResolvers<void>();
    toucher.waitFor(gate.promise);
    stage.chat.send("touch two");
    await until(() => toucher.asked.includes("two"), "the turn runs", 60_000);
    disk.fill();
    gate.resolve();
    const denied = () => life.log.some(({ event }) => event === "claude.gate_failed");
    await until(denied, "the call is denied", 60_000);
    stage.chat.send("touch three");
    stage.chat.send("/lock");
    await until(
      () => life.log.some(({ event }) => /^(update\.again|inbox\.unwritable)$/.test(event ?? "")),
      "it waits",
    );
    await delay(2_000);

    expect(existsSync(join(stage.project, "two"))).toBe(false);
    expect(toucher.asked).toEqual(["one", "two"]);
    expect(queryDaemon(stage.home, "SELECT 1 FROM facts WHERE key = 'lock'")).toEqual([]);
    expect(unwritable(life)).toMatchObject([
      {
        level: "error",
        msg: expect.stringContaining("nothing can be put on record, so nothing is done: the disk"),
      },
    ]);
    const rows = queryDaemon(stage.home, "SELECT id FROM audit").length;
    await delay(500);
    expect(queryDaemon(stage.home, "SELECT id FROM audit")).toHaveLength(rows);

    disk.makeRoom();
    await stage.waitFor(({ text }) => text.includes(TOLD), "the owners are told");
    await stage.waitFor(({ text }) => text.startsWith("🔒 Locked."), "what waited is done");
    expect(life.log.filter(({ event }) => event === "store.writable")).toHaveLength(1);
    expect(existsSync(join(stage.project, "two"))).toBe(false);
    expect(summaries(stage, "tool.allowed").filter((text) => text.includes("two"))).toEqual([]);
    expect(auditIn(stage.home, "daemon.locked")).toHaveLength(1);
    expect(await verified(stage)).toContain("audit ok");
    expect((await life.kill("SIGTERM")).code).toBe(0);
  },
  180_000,
);

test.skipIf(process.platform !== "linux")(
  "a start on a full disk ends, says what to do, and succeeds when there is room",
  async ({ skip }) => {
    if (!canMount()) skip("this user may not mount a small disk");
    const stage = await createStage({ script: () => reply("Here I am.") });
    const disk = smallDisk(stage.home, 64);
    const first = await stage.start();
    await first.kill("SIGTERM");
    disk.fill();
    const late = await stage.start({ isReady: false });
    expect(await late.exited).toEqual({ code: 1, signal: null }); // a supervisor tries again
    expect(late.output()).toMatch(/^sallyport: .*full.*: make room on it$/m);
    disk.makeRoom();
    await stage.start();
    await stage.ask("hello", "Here I am.");
  },
  120_000,
);

test("H17: while another program keeps the database locked no key does anything and nothing is admitted; the log says so, and when it lets go each is done once", async () => {
  const project = { path: "" };
  const toucher = createToucher((name) => join(project.path, name), "Write");
  const stage = await createStage({
    script: toucher.script,
    entry: ENTRY,
    env: { TEST_STORE_AGAIN_MS: "300" },
  });
  project.path = stage.project;
  const life = await stage.start();
  stage.chat.send("touch one");
  const question = await stage.waitFor(hasButton("Allow once"), "the question");
  const holder = new Database(join(stage.home, "sallyport.db"));
  onTestFinished(() => void holder.close());
  holder.exec("BEGIN IMMEDIATE");
  stage.chat.press(question.messageId, "Allow once");
  stage.chat.send("touch two");
  await until(() => unwritable(life)[0], "the log says so", 60_000);
  await delay(3_000);
  expect(existsSync(join(stage.project, "one"))).toBe(false);
  expect(toucher.asked).toEqual(["one"]);
  expect(unwritable(life)).toMatchObject([
    { code: "SQLITE_BUSY", msg: expect.stringContaining("end that program") },
  ]);
  expect(summaries(stage, "tool.answered")).toEqual([]);
  holder.exec("ROLLBACK");
  await stage.waitFor(({ text }) => text.includes(TOLD), "the owners are told");
  await stage.waitFor(({ text }) => text.includes("Tried to touch one."), "the press was carried out");
  expect(existsSync(join(stage.project, "one"))).toBe(true);
  expect(summaries(stage, "tool.answered")).toHaveLength(1);
  await until(() => toucher.asked.length === 2, "the message that waited", 60_000);
  expect(await verified(stage)).toContain("audit ok");
}, 180_000);
