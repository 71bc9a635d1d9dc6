import { randomBytes } from "node:crypto";
import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelReply, ModelRequest } from "../../src/demo/messages-api/types.ts";
import { DEFLATE, zip } from "../support/archives.ts";
import { createStage, hasButton, type Stage, says, USER } from "../support/daemon.ts";
import { auditIn, queryDaemon } from "../support/daemon-database.ts";
import { sendFile } from "../support/send-file.ts";
import { canMount, smallDisk } from "../support/small-disk.ts";
import { until } from "../support/until.ts";
import { WAIT_MS } from "../support/wait-ms.ts";

/** Answers with what the tools said, so that it shows in the chat what the model was told. */
const tellResults = ({ toolResults }: ModelRequest): ModelReply =>
  reply(toolResults.map(({ isError, text }) => `${isError ? "error" : "ok"}: ${text}`).join("\n"));

/** Has the model call a tool on the path that its prompt names. */
const readNamed =
  (name: string, rest = "") =>
  ({ lastUserText }: ModelRequest): ModelReply => {
    const path = new RegExp(`\\S*/${name}(?=[ /])`).exec(lastUserText)?.[0] ?? "/not/named";
    return callTool("Read", { file_path: `${path}${rest}` });
  };

/** The folders of what people sent. */
const foldersOf = ({ home }: Stage): readonly string[] =>
  readdirSync(join(home, "uploads")).map((name) => join(home, "uploads", name));

const ELF = Buffer.concat([Buffer.from("\x7fELF\x02\x01\x01", "latin1"), Buffer.alloc(300)]);

/** A picture of 8 by 8 grey dots, right to its checksums. */
function png(): Buffer {
  const table = Array.from({ length: 256 }, (_, n) =>
    Array.from({ length: 8 }).reduce<number>((c) => (c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1), n),
  );
  const sum = (data: Buffer) =>
    ~data.reduce((crc, byte) => (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8), ~0) >>> 0;
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    crc.writeUInt32BE(sum(body));
    return Buffer.concat([length, body, crc]);
  };
  const header = Buffer.from([0, 0, 0, 8, 0, 0, 0, 8, 8, 0, 0, 0, 0]);
  const dots = deflateSync(Buffer.from(Array.from({ length: 72 }, (_, at) => (at % 9 === 0 ? 0 : 128))));
  const magic = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([magic, chunk("IHDR", header), chunk("IDAT", dots), chunk("IEND", Buffer.alloc(0))]);
}

test("a text file is read unasked where the prompt says, and a later one without a new process", async () => {
  const prompts: string[] = [];
  const noting =
    (step: (request: ModelRequest) => ModelReply) =>
    (request: ModelRequest): ModelReply => {
      prompts.push(request.lastUserText);
      return step(request);
    };
  const stage = await createStage({
    script: createQueueScript([
      noting(readNamed("my_notes.txt")),
      tellResults,
      noting(readNamed("second.md")),
      tellResults,
    ]),
  });
  const life = await stage.start();
  sendFile(stage, { name: "my notes.txt", content: "the sky is green", caption: "What colour is the sky?" });
  await stage.waitFor(({ text }) => text.includes("the sky is green"));
  expect(prompts[0]).toContain("What colour is the sky?\n\n[The person sent this file");
  expect(prompts[0]).toContain("/uploads/my_notes.txt (text, 16 bytes)");

  const [folder = ""] = foldersOf(stage);
  expect(folder.slice(folder.lastIndexOf("/") + 1)).toMatch(/^[0-9a-f]{32}$/);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, "my_notes.txt")).mode & 0o777).toBe(0o600);
  expect(readdirSync(stage.project)).toEqual(["README.md"]);

  sendFile(stage, { name: "second.md", content: "# the second" });
  await stage.waitFor(({ text }) => text.includes("the second"));
  expect(prompts[1]).toContain("📎 second.md");
  expect(life.log.filter(({ event }) => event === "claude.started")).toHaveLength(1);
  expect(auditIn(stage.home, "file.")).toMatchObject([
    { type: "file.received", name: "my_notes.txt", kind: "text", bytes: 16, userId: USER },
    { type: "file.received", name: "second.md" },
  ]);
  expect(auditIn(stage.home, "file.")[0]?.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(stage.api.messages(USER).some(hasButton("Allow once"))).toBe(false);
});

test("H68: a photo reaches the model as a picture, by its path", async () => {
  const picture = png();
  const stage = await createStage({
    script: createQueueScript([
      readNamed("photo.png"),
      ({ messages }) => {
        const last = JSON.stringify(messages.at(-1)?.content);
        return reply(
          last.includes('"type":"image"') && last.includes("image/") ? "I see it" : `I see: ${last}`,
        );
      },
    ]),
  });
  await stage.start();
  sendFile(stage, { name: "any.jpg", content: picture, isPhoto: true, caption: "What is this?" });
  const answer = await stage.waitFor(({ text }) => /I see(?: it|:)/.test(text));
  expect(answer.text).toContain("I see it");
});

test("a zip is unpacked in the jail and read file by file; nothing there can be written", async () => {
  const stage = await createStage({
    env: { CLAUDE_PERMISSION_MODE: "jail" },
    script: createQueueScript([
      readNamed("app", "/src/main.js"),
      ({ toolResults, messages }) => {
        const path = /\/uploads\/app/.exec(JSON.stringify(messages))?.[0] ?? "";
        return {
          kind: "blocks",
          blocks: [
            { type: "text", text: `main is ${toolResults[0]?.text}` },
            { type: "tool_use", name: "Write", input: { file_path: `${path}/new.js`, content: "x" } },
            { type: "tool_use", name: "Bash", input: { command: `echo x > ${path}/new.js; ls -A ${path}` } },
          ],
        };
      },
      tellResults,
    ]),
  });
  await stage.start();
  const content = zip([
    { name: "src/main.js", content: "console.log(42)" },
    { name: "src/.env", content: "KEY=1" },
    { name: ".git/hooks/pre-commit", content: "#!/bin/sh", mode: 0o100755 },
  ]);
  sendFile(stage, { name: "app.zip", content, caption: "What does it print?" });
  const answer = await stage.waitFor(({ text }) => text.includes("error: What the person sent is read-only"));
  expect(answer.text).toContain("Read-only file system");
  const [folder = ""] = foldersOf(stage);
  expect(readdirSync(folder, { recursive: true }).map(String).sort()).toEqual([
    "app",
    "app/src",
    "app/src/main.js",
  ]);
  expect(auditIn(stage.home, "file.received")).toMatchObject([
    { name: "app", kind: "archive", files: 1, leftOut: 2 },
  ]);
});

test("H16: bombs, programs under false names, secrets, what is too large and lies about it: told, on record, nothing run, nothing left", async () => {
  const stage = await createStage({
    env: { MAX_UPLOAD_MB: "1" },
    script: createQueueScript([]),
  });
  await stage.start();
  const bomb = zip([{ name: "zeros", content: Buffer.alloc(30_000_000), method: DEFLATE }]);
  const large = Buffer.alloc(1_100_000, 97);
  const cases = [
    [{ name: "bomb.zip", content: bomb }, "it would swell as only a bomb does"],
    [{ name: "shot.png", content: ELF }, "it is a program, whatever its name says"],
    [
      { name: "up.zip", content: zip([{ name: "../../up.txt", content: "x" }]) },
      "it leads out of its own folder",
    ],
    [{ name: "film.mp4", content: "x" }, "film.mp4 was not taken: I do not take files of that type"],
    [{ name: "old.7z", content: "x" }, "I unpack zip, tar and tar.gz only"],
    [{ name: ".env", content: "KEY=1" }, "by its name it holds secrets"],
    [{ name: "large.txt", content: large }, "large.txt, 1.0 of at most 1 MB was not taken"],
    [{ name: "lies.txt", content: large, declaredBytes: 10 }, "lies.txt was not taken: it is larger than"],
  ] as const;
  for (const [file, words] of cases) {
    sendFile(stage, file);
    await stage.waitFor(({ text }) => text.includes(words), words);
  }
  expect(auditIn(stage.home, "file.").map(({ type, reason }) => `${type} ${String(reason)}`)).toEqual([
    "file.refused archive_ratio",
    "file.refused program",
    "file.refused archive_dot_dot",
    "file.refused type",
    "file.refused other_archive",
    "file.refused secret",
    "file.refused too_large",
    "file.refused too_large",
  ]);
  await stage.waitFor(({ text }) =>
    text.includes("A file of this message was not taken, so nothing was run."),
  );
  expect(stage.model.requests.filter(({ path }) => path.includes("/v1/messages"))).toEqual([]);
  expect(foldersOf(stage).flatMap((folder) => readdirSync(folder))).toEqual([]);
  // Of what the message itself told, nothing was fetched.
  const fetched = stage.api.log.filter(({ method }) => method === "getFile").length;
  expect(fetched).toBe(4);
});

test("a file that cannot be fetched is told, the turn does not run as if it were there, and it can be run again", async () => {
  const stage = await createStage({ script: createQueueScript([readNamed("a.txt"), tellResults]) });
  await stage.start();
  stage.api.setIntercept(({ method }) => (method === "file" ? { kind: "truncated" } : undefined));
  sendFile(stage, { name: "a.txt", content: "here at last", caption: "read it" });
  const told = await stage.waitFor(({ text }) => text.includes("could not be fetched from Telegram"));
  expect(stage.api.log.filter(({ method }) => method === "file")).toHaveLength(3);
  expect(stage.model.requests.filter(({ path }) => path.includes("/v1/messages"))).toEqual([]);
  stage.api.setIntercept(undefined);
  stage.chat.press(told.messageId, "Run it again");
  await stage.waitFor(({ text }) => text.includes("here at last"));
  expect(JSON.stringify(stage.botTexts())).not.toContain("test-token");
});

test("a folder of files that is none is told with what mends it, and what was sent runs once that is done", async () => {
  const stage = await createStage({ script: createQueueScript([reply("here again")]) });
  await stage.start();
  const root = join(stage.home, "uploads");
  rmSync(root, { recursive: true });
  writeFileSync(root, "no folder");
  stage.chat.send("without a file");
  const told = await stage.waitFor(({ text }) => text.includes("Files cannot be kept on this machine"));
  expect(told.text).toContain(`At the machine: mv '${root}' '${root}.old'`);
  expect(auditIn(stage.home, "turn.finished")).toMatchObject([{ failure: "files_unkept" }]);
  renameSync(root, `${root}.old`);
  stage.chat.press(told.messageId, "Run it again");
  await stage.waitFor(({ text }) => text.includes("here again"));
});

test("a disk that is full is not blamed on Telegram or on the file, and is in the log", async ({ skip }) => {
  if (!canMount()) skip("this user may not mount a small disk");
  const stage = await createStage({ script: createQueueScript([]) });
  const life = await stage.start();
  smallDisk(join(stage.home, "uploads"), 1);
  const packed = zip([
    {
      name: "a.bin",
      content: Buffer.concat([randomBytes(20_000), Buffer.alloc(2_000_000, 97)]),
      method: DEFLATE,
    },
  ]);
  for (const name of ["large.txt", "large.zip"]) {
    sendFile(stage, { name, content: name === "large.txt" ? Buffer.alloc(1_500_000, 97) : packed });
    const told = await stage.waitFor(({ text }) =>
      text.includes(`${name}: the disk of this machine is full`),
    );
    expect(told.text).toContain("Files cannot be kept on this machine");
  }
  expect(auditIn(stage.home, "file.")).toEqual([]);
  const logged = life.log.filter(({ event }) => event === "file.fault");
  expect(logged.map((line) => JSON.stringify(line).includes("ENOSPC"))).toEqual([true, true]);
});

test("a daemon that is killed while it fetches goes on with it in its next life, and keeps nothing of the half", async () => {
  const stage = await createStage({ script: createQueueScript([readNamed("a.txt"), tellResults]) });
  const life = await stage.start();
  stage.api.setIntercept(({ method }) => (method === "file" ? { kind: "hang" } : undefined));
  sendFile(stage, { name: "a.txt", content: "after the restart" });
  await stage.api.waitFor(({ log }) => log.some(({ method }) => method === "file"), {
    what: "a fetch",
    timeoutMs: WAIT_MS,
  });
  await life.kill();
  expect(foldersOf(stage).some((folder) => folder.includes("incoming-"))).toBe(true);
  stage.api.setIntercept(undefined);
  await stage.start();
  await stage.waitFor(({ text }) => text.includes("after the restart"));
  expect(foldersOf(stage).filter((folder) => folder.includes("incoming-"))).toEqual([]);
  expect(queryDaemon(stage.home, "SELECT count(*) AS works FROM work")).toEqual([{ works: 1 }]);
  expect(auditIn(stage.home, "file.received")).toHaveLength(1);
});

test("an edit changes the words that stand under a file; a file that was exchanged is not taken in silence", async () => {
  const stage = await createStage({ script: createQueueScript([readNamed("a.txt"), tellResults]) });
  await stage.start();
  const sent = sendFile(stage, { name: "a.txt", content: "the first", caption: "Read it" });
  await stage.waitFor(({ text }) => text.includes("the first"));
  const { file_path: _, ...file } = stage.api.addFile({ fileName: "b.txt", content: Buffer.from("other") });
  stage.chat.edit(sent.messageId, { document: { ...file, file_name: "b.txt" } });
  await stage.waitFor(({ text }) => text.includes("I keep the first one. Send the other as a new message."));
  stage.chat.edit(sent.messageId, { caption: "Read it aloud" });
  await stage.waitFor(({ text }) => text.includes("Shall the new text run as well?"));
});

test("words that are taken away from under a file that waits do not run", async () => {
  const prompts: string[] = [];
  const first = Promise.withResolvers<void>();
  const stage = await createStage({
    script: async ({ isAuxiliary, lastUserText }) => {
      if (isAuxiliary) return reply("ok");
      prompts.push(lastUserText);
      if (prompts.length === 1) await first.promise;
      return reply(`answer ${prompts.length}`);
    },
  });
  await stage.start();
  stage.chat.send("the first");
  await until(() => prompts.length === 1, "the first turn", WAIT_MS);
  const sent = sendFile(stage, { name: "a.txt", content: "x", caption: "Delete everything" });
  await stage.api.waitForMessage(USER, hasButton("Drop"), { timeoutMs: WAIT_MS });
  stage.chat.edit(sent.messageId, { caption: "" });
  await stage.waitFor(({ text }) => text.includes("The waiting message now has your new text."));
  first.resolve();
  await stage.waitFor(({ text }) => text.includes("answer 2"));
  expect(prompts[1]).toContain("📎 a.txt");
  expect(prompts[1]).not.toContain("Delete");
});

test("a turn that is stopped while it fetches ends at once, with nothing left of the file", async () => {
  const stage = await createStage({ script: createQueueScript([]) });
  await stage.start();
  stage.api.setIntercept(({ method }) => (method === "file" ? { kind: "hang" } : undefined));
  sendFile(stage, { name: "a.txt", content: "x" });
  await stage.api.waitFor(({ log }) => log.some(({ method }) => method === "file"), {
    what: "a fetch",
    timeoutMs: WAIT_MS,
  });
  stage.chat.send("/stop");
  await stage.waitFor(({ text }) => text.includes("Stopped"));
  expect(foldersOf(stage).filter((folder) => folder.includes("incoming-"))).toEqual([]);
});

test("what one person sends is not there for another", async () => {
  const other = 1002;
  const stage = await createStage({
    env: { CLAUDE_PERMISSION_MODE: "jail", ALLOWED_USERS: `${USER},${other}` },
    script: createQueueScript([
      readNamed("mine.txt"),
      tellResults,
      callTool("Bash", { command: "ls -A /uploads; echo listed; cat /uploads/mine.txt" }),
      tellResults,
    ]),
  });
  await stage.start();
  sendFile(stage, { name: "mine.txt", content: "for me alone" });
  await stage.waitFor(({ text }) => text.includes("for me alone"));
  const chat = stage.api.user({ id: other, firstName: "Bob" }).chat();
  chat.send("what is in /uploads?");
  const answer = await stage.api.waitForMessage(other, says("No such file"), {
    timeoutMs: WAIT_MS,
  });
  expect(answer.text).not.toContain("for me alone");
  expect(answer.text).toContain("listed");
  expect(foldersOf(stage)).toHaveLength(2);
});

test("without a sandbox a file is looked at and unpacked by the same programs, with the same limits", async () => {
  const stage = await createStage({
    env: { SANDBOX: "off", ENVIRONMENT: "development" },
    script: createQueueScript([readNamed("app", "/a.txt"), tellResults]),
  });
  await stage.start();
  sendFile(stage, { name: "up.zip", content: zip([{ name: "../../up.txt", content: "x" }]) });
  await stage.waitFor(({ text }) => text.includes("it leads out of its own folder"));
  sendFile(stage, { name: "app.zip", content: zip([{ name: "a.txt", content: "from the zip" }]) });
  await stage.waitFor(({ text }) => text.includes("from the zip"));
});
