import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import { createStage, USER } from "../support/daemon.ts";
import { auditIn } from "../support/daemon-database.ts";
import { until } from "../support/until.ts";

const CANARY = "CANARY-91c4";

test("H32: a secret that appears while a turn runs is told in the chat and on record, and the answer comes all the same", async () => {
  const stage = await createStage({
    env: { CLAUDE_PERMISSION_MODE: "jail", SECRET_FILES: "*.vault" },
    script: createQueueScript([
      callTool("Bash", { command: "touch begun; while [ ! -s my.vaul? ]; do :; done; cat my.vaul?" }),
      callTool("Bash", { command: 'f=my.vaul; wc -c < "$f"t' }),
      ({ toolResults }) => reply(`It reads as ${toolResults.at(-1)?.text} bytes.`),
    ]),
  });
  await stage.start();
  stage.chat.send("wait for it");
  await until(() => existsSync(join(stage.project, "begun")), "the command runs");
  writeFileSync(join(stage.project, "my.vault"), CANARY);
  const answer = await stage.waitFor(({ text }) => text.includes("It reads as 0 bytes."));
  expect(answer.text).toContain("demo");
  await stage.waitFor(({ text }) => text.includes("New sandbox: my.vault appeared and may hold secrets"));
  expect(auditIn(stage.home, "violation.secret_access")).toMatchObject([
    { cause: "secret", path: "my.vault", userId: USER },
  ]);
  expect(JSON.stringify([stage.model.requests.map(({ body }) => body), stage.botTexts()])).not.toContain(
    CANARY,
  );
});

test("H32: a secret that appears while the CLI waits between two turns is told in the chat and on record at once", async () => {
  const stage = await createStage({
    env: { CLAUDE_PERMISSION_MODE: "jail" },
    script: createQueueScript([reply("Waiting."), reply("Awake.")]),
  });
  await stage.start();
  stage.chat.send("wait");
  await stage.waitFor(({ text }) => text.includes("Waiting."));
  writeFileSync(join(stage.project, "server.key"), CANARY);
  await stage.waitFor(({ text }) => text.includes("Sandbox ended: server.key appeared and may hold secrets"));
  expect(auditIn(stage.home, "violation.secret_access")).toMatchObject([
    { cause: "secret", path: "server.key", userId: USER },
  ]);
  stage.chat.send("go on");
  await stage.waitFor(({ text }) => text.includes("Awake."));
});

test("a stop while the sandbox is made anew ends the turn", async () => {
  const stage = await createStage({
    env: { CLAUDE_PERMISSION_MODE: "jail" },
    script: createQueueScript([
      callTool("Bash", { command: "touch begun; while :; do :; done" }),
      { kind: "hang", afterText: "Going on" },
      reply("Afterwards."),
    ]),
  });
  await stage.start();
  stage.chat.send("wait for it");
  const working = await stage.waitForProgress();
  await until(() => existsSync(join(stage.project, "begun")), "the command runs");
  writeFileSync(join(stage.project, "server.key"), CANARY);
  stage.chat.press(working.messageId, "Stop");
  await stage.waitFor(({ text }) => text.includes("⏹ Stopped."));
  expect(JSON.stringify(stage.model.requests.map(({ body }) => body))).not.toContain(CANARY);
});
