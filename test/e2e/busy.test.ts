import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelReply, ModelRequest } from "../../src/demo/messages-api/types.ts";
import { readProcesses } from "../../src/jail/process-table.ts";
import { createStage, hasButton, isWhole, USER } from "../support/daemon.ts";
import { until } from "../support/until.ts";
import { WAIT_MS } from "../support/wait-ms.ts";

const BOB = USER + 1;

test("H45, H46: one long turn holds up no other conversation, no /status and no [Stop], and a waiting turn not its own button", async () => {
  const answer = ({ isAuxiliary, lastUserText, toolResults }: ModelRequest): ModelReply => {
    if (isAuxiliary) return reply("ok");
    if (lastUserText.includes("a long story")) return { kind: "hang", afterText: "Once upon a time" };
    if (toolResults.length > 0) return reply("It is written.");
    if (lastUserText.includes("write it"))
      return callTool("Write", { file_path: join(stage.project, "made.txt"), content: "made" });
    return reply("Hello Bob.");
  };
  const stage = await createStage({ script: answer, env: { ALLOWED_USERS: `${USER},${BOB}` } });
  const bob = stage.api.user({ id: BOB, firstName: "Bob" }).chat();
  bob.open();
  const toBob = (fits: Parameters<typeof stage.waitFor>[0], what: string) =>
    stage.api.waitForMessage(BOB, (message) => isWhole(message) && fits(message), {
      what,
      timeoutMs: WAIT_MS,
    });
  await stage.start();
  stage.chat.send("a long story");
  const story = await stage.waitForProgress(({ text }) => text.includes("Once upon a time"));

  bob.send("hello");
  await toBob(({ text }) => text.includes("Hello Bob."), "an answer beside the long turn");
  await stage.ask("/status", "running for");

  bob.send("write it");
  const asked = await toBob(hasButton("Allow once"), "the question");
  await stage.ask("/status", "running for");
  expect((await bob.press(asked.messageId, "Allow once").answered()).text).not.toContain("already");
  await toBob(({ text }) => text.includes("It is written."), "the turn that waited for its button");
  expect(existsSync(join(stage.project, "made.txt"))).toBe(true);

  const { text } = stage.api.messages(USER).find(({ messageId }) => messageId === story.messageId) ?? story;
  expect(text).not.toContain("Stopped");
  stage.chat.press(story.messageId, "Stop");
  await stage.waitFor(({ messageId, text }) => messageId === story.messageId && text.includes("⏹ Stopped."));
});

test("H52: a CLI that dies while a person is asked ends the turn and its buttons, and the next request runs", async () => {
  const stage = await createStage({
    script: createQueueScript([
      () => callTool("Write", { file_path: join(stage.project, "never.txt"), content: "never" }),
      reply("Here again."),
    ]),
  });
  const life = await stage.start();
  stage.chat.send("write it");
  const asked = await stage.waitFor(hasButton("Allow once"));
  const outermost = await until(
    () => life.log.find(({ event }) => event === "claude.started"),
    "the process of the CLI",
  );
  process.kill(await innermost(Number(outermost.cliPid)), "SIGKILL");
  await stage.waitFor(({ text }) => text.includes("Claude ended unexpectedly."));
  const withdrawn = await stage.waitFor(
    ({ messageId, text }) => messageId === asked.messageId && text.includes("before anybody answered"),
  );
  expect(withdrawn.keyboard).toBeNull();
  await stage.ask("and now?", "Here again.");
  await stage.ask("/status", "nothing runs");
  expect(existsSync(join(stage.project, "never.txt"))).toBe(false);
});

/** The CLI, seen from the outermost process of its jail: the last of a chain, but for the bridge to the network beside it. */
async function innermost(pid: number): Promise<number> {
  const children = (await readProcesses()).filter(({ parent }) => parent === pid);
  const child = children.find((one) => readFileSync(`/proc/${one.pid}/comm`, "utf8").trim() !== "socat");
  return child ? innermost(child.pid) : pid;
}
