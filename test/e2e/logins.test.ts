import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import type { ShownMessage } from "../../src/demo/bot-api/types.ts";
import { createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelReply, ModelScript } from "../../src/demo/messages-api/types.ts";
import { digestOfToken, makeToken } from "../../src/security/login-token.ts";
import { createStage, launch, type Stage, says, USER } from "../support/daemon.ts";
import { auditIn, queryDaemon } from "../support/daemon-database.ts";
import { until } from "../support/until.ts";
import { WAIT_MS } from "../support/wait-ms.ts";

const NEWCOMER = 2002;
const TOKEN = /spt_[\w-]{43}/;
const SETTINGS = {
  ENABLE_TOKEN_AUTH: "true",
  AUTH_TOKEN_SECRET: "5f0c2b9d8e7a41630f9ce2ab4d718c365f1c2b9d8e7a41630f9ce2ab4d718c36",
};

/** A stage with a second person, who is no one's friend yet. */
async function createDoor(script: ModelScript, env: Record<string, string> = {}) {
  const stage = await createStage({ script, env: { ...SETTINGS, ...env } });
  const chat = stage.api.user({ id: NEWCOMER, firstName: "Grace" }).chat();
  chat.open();
  const reads = (text: string): Promise<ShownMessage> =>
    stage.api.waitForMessage(NEWCOMER, says(text), {
      what: `a message with ${text} for the newcomer`,
      timeoutMs: WAIT_MS,
    });
  const texts = (): readonly string[] =>
    stage.api
      .messages(NEWCOMER)
      .filter(({ isFromBot }) => isFromBot)
      .map(({ text }) => text);
  return { stage, chat, reads, texts };
}

const tokenIn = (text: string): string => TOKEN.exec(text)?.[0] ?? "no token";

/** Has the owner make an invite, and gives its token. */
async function invite({ ask }: Stage, command = "/invite"): Promise<string> {
  return tokenIn((await ask(command, "good for one login")).text);
}

/** The real command line of the program, beside a daemon that may be running. */
async function sallyport({ settings }: Stage, ...args: readonly string[]) {
  const life = launch(args, settings);
  const { code } = await life.exited;
  return { code, output: life.output() };
}

/** Waits until a message of the newcomer's is off the screen. */
const isDeleted = ({ api }: Stage, messageId: number) =>
  until(
    () => api.messages(NEWCOMER).find((message) => message.messageId === messageId)?.isDeleted,
    "the message is deleted",
  );

/** Waits until all updates that were sent are handled. */
async function settled(stage: Stage): Promise<void> {
  await until(() => stage.api.pendingUpdates().length === 0, "no update is left");
  await until(
    () => queryDaemon(stage.home, "SELECT 1 FROM inbox WHERE state = 'new'").length === 0,
    "all updates are handled",
  );
}

test("invited, logged in, at work, over a restart, and revoked in the middle of a turn: out at once, and silence", async () => {
  const gate = Promise.withResolvers<ModelReply>();
  const { stage, chat, reads, texts } = await createDoor(
    createQueueScript([reply("Hello Grace."), reply("Still here."), () => gate.promise]),
  );
  const first = await stage.start();
  chat.send("let me in");
  const token = await invite(stage);
  const { messageId } = chat.send(`/login ${token}`);
  await reads("You are in, as a member.");
  await isDeleted(stage, messageId);
  expect(
    await stage.waitFor(({ text }) => text.includes(`${NEWCOMER} has logged in as a member`)),
  ).toBeDefined();
  chat.send("hello");
  await reads("Hello Grace.");
  expect(texts().some((text) => text.includes("let me in"))).toBe(false);

  await first.kill("SIGTERM");
  await stage.start();
  chat.send("and now?");
  await reads("Still here.");
  expect((await stage.ask("/users", `${NEWCOMER}: member, until`)).text).toContain(
    `${USER}: owner, whitelist`,
  );

  chat.send("a long one");
  await until(
    () => stage.model.requests.some(({ body }) => JSON.stringify(body).includes("a long one")),
    "the turn",
  );
  chat.send("and this waits");
  await reads("Queued: 1 ahead.");
  await stage.ask(`/revoke ${NEWCOMER}`, `${NEWCOMER} cannot come in any more`);
  await until(
    () =>
      queryDaemon(stage.home, "SELECT 1 FROM work WHERE state NOT IN ('done', 'stopped', 'dropped')")
        .length === 0,
    "nothing of his runs or waits",
  );
  gate.resolve(reply("A secret answer."));
  const before = stage.api.messages(NEWCOMER).filter(({ isFromBot }) => isFromBot).length;
  const { messageId: again } = chat.send(`/login ${token}`);
  for (const text of ["anybody?", "/status", "/start"]) chat.send(text);
  await reads("That did not work.");
  await isDeleted(stage, again);
  await settled(stage);
  expect(stage.api.messages(NEWCOMER).filter(({ isFromBot }) => isFromBot)).toHaveLength(before + 1);
  expect(texts().join()).not.toContain("A secret answer");
  const acts = auditIn(stage.home, "auth.").map(({ type, userId }) => `${type} ${userId}`);
  expect(acts.slice(0, 5)).toEqual([
    `auth.failure ${NEWCOMER}`,
    `auth.invite ${USER}`,
    `auth.attempt ${NEWCOMER}`,
    `auth.login ${NEWCOMER}`,
    `auth.revoke ${USER}`,
  ]);
  expect(acts.slice(5).toSorted()).toEqual([
    `auth.attempt ${NEWCOMER}`,
    `auth.failure ${NEWCOMER}`,
    `auth.failure ${NEWCOMER}`, // the first contact of a stranger, in this life
  ]);
  expect(auditIn(stage.home, "violation.")).toMatchObject([{ type: "violation.replay", what: "token" }]);
});

test("H35: a token in clear is in no table, log, file or backup, whatever message it comes in", async () => {
  const { stage, chat, reads } = await createDoor(createQueueScript([reply("Thanks."), reply("Noted.")]));
  const life = await stage.start();
  const [used, shown, pasted] = [
    await invite(stage),
    await invite(stage, "/invite owner"),
    await invite(stage),
  ];
  chat.send(`/login ${used}`);
  await reads("You are in");
  await stage.ask(`this is ${shown}, keep it`, "Thanks.");
  chat.send(`Look: ${pasted} and /login ${pasted}`);
  await reads("Noted.");
  const kept = `${"*".repeat(47)}, keep it`;
  expect(JSON.stringify(stage.model.requests)).toContain(kept);
  await settled(stage);
  const backup = await sallyport(stage, "backup", join(stage.home, "backups", "b.db"));
  expect(backup.code).toBe(0);
  const files = readdirSync(stage.home, { recursive: true, encoding: "utf8" })
    .map((file) => join(stage.home, file))
    .filter((file) => statSync(file).isFile());
  expect(files.map((file) => basename(file))).toEqual(
    expect.arrayContaining(["sallyport.db", "sallyport.db-wal", "b.db"]),
  );
  const holding = (text: string) => files.filter((file) => readFileSync(file).includes(text));
  for (const token of [used, shown, pasted]) {
    expect(token).toMatch(TOKEN);
    expect(holding(token)).toEqual([]);
    expect(JSON.stringify(stage.model.requests)).not.toContain(token);
    expect(life.output()).not.toContain(token);
  }
  expect(holding(digestOfToken(SETTINGS.AUTH_TOKEN_SECRET, used))).not.toEqual([]); // the positive control
});

test("REQUIRE_TOKEN: a person of the whitelist is a stranger until he logs in, with a token made at the machine while the daemon runs", async () => {
  const { stage } = await createDoor(createQueueScript([reply("Hello owner.")]), {
    REQUIRE_TOKEN: "true",
    ENABLE_TOKEN_AUTH: "false",
  });
  await stage.start();
  stage.chat.send("hello?");
  stage.chat.send("/status");
  const made = await sallyport(stage, "token", "create", "--role", "owner");
  expect(made.code).toBe(0);
  await settled(stage);
  expect(stage.botTexts()).toEqual([]);
  await stage.ask(`/login ${tokenIn(made.output)}`, "You are in, as an owner.");
  await stage.ask("hello!", "Hello owner.");
  expect((await sallyport(stage, "token", "list")).output).toContain(`${USER}\towner\twhitelist\tuntil`);
  const revoked = await sallyport(stage, "token", "revoke", String(USER));
  expect(revoked).toMatchObject({ code: 0 });
  expect(revoked.output).toContain("Revoked.");
  const before = stage.botTexts().length;
  stage.chat.send("/status");
  await settled(stage);
  expect(stage.botTexts()).toHaveLength(before);
});

test("`sallyport token revoke` ends the turn of a running daemon at its next look; a bot without a whitelist begins so", async () => {
  const gate = Promise.withResolvers<ModelReply>();
  const { stage, chat, reads, texts } = await createDoor(createQueueScript([() => gate.promise]), {
    ALLOWED_USERS: "",
  });
  expect((await sallyport(stage, "token", "list")).output).toBe(
    "Nobody may come in, and no invite is open.\n",
  );
  const owner = tokenIn((await sallyport(stage, "token", "create", "--role", "owner", "--days", "2")).output);
  await stage.start();
  chat.send(`/login ${owner}`);
  await reads("You are in, as an owner.");
  chat.send("a long one");
  await until(
    () => stage.model.requests.some(({ body }) => JSON.stringify(body).includes("a long one")),
    "the turn",
  );
  const revoking = sallyport(stage, "token", "revoke", String(NEWCOMER));
  await until(() => auditIn(stage.home, "auth.revoke").length > 0, "the revocation");
  await until(
    () => queryDaemon(stage.home, "SELECT 1 FROM work WHERE state = 'stopped'").length > 0,
    "the turn's end",
  );
  expect((await revoking).code).toBe(0);
  gate.resolve(reply("A late answer."));
  await settled(stage);
  expect(texts().join()).not.toContain("A late answer");
  expect((await sallyport(stage, "token", "revoke", String(NEWCOMER))).code).toBe(1);
  expect((await sallyport(stage, "token", "revoke", "everybody")).code).toBe(78);
  expect((await sallyport(stage, "token", "create", "--role", "god")).code).toBe(78);
});

test("a /login is one however it is formatted: it is taken off the screen, and guesses are counted", async () => {
  const { stage, chat, reads, texts } = await createDoor(createQueueScript([]));
  await stage.start();
  const logIn = (token: string, type: "code" | "bold") => {
    const text = `/login ${token}`;
    return chat.send(text, { entities: [{ type, offset: 0, length: text.length }] });
  };
  const { messageId } = logIn(await invite(stage), "code");
  await reads("You are in");
  await isDeleted(stage, messageId);
  stage.chat.send(`/revoke ${NEWCOMER}`);
  await until(() => auditIn(stage.home, "auth.revoke").length > 0, "the revocation");
  for (let guess = 1; guess <= 8; guess += 1) logIn(makeToken(), guess % 2 === 0 ? "bold" : "code");
  await settled(stage);
  await until(() => auditIn(stage.home, "auth.lockout").length > 0, "the lock-out");
  const answers = () => texts().filter((text) => text === "That did not work.").length;
  await until(() => answers() >= 5, "five answers");
  await settled(stage);
  expect(answers()).toBe(5);
});

test("an owner who came back as a member can do nothing with the keys that he got as an owner", async () => {
  const { stage, chat, reads } = await createDoor(createQueueScript([]));
  await stage.start();
  chat.send(`/login ${await invite(stage, "/invite owner 2")}`);
  await reads("You are in, as an owner.");
  chat.send("/repo demo");
  await reads("demo");
  const database = new Database(join(stage.home, "sallyport.db"));
  database.prepare("INSERT INTO host_rules VALUES ('demo', 'evil.example', 443, 'never', ?, 1)").run(USER);
  database
    .prepare("INSERT INTO exposed_files (root, path, exposed_by, exposed_at) VALUES (?, '.env', ?, 1)")
    .run(stage.project, USER);
  database.close();
  chat.send("/hosts");
  const hosts = await reads("evil.example");
  chat.send("/expose");
  const exposed = await reads(".env");
  stage.chat.send(`/revoke ${NEWCOMER}`);
  await until(() => auditIn(stage.home, "auth.revoke").length > 0, "the revocation");
  chat.send(`/login ${tokenIn((await sallyport(stage, "token", "create")).output)}`);
  await until(() => auditIn(stage.home, "auth.login").length === 2, "the login as a member");
  chat.press(hosts.messageId, "Remove evil.example");
  await reads("Only owners may take back what was said of a host.");
  const hide = exposed.keyboard?.inline_keyboard.flat()[0]?.text ?? "no key";
  chat.press(exposed.messageId, hide);
  await reads("Only owners may show a file that may hold secrets.");
  expect(queryDaemon(stage.home, "SELECT host FROM host_rules")).toEqual([{ host: "evil.example" }]);
  expect(queryDaemon(stage.home, "SELECT path FROM exposed_files")).toEqual([{ path: ".env" }]);
  const refused = auditIn(stage.home, "request.refused").filter(({ reason }) => reason === "owners_only");
  expect(refused).toMatchObject([{ userId: NEWCOMER }, { userId: NEWCOMER }]);
});

test("a forged token, one of another secret and one of another shape admit nobody; after five the door is shut, and nothing is said", async () => {
  const { stage, chat, texts } = await createDoor(createQueueScript([]));
  await stage.start();
  const good = await invite(stage);
  for (const text of ["/login", "/login spt_short", good, `login ${good}`]) chat.send(text);
  await settled(stage);
  expect(texts()).toEqual([]); // not well-formed: no answer at all
  for (let guess = 1; guess <= 5; guess += 1) chat.send(`/login ${makeToken()}`);
  await until(() => texts().length === 5, "five answers");
  chat.send(`/login ${good}`);
  await settled(stage);
  expect(new Set(texts())).toEqual(new Set(["That did not work."]));
  expect(texts()).toHaveLength(5);
  expect(auditIn(stage.home, "auth.lockout")).toMatchObject([{ scope: "person", userId: NEWCOMER }]);
  expect(queryDaemon(stage.home, "SELECT 1 FROM invites WHERE used_by IS NOT NULL")).toEqual([]);
});
