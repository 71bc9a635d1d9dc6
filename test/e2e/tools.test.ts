import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelReply, ModelRequest } from "../../src/demo/messages-api/types.ts";
import { createStage, hasButton, type Stage, USER } from "../support/daemon.ts";
import { auditIn } from "../support/daemon-database.ts";

const REAL_KEY = "sk-ant-api03-the-real-key-that-never-enters-the-jail";

/** Answers with what the tools said, so that it shows in the chat what the model was told. */
const tellResults = ({ toolResults }: ModelRequest): ModelReply =>
  reply(toolResults.map(({ isError, text }) => `${isError ? "error" : "ok"}: ${text}`).join("\n"));

/** Waits for a message that asks about a tool call and shows `text`. */
const waitForAsk = (stage: Stage, text: string) =>
  stage.waitFor(
    (message) => hasButton("Allow once")(message) && message.text.includes(text),
    `an ask with ${text}`,
  );

test("of several calls at once each is asked by itself: the denied one is not done, and the model is told of each", async () => {
  const stage = await createStage({
    script: createQueueScript([
      () => ({
        kind: "blocks",
        blocks: ["one", "two", "three"].map((name) => ({
          type: "tool_use",
          name: "Write",
          input: { file_path: join(stage.project, `${name}.txt`), content: `I am ${name}` },
        })),
      }),
      tellResults,
    ]),
  });
  await stage.start();
  stage.chat.send("write three files");
  const decisions = { one: "Allow once", two: "Deny", three: "Allow once" };
  const asked = new Map<string, number>();
  for (const [name, button] of Object.entries(decisions)) {
    const ask = await waitForAsk(stage, `I am ${name}`);
    asked.set(name, ask.messageId);
    stage.chat.press(ask.messageId, button);
  }
  const answer = await stage.waitFor(({ text }) => text.includes("error: The person denied this call."));
  expect(answer.text.match(/^ok: /gm)).toHaveLength(2);
  expect(existsSync(join(stage.project, "two.txt"))).toBe(false);
  expect(readFileSync(join(stage.project, "one.txt"), "utf8")).toBe("I am one");
  expect(statSync(join(stage.project, "three.txt")).mode & 0o777).toBe(0o644);
  const denied = stage.api.messages(USER).find(({ messageId }) => messageId === asked.get("two"));
  expect(denied?.text).toMatch(/I am two[\s\S]*❌ Denied\.$/);
  expect(denied?.keyboard).toBeNull();
  const answers = auditIn(stage.home, "tool.answered").map(({ answer, userId }) => ({ answer, userId }));
  expect(answers.filter(({ answer }) => answer === "allow")).toHaveLength(2);
  expect(answers.filter(({ answer }) => answer === "deny")).toHaveLength(1);
  expect(answers.every(({ userId }) => userId === USER)).toBe(true);
});

test("H25: a long call is shown whole, in a file under its buttons, and characters that hide are written out", async () => {
  const content = Array.from({ length: 400 }, (_, line) => `line ${line} of a long file\n`).join("");
  const stage = await createStage({
    script: createQueueScript([
      () => callTool("Write", { file_path: join(stage.project, "long.txt"), content }),
      callTool("Bash", { command: "echo safe # \u202Egnp.txt\u200B\u2066\u{E0041}" }),
      tellResults,
    ]),
  });
  await stage.start();
  stage.chat.send("write a long file");
  const long = await stage.waitFor(hasButton("Allow once"));
  expect(content.length).toBeGreaterThan(4096);
  expect(long.document?.fileName).toBe("Write.txt");
  expect(long.document?.content.toString("utf8")).toContain(content);
  expect(long.document?.content.toString("utf8")).toContain(join(stage.project, "long.txt"));
  expect(long.text).toContain(`content: ${content.length} characters`);
  stage.chat.press(long.messageId, "Allow once");

  const hidden = await waitForAsk(stage, "echo safe");
  expect(hidden.text).toContain("echo safe # \\u{202E}gnp.txt\\u{200B}\\u{2066}\\u{E0041}");
  expect(hidden.entities).toContainEqual(expect.objectContaining({ type: "pre", language: "bash" }));
  stage.chat.press(hidden.messageId, "Deny");
  await stage.waitFor(({ text }) => text.includes("error: The person denied this call."));
  expect(readFileSync(join(stage.project, "long.txt"), "utf8")).toBe(content);
  const shown = stage.api.messages(USER).find(({ messageId }) => messageId === long.messageId);
  expect(shown?.text).toContain("✅ Allowed once.");
  expect(shown?.keyboard).toBeNull();
});

test("questions of the model are answered by buttons, one choice or several, and it receives the labels", async () => {
  const option = (label: string) => ({ label, description: `what ${label} means` });
  const questions = [
    {
      question: "Which base?",
      header: "Base",
      multiSelect: false,
      options: [option("SQLite"), option("Postgres")],
    },
    {
      question: "Which extras?",
      header: "Extras",
      multiSelect: true,
      options: [option("Tests"), option("Docs"), option("CI\u202E\ud800"), option(" ")],
    },
  ];
  const stage = await createStage({
    script: createQueueScript([callTool("AskUserQuestion", { questions }), tellResults]),
  });
  await stage.start();
  stage.chat.send("ask me");
  const first = await stage.waitFor(hasButton("Postgres"));
  expect(first.text).toContain("Which base? (1 of 2)");
  expect(first.text).toContain("what Postgres means");
  stage.chat.press(first.messageId, "Postgres");

  const { messageId } = await stage.waitFor(hasButton("☐ Docs"));
  for (const label of ["Docs", "Tests", "CI"]) {
    stage.chat.press(messageId, `☐ ${label}`);
    await stage.waitFor(hasButton(`☑ ${label}`));
  }
  stage.chat.press(messageId, "☑ Tests");
  await stage.waitFor(hasButton("☐ Tests"));
  stage.chat.press(messageId, "Done");
  const answer = await stage.waitFor(({ text }) => text.includes("ok: "));
  expect(answer.text).toContain('"Which base?"="Postgres"');
  expect(answer.text).toMatch(/"Which extras\?"="Docs, CI/);
  const settled = await stage.waitFor(
    (message) => message.messageId === messageId && message.keyboard === null,
  );
  expect(settled.text).toContain("→ Docs, CI\\u{202E}");
});

test("a call that nobody decides about in time is denied, and says so", async () => {
  const stage = await createStage({
    script: createQueueScript([
      () => callTool("Write", { file_path: join(stage.project, "late.txt"), content: "too late" }),
      tellResults,
    ]),
    env: { APPROVAL_TIMEOUT_SECONDS: "1" },
  });
  await stage.start();
  stage.chat.send("write it");
  const asked = await stage.waitFor(hasButton("Allow once"));
  const data = asked.keyboard?.inline_keyboard[0]?.[0]?.callback_data ?? "";
  await stage.waitFor(({ text }) => text.includes("error: Nobody answered in time"));
  const shown = stage.api.messages(USER).find(({ messageId }) => messageId === asked.messageId);
  expect(shown?.text).toMatch(/too late[\s\S]*⌛ Nobody answered in time, so it was denied\.$/);
  expect(shown?.keyboard).toBeNull();
  expect((await stage.chat.pressRaw(data, asked.messageId).answered()).text).toBe(
    "This has been answered already.",
  );
  expect(existsSync(join(stage.project, "late.txt"))).toBe(false);
});

test("H24: only the asker or an owner may press, once and in the chat where it stands; all else is told and put on record", async () => {
  const [owner, other, stranger] = [1002, 1003, 6666];
  const stage = await createStage({
    script: createQueueScript([
      () => callTool("Write", { file_path: join(stage.project, "guarded.txt"), content: "guarded" }),
      tellResults,
    ]),
    env: { ALLOWED_USERS: `${USER},${owner},${other}`, OWNER_USERS: String(owner) },
  });
  await stage.start();
  stage.chat.send("write it");
  const asked = await stage.waitFor(hasButton("Allow once"));
  const data = asked.keyboard?.inline_keyboard[0]?.[0]?.callback_data ?? "";
  expect(data).toMatch(/^[\w-]{22}$/);

  /** A press by somebody else, forged as coming from the asker's chat unless another is named. */
  const pressBy = (id: number, chatId: number) =>
    stage.api
      .user({ id, firstName: `User ${id}` })
      .chat(chatId)
      .pressRaw(data, asked.messageId);
  const silent = pressBy(stranger, USER);
  expect((await pressBy(other, USER).answered()).text).toBe(
    "Only the person asked, or an owner, may press this.",
  );
  expect((await pressBy(other, other).answered()).text).toBe("This button belongs to another conversation.");
  expect((await stage.chat.pressRaw("x".repeat(22), asked.messageId).answered()).text).toBe(
    "This button is not one of mine.",
  );
  expect(existsSync(join(stage.project, "guarded.txt"))).toBe(false);

  expect((await pressBy(owner, USER).answered()).text).toBe("");
  await stage.waitFor(({ text }) => text.includes("ok: "));
  expect((await stage.chat.pressRaw(data, asked.messageId).answered()).text).toBe(
    "This has been answered already.",
  );
  expect(stage.api.log.some(({ payload }) => payload.callback_query_id === silent.callbackId)).toBe(false);
  expect(auditIn(stage.home, "tool.answered")).toMatchObject([{ answer: "allow", userId: owner }]);
  expect(auditIn(stage.home, "violation.")).toMatchObject([
    { type: "violation.forged_callback", what: "not_yours", userId: other },
    { type: "violation.forged_callback", what: "elsewhere", userId: other },
    { type: "violation.forged_callback", what: "unknown", userId: USER },
    { type: "violation.replay", what: "button", userId: USER },
  ]);
  expect(auditIn(stage.home, "auth.failure")).toMatchObject([
    { reason: "not_whitelisted", userId: stranger },
  ]);
});

test("H06: reading in the project is not asked about; a command sees no secret, no network and nothing beyond the project", async () => {
  let seen = "";
  const commands: string[] = [];
  const stage = await createStage({
    script: createQueueScript([
      () => ({
        kind: "blocks",
        blocks: [
          { type: "tool_use", name: "Read", input: { file_path: join(stage.project, "README.md") } },
          { type: "tool_use", name: "Bash", input: { command: "ls" } },
        ],
      }),
      (request) => {
        seen = request.toolResults.map(({ text }) => text).join("\n");
        return callTool("Bash", { command: commands.join("\n") });
      },
      (request) => {
        seen += request.toolResults[0]?.text ?? "";
        return reply("That is all.");
      },
    ]),
  });
  const listener = createServer((socket) => socket.end("hello\n")).listen(0, "127.0.0.1");
  onTestFinished(() => void listener.close());
  await once(listener, "listening");
  const address = listener.address();
  const port = typeof address === "object" ? address?.port : 0;
  const canary = join(dirname(stage.approved), "canary.txt");
  const sibling = join(stage.approved, "other", "notes.txt");
  mkdirSync(dirname(sibling));
  writeFileSync(canary, "the canary sings\n");
  writeFileSync(sibling, "the neighbour's notes\n");
  const attempts = [
    `cat ${canary}`,
    `cat ${sibling}`,
    `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}; cat <&3'`,
    `ls -d ${stage.home}/run`,
  ];
  // Without the jail each of them succeeds, else their failure would prove nothing.
  const life = await stage.start();
  const { stdout: unjailed } = await promisify(execFile)("bash", ["-c", attempts.join("\n")]);
  expect(unjailed).toBe(`the canary sings\nthe neighbour's notes\nhello\n${stage.home}/run\n`);
  commands.push(
    "env",
    "cat /proc/[0-9]*/environ | tr '\\0' '\\n'",
    ...attempts.map((line) => `${line} 2>&1`),
  );
  commands.push("echo made by bash > made.txt", `echo escaped > ${canary}`, "echo the end");

  stage.chat.send("look round");
  const choice = await stage.waitFor(hasButton("other"));
  stage.chat.press(choice.messageId, "demo");
  const asked = await stage.waitFor(hasButton("Allow once"));
  expect(stage.botTexts().filter((text) => text.includes("wants to use"))).toHaveLength(1);
  expect(seen).toContain("# A sample");
  expect(seen).toContain("README.md");
  expect(auditIn(stage.home, "tool.left").map(({ tool }) => tool)).toEqual(["Read", "Bash", "Bash"]);
  stage.chat.press(asked.messageId, "Allow once");
  const answer = await stage.waitFor(({ text }) => text.includes("That is all."));
  expect(answer.text).toContain("3 tool calls");

  expect(seen).toContain("the end");
  expect(seen).toMatch(/ANTHROPIC_API_KEY=sallyport-[\w-]+/);
  for (const secret of [REAL_KEY, "test-token-of-thirty", "sings", "neighbour", "hello\n"]) {
    expect(seen).not.toContain(secret);
  }
  expect(readFileSync(canary, "utf8")).toBe("the canary sings\n");
  const made = join(stage.project, "made.txt");
  expect(readFileSync(made, "utf8")).toBe("made by bash\n");
  expect(statSync(made).mode & 0o777).toBe(0o644);
  const keys = stage.model.requests
    .filter(({ method }) => method === "POST")
    .map(({ headers }) => headers["x-api-key"]);
  expect(new Set(keys)).toEqual(new Set([REAL_KEY]));
  expect(life.output()).not.toContain(REAL_KEY);
  const kept = readdirSync(stage.home, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(kept.length).toBeGreaterThan(2);
  for (const { parentPath, name } of kept) {
    expect(readFileSync(join(parentPath, name)).includes(REAL_KEY), name).toBe(false);
  }
});

test("H02: in mode jail an edit and a command run without a question and are on record; a question of Claude's is still asked", async () => {
  const questions = [
    {
      question: "Which way?",
      header: "Way",
      multiSelect: false,
      options: [
        { label: "Left", description: "" },
        { label: "Right", description: "" },
      ],
    },
  ];
  const stage = await createStage({
    env: { CLAUDE_PERMISSION_MODE: "jail" },
    script: createQueueScript([
      () => callTool("Write", { file_path: join(stage.project, "made.txt"), content: "made" }),
      callTool("Bash", { command: "cat made.txt > copied.txt" }),
      () => callTool("Write", { file_path: join(stage.project, ".env.custom"), content: "secret" }),
      callTool("AskUserQuestion", { questions }),
      tellResults,
    ]),
  });
  await stage.start();
  stage.chat.send("work");
  const asked = await stage.waitFor(hasButton("Left"), "the question");
  stage.chat.press(asked.messageId, "Left");
  await stage.waitFor(({ text }) => text.includes("ok: "));
  expect(readFileSync(join(stage.project, "copied.txt"), "utf8")).toBe("made");
  expect(existsSync(join(stage.project, ".env.custom"))).toBe(false);
  expect(stage.botTexts().filter((text) => text.startsWith("Claude wants to use"))).toEqual([]);
  const record = (type: string) =>
    auditIn(stage.home, type).map(({ tool, by }) => `${String(tool)} by ${String(by)}`);
  expect(record("tool.allowed")).toEqual(["Write by policy", "Bash by policy"]);
  expect(record("tool.denied")).toEqual(["Write by policy"]);
  await stage.ask("/status", "jail: edits and commands run unasked inside the sandbox");
});

test("without a sandbox mode jail asks like mode ask", async () => {
  const stage = await createStage({
    env: { CLAUDE_PERMISSION_MODE: "jail", SANDBOX: "off", ENVIRONMENT: "development" },
    script: createQueueScript([callTool("Bash", { command: "touch made.txt" }), tellResults]),
  });
  await stage.start();
  stage.chat.send("work");
  const asked = await waitForAsk(stage, "touch made.txt");
  expect(existsSync(join(stage.project, "made.txt"))).toBe(false);
  stage.chat.press(asked.messageId, "Deny");
  await stage.waitFor(({ text }) => text.includes("error: "));
});
