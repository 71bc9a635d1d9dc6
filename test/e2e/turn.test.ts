import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import { createStage, hasButton, USER } from "../support/daemon.ts";

test("a text becomes a turn of the real CLI, and its answer comes back", async () => {
  const stage = await createStage({ script: createQueueScript([reply("Hello **Ada**, `1 < 2`.")]) });
  await stage.start();
  const { messageId } = stage.chat.send("hello");
  const answer = await stage.waitFor(
    ({ text }) => text.includes("Hello Ada, 1 < 2.") && text.includes(" · $"),
  );
  expect(answer.entities.map(({ type }) => type)).toEqual(expect.arrayContaining(["bold", "code", "italic"]));
  expect(answer.replyTo).toBe(messageId);
  expect(answer.text).toMatch(/demo · claude-opus-5-5 · \d+ s · \$0\.\d+/);
  expect(stage.api.messages(USER).find((message) => message.messageId === messageId)?.reactions).toEqual([
    "👀",
  ]);
});

test("an allowed tool call is done, in the project", async () => {
  const file = (dir: string) => join(dir, "made.txt");
  const stage = await createStage({
    script: createQueueScript([
      () => callTool("Write", { file_path: file(stage.project), content: "made by the turn" }),
      ({ toolResults }) => reply(`The tool said: ${toolResults[0]?.isError}`),
    ]),
  });
  await stage.start();
  stage.chat.send("make a file");
  const asked = await stage.waitFor(hasButton("Allow once"));
  expect(asked.text).toContain("made by the turn");
  stage.chat.press(asked.messageId, "Allow once");
  await stage.waitFor(({ text }) => text.includes("The tool said: false"));
  expect(readFileSync(file(stage.project), "utf8")).toBe("made by the turn");
});
