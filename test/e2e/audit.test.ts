import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { reply } from "../../src/demo/messages-api/scripts.ts";
import { RISK_OF_TYPE } from "../../src/security/risk.ts";
import { prepareHome } from "../../src/store/home.ts";
import { openStore } from "../../src/store/store.ts";
import { createScene } from "../durability/scene.ts";
import { answerTo } from "../durability/talk.ts";
import { createStage, launch, USER } from "../support/daemon.ts";
import { auditIn, queryDaemon } from "../support/daemon-database.ts";
import { createDoorBench } from "../support/door.ts";
import { until } from "../support/until.ts";

const TEST = join(import.meta.dirname, "..");
/** What later issues will put on record. */
const UNBUILT = /^(?:webhook\.|job\.|file\.sent$)/;

/** The types that the tests of this file found in a database that the program itself has written. */
const seen = new Set<string>();

function note(home: string): void {
  const types = queryDaemon(home, "SELECT DISTINCT type FROM audit") as readonly { readonly type: string }[];
  for (const { type } of types) seen.add(type);
}

test("a day with the daemon is on record, is one chain over restarts and commands at the machine, and its head goes silently to the owner", async () => {
  const scene = await createScene({
    env: { TEST_HOUSEKEEPING_MS: "200", MAX_PROMPT_CHARS: "200" },
    wants: ({ text }) => [
      "For this project",
      "Allow once",
      text.includes("m4") ? "Leave it out" : "Accept",
      "Hide .env",
    ],
  });
  const { stage, say } = scene;
  const { home, chat, project, approved } = stage;
  writeFileSync(join(project, ".env"), "A=1");
  symlinkSync("/etc", join(approved, "link"));
  const long = Date.now() - 400 * 86_400_000;
  const old = openStore(prepareHome(home).database, () => long);
  const event = { type: "command.run", name: "help" } as const;
  old.audit.append({ at: long, risk: "low", userId: USER, conversation: null, event });
  old[Symbol.dispose]();

  const life = await scene.live();
  const answered = async (kind: Parameters<typeof say>[0]): Promise<void> => {
    const { tag } = say(kind);
    await stage.waitFor(({ text }) => text.includes(answerTo(tag)), `the answer to ${kind}`);
  };
  for (const kind of ["write", "reach", "nest", "nest"] as const) await answered(kind);
  for (const text of ["/repo ..", "/repo link", "/repo $(id)", "/expose .env", "/expose"]) chat.send(text);
  chat.send("x".repeat(300));
  stage.api.user({ id: 666, firstName: "Eve" }).chat().send("let me in");
  const has = (type: string) => (): boolean => {
    note(home);
    return seen.has(type);
  };
  await until(has("secret.hidden"), "the file is hidden again", 40_000);
  await until(has("project.left_out"), "a repository was left out", 40_000);
  await until(has("audit.trimmed"), "what is too old is gone", 40_000);

  const begun = async (): Promise<void> => {
    const { tag } = say("hang");
    await until(() => scene.talk.runs.some((run) => run.tag === tag), "the turn runs", 40_000);
  };
  await begun();
  mkdirSync(join(project, "d/".repeat(120)), { recursive: true }); // too deep to be looked through
  chat.send("/stop");
  await until(has("violation.project_unseen"), "the project was not looked through", 40_000);
  rmSync(join(project, "d"), { recursive: true });
  await begun();
  const head = await stage.waitFor(({ text }) => text.includes("sallyport audit verify --head"), "the head");
  expect((await life.kill("SIGTERM")).code).toBe(0);

  const next = await stage.start({ env: { MAX_PROMPT_CHARS: "300" } });
  chat.send("/lock");
  await stage.waitFor(({ text }) => text.startsWith("🔒 Locked."));
  expect((await next.kill("SIGTERM")).code).toBe(0);
  const atMachine = async (...args: readonly string[]): Promise<string> => {
    const run = launch(args, { PATH: process.env.PATH ?? "", HOME: home, SALLYPORT_HOME: home });
    expect((await run.exited).code, run.output()).toBe(0);
    return run.output();
  };
  await atMachine("unlock");
  const copy = join(home, "copy.db");
  await atMachine("backup", copy);
  note(home);
  await atMachine("restore", copy);
  note(home);

  const sent = stage.api.log.filter(({ payload }) => String(payload.text).includes("audit verify --head"));
  expect(sent).toMatchObject([
    { method: "sendMessage", payload: { chat_id: USER, disable_notification: true } },
  ]);
  const line = life.log.find(({ event }) => event === "violation.path_traversal");
  expect(line).toMatchObject({
    level: "warn",
    security: true,
    userId: USER,
    risk: "high",
    violationType: "path_traversal",
    facts: { path: ".." },
  });
  const [, ...command] = /sallyport (audit) (verify) (--head) (\S+)$/.exec(head.text) ?? [];
  expect(await atMachine(...command)).toMatch(/^audit ok: \d+ rows after row 1, where retention cut, head /);
  const expected = [
    "auth.failure",
    "command.run",
    "config.changed",
    "cost.settled",
    "daemon.locked",
    "daemon.started",
    "daemon.stopped",
    "daemon.unlocked",
    "database.copied",
    "database.restored",
    "net.allowed",
    "net.ruled",
    "project.accepted",
    "project.left_out",
    "project.quarantined",
    "request.admitted",
    "request.refused",
    "secret.exposed",
    "secret.hidden",
    "tool.answered",
    "tool.asked",
    "turn.finished",
    "turn.interrupted",
    "turn.started",
    "turn.stopped",
    "violation.injection",
    "violation.path_traversal",
    "violation.project_unseen",
    "violation.symlink_escape",
  ];
  expect(expected.filter((type) => !seen.has(type))).toEqual([]);
}, 300_000);

test("what happens in a turn without anybody's doing is on record: a fallback, a model that nobody chose, one without a price, a lost jail", async () => {
  const { store, owner, live } = await createDoorBench();
  const life = live();
  owner.send("work");
  const turn = await life.asked();
  turn.onEvent({ kind: "fell_back", model: "m-small" });
  turn.onEvent({ kind: "model_refused", model: "m-other" });
  turn.onEvent({ kind: "jail_lost", cause: "secret", path: ".env" });
  const usage = {
    inputTokens: 1,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    cacheReadTokens: 0,
    outputTokens: 1,
  };
  turn.payer.onUsage({
    ...usage,
    requestId: "r",
    model: "m-new",
    costMicroUsd: 10_000_000,
    isUnpriced: true,
    isFinal: true,
    isCut: false,
  });
  const request = {
    model: "m",
    hasTools: true,
    maxOutputTokens: 1,
    textBytes: 1,
    isStreamed: true,
  };
  expect(turn.payer.mayStart(request, 0).kind).toBe("refuse");
  turn.end();
  await owner.reads("done");
  const rows = [...store.audit.rows()].map(({ type, userId, data }) => ({
    type,
    userId,
    ...JSON.parse(data),
  }));
  for (const { type } of rows) seen.add(type);
  const of = (type: string) => rows.filter((row) => row.type === type);
  expect(of("turn.fell_back")).toMatchObject([{ userId: 7, model: "m-small" }]);
  expect(of("violation.unchosen_model")).toMatchObject([{ userId: 7, model: "m-other" }]);
  expect(of("violation.secret_access")).toMatchObject([{ userId: 7, path: ".env" }]);
  expect(of("cost.unknown_model")).toMatchObject([{ userId: 7, model: "m-new" }]);
  expect(of("cost.refused")).toMatchObject([{ userId: 7, stage: "request" }]);
});

test("who comes in by an invite, goes, and guesses is on record", async () => {
  const secret = "5f0c2b9d8e7a41630f9ce2ab4d718c365f1c2b9d8e7a41630f9ce2ab4d718c36";
  const env = { ENABLE_TOKEN_AUTH: "true", AUTH_TOKEN_SECRET: secret };
  const stage = await createStage({ script: () => reply("nothing"), env });
  const guest = stage.api.user({ id: 2002, firstName: "Grace" }).chat();
  guest.open();
  await stage.start();
  const { text } = await stage.ask("/invite", "good for one login");
  guest.send(`/login ${/spt_[\w-]{43}/.exec(text)?.[0]}`);
  const types = () => auditIn(stage.home, "auth.").map(({ type }) => type);
  await until(() => types().includes("auth.login"), "he is in");
  guest.send("/logout");
  await until(() => types().includes("auth.logout"), "he is out");
  for (let guess = 0; guess < 5; guess += 1) guest.send(`/login spt_${String(guess).repeat(43)}`);
  await until(() => types().includes("auth.lockout"), "he is locked out");
  note(stage.home);
  expect(types().slice(0, 4)).toEqual(["auth.invite", "auth.attempt", "auth.login", "auth.logout"]);
  expect(types().filter((type) => type === "auth.failure")).toHaveLength(5);
  expect(JSON.stringify(queryDaemon(stage.home, "SELECT data FROM audit"))).not.toContain("spt_");
});

/** Tests that read the program's own rows, and put none there themselves. */
const readers = ["e2e", "telegram", "ops"]
  .flatMap((room) =>
    readdirSync(join(TEST, room)).map((file) => readFileSync(join(TEST, room, file), "utf8")),
  )
  .filter((text) => !text.includes("audit.append(") && /auditIn\(|audit\.rows\(\)|FROM audit/.test(text));

test("every type of event is put on record by a real path, but for those of what is not built yet", () => {
  expect(readers.length).toBeGreaterThan(10);
  const types = Object.keys(RISK_OF_TYPE);
  const isRead = (type: string): boolean =>
    readers.some((text) => new RegExp(`["'\`]${type.replace(".", "\\.")}["'\` ]`).test(text));
  const unseen = types.filter((type) => !seen.has(type) && !isRead(type));
  expect(unseen.filter((type) => !UNBUILT.test(type))).toEqual([]);
  expect(types.filter((type) => UNBUILT.test(type) && seen.has(type))).toEqual([]);
});
