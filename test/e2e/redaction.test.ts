import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { callTool, createQueueScript, fail, reply } from "../../src/demo/messages-api/scripts.ts";
import { createStage, hasButton, type Stage, says, USER } from "../support/daemon.ts";
import { until } from "../support/until.ts";

/** The secrets of the stage, and what of them nobody may ever see: six characters or more of what is not the same for all. */
const TOKEN = "123456:test-token-of-thirty-characters-or-more";
const API_KEY = "sk-ant-api03-the-real-key-that-never-enters-the-jail";
const TELLING = ["test-to", "the-rea", "real-key-that", "thirty-characters", "enters-the-jail"];
/** A secret of somebody else's, known by its shape alone; joined, so that no scanner takes the test for a leak. */
const FOREIGN = `ghp_${"aB3dE5fG7hJ9".repeat(3)}`;

/** Every text that was ever sent to the Bot API, edits and files included. */
function everSent({ api }: Stage): string {
  const files = api.messages(USER).flatMap(({ document }) => document?.content.toString() ?? []);
  return JSON.stringify([
    api.log.filter(({ method }) => method !== "getUpdates").map(({ payload }) => payload),
    files,
  ]);
}

/** What a daemon itself wrote to its disk, as text; what the CLI keeps of its sessions lies in folders below. */
function onDisk(home: string): string {
  const files = readdirSync(home, { withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ name }) => readFileSync(join(home, name), "latin1")).join("\n");
}

function edits({ api }: Stage): readonly string[] {
  return api.log
    .filter(({ method }) => method === "editMessageText")
    .map(({ payload }) => String(payload.text));
}

test("a secret that is streamed a character at a time is never on the screen, nor a part of it", async () => {
  const words = `It is ${TOKEN} and ${API_KEY} and ${FOREIGN} as you see. `;
  const stage = await createStage({
    script: createQueueScript([
      reply(words + "Nothing else to say here, word for word. ".repeat(3), { chunkSize: 1, delayMs: 20 }),
    ]),
  });
  const life = await stage.start();
  stage.chat.send("what is the token?");
  await stage.api.waitForMessage(USER, says(" · $"), {
    what: "the answer",
    timeoutMs: 45_000,
  });
  const shown = edits(stage);
  expect(shown.filter((text) => !text.includes(" · $")).length).toBeGreaterThanOrEqual(2); // it was seen to grow
  expect(shown.at(-1)).toContain("It is [redacted] and [redacted] and [redacted] as you see.");
  for (const text of [everSent(stage), life.output()]) {
    for (const part of [...TELLING, FOREIGN.slice(0, 10)]) expect(text).not.toContain(part);
  }
});

test("a secret where a long answer is cut into messages, or in the file of a very long one, is in none of them", async () => {
  const inBase64 = Buffer.from(`user:${API_KEY}`).toString("base64");
  // Without spaces, so that a message ends after its last character, whatever that is part of.
  const filled = (length: number): string => "word".repeat(length / 4);
  // The first message ends within the value, wherever in it the cut would fall.
  const straddling = [4_060, 4_076, 4_088].map((length) => `${filled(length)}${API_KEY}-${filled(900)}`);
  const long = `${filled(1_480)}${TOKEN} ${filled(30_000)}${inBase64} end.`;
  const stage = await createStage({
    script: createQueueScript([...straddling, inBase64, long].map((text) => reply(text))),
  });
  await stage.start();
  const answers = [...straddling, inBase64, long].length;
  for (let answer = 1; answer <= answers; answer++) {
    stage.chat.send(`say it, ${answer}`);
    await until(
      () => stage.api.messages(USER).filter(({ text }) => text.includes(" · $")).length === answer,
      `answer ${answer}`,
    );
  }
  const sent = everSent(stage);
  expect(sent.match(/\[redacted\]/g)?.length).toBeGreaterThanOrEqual(answers);
  for (const part of [...TELLING, inBase64.slice(12, 30), inBase64.slice(30, 50)])
    expect(sent).not.toContain(part);
});

test("H20: neither answers, tool lines nor errors leave a secret of the daemon's on its disk or in its log", async () => {
  const stage = await createStage({
    env: { CLAUDE_PERMISSION_MODE: "jail" },
    script: createQueueScript([
      callTool("Bash", { command: `echo ${API_KEY} > out.txt`, description: "writes" }, `Using ${API_KEY}.`),
      reply(`Done with ${API_KEY} and ${Buffer.from(API_KEY).toString("base64")}.`),
      fail(402, "billing_error", `bad key ${API_KEY}`),
    ]),
  });
  const life = await stage.start();
  await stage.ask("do it", "Done with [redacted] and [redacted]");
  stage.chat.send("once more");
  await stage.waitFor(({ text }) => text.includes("bad key"), "the failure");
  await life.kill("SIGTERM");
  expect(readFileSync(join(stage.project, "out.txt"), "utf8")).toContain(API_KEY); // the model did have it
  const kept = [life.output(), everSent(stage), onDisk(stage.home)];
  for (const text of kept) for (const part of TELLING.slice(1)) expect(text).not.toContain(part);
  expect(kept[2]).toContain("SQLite format");
});

test("H25: an approval shows what only looks like a secret, and says where one of the daemon's own is not shown", async () => {
  const stage = await createStage({
    script: createQueueScript([
      callTool("Bash", { command: `curl -H 'X: ${FOREIGN}' h; echo ${API_KEY}`, description: "asks" }),
      callTool("Bash", { command: `touch ${FOREIGN}`, description: "says" }),
      reply("Neither was done."),
    ]),
  });
  await stage.start();
  stage.chat.send("do it");
  const own = await stage.waitFor(hasButton("Deny"), "the first approval");
  expect(own.text).toContain(`curl -H 'X: ${FOREIGN}' h; echo [redacted]`);
  expect(own.text).toContain("A secret of this bot's own stands in this call.");
  stage.chat.press(own.messageId, "Deny");
  const foreign = await stage.waitFor(
    (message) => hasButton("Deny")(message) && message.messageId !== own.messageId,
    "the second approval",
  );
  expect(foreign.text).toContain(`touch ${FOREIGN}`);
  expect(foreign.text).not.toContain("secret of this bot's own");
  stage.chat.press(foreign.messageId, "Deny");
  await stage.waitFor(({ text }) => text.includes("Neither was done."));
  // Once it is answered nobody has to see it any more.
  await stage.waitFor(
    ({ messageId, text }) => messageId === foreign.messageId && text.includes("touch [redacted]"),
    "the answered question without it",
  );
  for (const part of TELLING.slice(1)) expect(everSent(stage)).not.toContain(part);
});

test.each(["thrown", "rejected", "no error", "unreadable", "in a stack"])(
  "H23: a daemon that ends on a fault with the token in it tells the fault and not the token: %s",
  async (kind) => {
    const stage = await createStage({
      script: createQueueScript([]),
      entry: join(import.meta.dirname, "crash-secret.fixture.ts"),
    });
    const life = await stage.start({ env: { TEST_CRASH: kind }, isReady: false });
    expect(await life.exited).toEqual({ code: 1, signal: null });
    expect(life.log.at(-1)).toMatchObject({ event: "daemon.crashed", level: "fatal" });
    expect(life.output()).not.toMatch(/test-token|thirty-char/);
    expect(
      life
        .output()
        .split("\n")
        .every((line) => line === "" || line.startsWith("{")),
    ).toBe(true);
    if (kind !== "unreadable") expect(life.output()).toContain("[redacted]");
  },
  90_000,
);
