import { existsSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import { createStage, hasButton, launch, type Stage } from "../support/daemon.ts";
import { auditIn, queryDaemon } from "../support/daemon-database.ts";
import { hang } from "../support/hang.ts";
import { processesWith } from "../support/processes.ts";
import { until } from "../support/until.ts";

const HOUR = 3_600_000;
/** A stage whose person can send messages that are old when they come. */
async function createLateStage(script: Parameters<typeof createStage>[0]["script"]) {
  let ahead = 0;
  const stage = await createStage({ script, now: () => Date.now() + ahead });
  const sentBefore = (ageMs: number, text: string) => {
    ahead = -ageMs;
    const sent = stage.chat.send(text);
    ahead = 0;
    return sent;
  };
  return { ...stage, sentBefore };
}

/** Runs a command of the program beside the daemon and gives what it said. */
async function run(stage: Stage, ...args: string[]) {
  const life = launch(args, { PATH: process.env.PATH ?? "", HOME: stage.home, SALLYPORT_HOME: stage.home });
  const { code } = await life.exited;
  return { code, said: life.output() };
}

const promptsIn = ({ model }: Stage) => model.requests.filter(({ method }) => method === "POST").length;

test("H40: what was sent while the daemon was away for hours is offered, outlives a kill, and runs in its order when told to", async () => {
  const stage = await createLateStage(createQueueScript([reply("One more."), reply("Two more.")]));
  stage.sentBefore(3 * HOUR, "one");
  stage.sentBefore(2 * HOUR, "/stop");
  stage.sentBefore(2 * HOUR, "two\nwith a second line");
  const life = await stage.start();
  const offer = await stage.waitFor(hasButton("Run all 2"), "the offer of both");
  expect(stage.botTexts()).toEqual([
    "You sent this 3 h ago, while I could not run it: “one”\n\nIt has not run. Shall it?",
    expect.stringContaining("You sent /stop 2 h ago"),
    "You sent this 2 h ago, while I could not run it: “two”\n\nIt has not run. Shall it?",
  ]);
  await life.kill();

  await stage.start();
  expect(promptsIn(stage)).toBe(0);
  stage.chat.press(offer.messageId, "Show");
  await stage.waitFor(({ text }) => text === "two\nwith a second line");
  stage.chat.press(offer.messageId, "Run all 2");
  await stage.waitFor(({ text }) => text.includes("Two more."));
  const answers = stage.botTexts().filter((text) => /(One|Two) more\./.test(text));
  expect(answers.map((text) => text.slice(0, 3))).toEqual(["One", "Two"]);
  expect(promptsIn(stage)).toBe(2);
});

test("H40, H43: what was queued when the daemon was killed hours ago is offered, and a fresh message goes ahead of it", async () => {
  const stage = await createLateStage(
    createQueueScript([hang, reply("Fresh answer."), reply("Old answer.")]),
  );
  const life = await stage.start();
  stage.chat.send("long work");
  await stage.waitForProgress(({ text }) => text.includes("Let me think"));
  stage.chat.send("old");
  await stage.waitFor(({ text }) => text === "Queued: 1 ahead.");
  const open = "SELECT 1 FROM outbox WHERE state IN ('queued', 'sending')";
  await until(() => queryDaemon(stage.home, open).length === 0, "all that was sent is recorded");
  await life.kill();
  const database = new Database(join(stage.home, "sallyport.db"));
  database.prepare("UPDATE work SET sent_at = sent_at - ?").run(2 * HOUR);
  database.close();

  await stage.start();
  const cutOff = await stage.waitFor(hasButton("Continue it"), "the offer of what was cut off");
  expect(cutOff.text).not.toContain("Behind it");
  const offer = await stage.waitFor(hasButton("Show"), "the offer of what was queued");
  expect(offer.text).toContain("You sent this 2 h ago, while I could not run it: “old”");
  await stage.waitFor(({ text }) => text === "Kept: it waited too long to run by itself. See below.");
  stage.chat.press(cutOff.messageId, "Drop");
  await stage.ask("fresh", "Fresh answer.");
  stage.chat.press(offer.messageId, "Run");
  await stage.waitFor(({ text }) => text.includes("Old answer."));
  expect(promptsIn(stage)).toBe(3);
});

test("H41: killed after an allowed call, the offer names it and what waits, and /status gives the offer anew", async () => {
  const stage = await createStage({
    script: createQueueScript([
      callTool("Bash", { command: "touch made" }),
      hang,
      reply("Went on."),
      reply("Last."),
    ]),
  });
  const life = await stage.start();
  stage.chat.send("make it");
  const asked = await stage.waitFor(hasButton("Allow once"));
  stage.chat.press(asked.messageId, "Allow once");
  await until(() => existsSync(join(stage.project, "made")), "the command runs");
  await stage.waitForProgress(({ text }) => text.includes("Let me think"));
  stage.chat.send("and then this");
  await stage.waitFor(({ text }) => text === "Queued: 1 ahead.");
  await life.kill();

  await stage.start();
  const offer = await stage.waitFor(hasButton("Continue it"), "the offer");
  expect(offer.text).toMatch(
    /^A restart .+: “make it”\n\nAllowed in it:\n· Bash .*touch made.*\n\nWhat was done .+\n\nBehind it wait:\n· “and then this”$/,
  );
  stage.chat.send("/status");
  const again = await stage.waitFor(
    (message) => message.messageId > offer.messageId && hasButton("Continue it")(message),
    "the offer once more",
  );
  expect(again.text).toBe(offer.text);
  stage.chat.press(again.messageId, "Continue it");
  await stage.waitFor(({ text }) => text.includes("Went on."));
  await stage.waitFor(({ text }) => text.includes("Last."));
  const press = stage.chat.pressRaw(
    offer.keyboard?.inline_keyboard[0]?.[1]?.callback_data ?? "",
    offer.messageId,
  );
  expect((await press.answered()).text).toBe("This has been answered already.");
});

test("/lock kills what runs, outlives the daemon's end, and `sallyport unlock` opens it while the daemon runs and while it does not", async () => {
  const mark = `mark-${process.pid}-e2e-lock`;
  const sleeper = `perl -e 'sleep 600' ${mark}`;
  const stage = await createStage({
    script: createQueueScript([
      callTool("Bash", {
        command: `(setsid nohup ${sleeper} >/dev/null 2>&1 &) ; touch running; ${sleeper}`,
      }),
      reply("Kept and run."),
      reply("Here again."),
    ]),
  });
  const life = await stage.start();
  stage.chat.send("run it");
  const asked = await stage.waitFor(hasButton("Allow once"));
  stage.chat.press(asked.messageId, "Allow once");
  await until(() => processesWith(mark).length > 1, "the command and what it left its session for");
  stage.chat.send("waits");
  await stage.waitFor(({ text }) => text === "Queued: 1 ahead.");

  stage.chat.send("/lock");
  await stage.waitFor(({ text }) =>
    text.startsWith("🔒 Locked. 1 turn was ended, 1 waiting message is kept."),
  );
  await until(() => processesWith(mark).length === 0, "nothing is left running");
  await stage.waitFor(({ text }) => text.includes("⏹ Stopped."));
  await life.kill();
  const second = await stage.start();
  await stage.ask("let me in", "Nothing was run.");
  expect(promptsIn(stage)).toBe(1);

  const first = await run(stage, "unlock");
  expect(first).toEqual({
    code: 0,
    said: expect.stringMatching(/^Unlocked\. It was locked by the owner 1001 at /),
  });
  await stage.waitFor(({ text }) => text.includes("Kept and run."));
  await stage.waitFor(({ text }) => text.startsWith("🔓 Unlocked at the machine."));
  expect(await run(stage, "unlock")).toEqual({ code: 0, said: "Not locked: nothing to undo.\n" });

  stage.chat.send("/lock");
  await stage.waitFor(({ text }) =>
    text.startsWith("🔒 Locked. 0 turns were ended, 0 waiting messages are kept."),
  );
  await second.kill();
  expect((await run(stage, "unlock")).said).toMatch(/^Unlocked\./);
  await stage.start();
  await stage.ask("and now?", "Here again.");

  const events = auditIn(stage.home, "daemon.").filter(({ type }) => type.endsWith("locked"));
  expect(events.map(({ type, userId }) => [type, userId])).toEqual([
    ["daemon.locked", 1001],
    ["daemon.unlocked", null],
    ["daemon.locked", 1001],
    ["daemon.unlocked", null],
  ]);
  expect((await run(stage, "audit", "verify")).said).toMatch(/^audit ok: /);
  const nowhere = join(stage.home, "nowhere");
  const lost = launch(["unlock"], {
    PATH: process.env.PATH ?? "",
    HOME: stage.home,
    SALLYPORT_HOME: nowhere,
  });
  expect(await lost.exited).toEqual({ code: 1, signal: null });
  expect(lost.output()).toContain(`There is no database at ${nowhere}`);
});
