import { expect, test } from "vitest";
import { createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelScript } from "../../src/demo/messages-api/types.ts";
import { createStage, type Stage, says, USER } from "../support/daemon.ts";
import { auditIn, queryDaemon } from "../support/daemon-database.ts";
import { until } from "../support/until.ts";
import { WAIT_MS } from "../support/wait-ms.ts";

const [TEAM, SUPERTEAM, ELSEWHERE, STRANGER] = [-501, -1000501, -502, 3003];

/** A stage with a group in which the owner and a stranger are. */
async function createTeam(script: ModelScript, type: "group" | "supergroup" = "group") {
  const stage = await createStage({ script, env: { ALLOWED_CHATS: String(TEAM) } });
  stage.api.addChat({ id: TEAM, type, title: "Team", isForum: type === "supergroup" });
  const owner = stage.person.chat(TEAM);
  const stranger = stage.api.user({ id: STRANGER, firstName: "Mallory" }).chat(TEAM);
  owner.open();
  stranger.open();
  return { stage, owner, stranger };
}

const said = ({ api }: Stage, chatId: number): readonly string[] =>
  api
    .messages(chatId)
    .filter(({ isFromBot }) => isFromBot)
    .map(({ text }) => text);

const reads = ({ api }: Stage, chatId: number, text: string) =>
  api.waitForMessage(chatId, says(text), {
    what: `${text} in ${chatId}`,
    timeoutMs: WAIT_MS,
  });

async function settled(stage: Stage): Promise<void> {
  await until(() => stage.api.pendingUpdates().length === 0, "no update is left");
  await until(
    () => queryDaemon(stage.home, "SELECT 1 FROM inbox WHERE state = 'new'").length === 0,
    "all updates are handled",
  );
}

test("in an open group the bot hears an admitted person who names it, replies to it or sends it a command, and nobody and nothing else", async () => {
  const { stage, owner, stranger } = await createTeam(
    createQueueScript([
      ({ messages }) =>
        reply(JSON.stringify(messages).includes("sallyport_bot") ? "With my name." : "First answer."),
      reply("Second answer."),
    ]),
  );
  await stage.start();
  for (const text of [
    "just chatting",
    "@another_bot do it",
    "/status@another_bot",
    "/unknown",
    "mail me@sallyport_bot.example",
  ])
    owner.send(text);
  for (const text of ["@sallyport_bot let me in", "/status", `/login spt_${"A".repeat(43)}`])
    stranger.send(text);
  owner.sendRaw({
    sender_chat: { id: TEAM, type: "group", title: "Team" },
    text: "@sallyport_bot as an anonymous admin",
    entities: [{ type: "mention", offset: 0, length: 14 }],
  });
  await settled(stage);
  expect(said(stage, TEAM)).toEqual([]);
  expect(stage.model.requests.filter(({ method }) => method === "POST")).toEqual([]);

  owner.send("@Sallyport_Bot, look at this");
  const first = await reads(stage, TEAM, "First answer.");
  owner.send("and now that", { replyTo: first.messageId });
  await reads(stage, TEAM, "Second answer.");
  owner.send("/status@sallyport_bot");
  await reads(stage, TEAM, "Project: demo");
  owner.send("/invite");
  await reads(stage, TEAM, "No tokens are taken here");
  expect(auditIn(stage.home, "auth.failure").map(({ userId }) => userId)).toEqual([STRANGER, null]);
});

test("a group that is not open is left, whoever spoke there, and that is on record", async () => {
  const { stage } = await createTeam(createQueueScript([]));
  stage.api.addChat({ id: ELSEWHERE, type: "group", title: "Elsewhere" });
  const chat = stage.person.chat(ELSEWHERE);
  chat.open();
  await stage.start();
  chat.send("@sallyport_bot hello");
  chat.send("/status");
  await stage.api.waitFor(() => stage.api.log.some(({ method }) => method === "leaveChat"), {
    what: "the bot leaves",
  });
  await settled(stage);
  const left = stage.api.log.filter(({ method }) => method === "leaveChat");
  expect(left.map(({ payload }) => payload.chat_id)).toEqual([ELSEWHERE]);
  expect(said(stage, ELSEWHERE)).toEqual([]);
  expect(auditIn(stage.home, "chat.left")).toMatchObject([{ chatId: ELSEWHERE }]);
});

test("H26: a group that becomes a supergroup goes on with its project and session, and lets nobody in whom his own id does not", async () => {
  const { stage, owner } = await createTeam(
    createQueueScript([
      reply("Before."),
      ({ messages }) =>
        reply(JSON.stringify(messages).includes("remember the heron") ? "I remember." : "Who are you?"),
    ]),
  );
  await stage.start();
  owner.send("@sallyport_bot remember the heron");
  await reads(stage, TEAM, "Before.");
  stage.api.addChat({ id: SUPERTEAM, type: "supergroup", title: "Team" });
  const [mine, his] = [stage.person, stage.api.user({ id: STRANGER, firstName: "Ada" })].map((person) =>
    person.chat(SUPERTEAM),
  );
  mine?.open();
  his?.open();
  owner.sendRaw({ migrate_to_chat_id: SUPERTEAM });
  his?.send("@sallyport_bot I was in that group too");
  mine?.send("@sallyport_bot do you?");
  await reads(stage, SUPERTEAM, "I remember.");
  await settled(stage);
  expect(said(stage, SUPERTEAM).filter((text) => text.includes("Who are you"))).toEqual([]);
  expect(auditIn(stage.home, "chat.moved")).toMatchObject([{ from: TEAM, to: SUPERTEAM }]);
  expect(auditIn(stage.home, "auth.failure").map(({ userId }) => userId)).toEqual([STRANGER]);
  expect(queryDaemon(stage.home, "SELECT DISTINCT user_id FROM work")).toEqual([{ user_id: USER }]);
  expect(stage.api.log.filter(({ method }) => method === "leaveChat")).toEqual([]);
});

test("each topic of a forum group is a conversation of its own", async () => {
  const { stage, owner } = await createTeam(
    createQueueScript([
      reply("In the first."),
      ({ messages }) =>
        reply(JSON.stringify(messages).includes("kingfisher") ? "I know it." : "I know nothing."),
    ]),
    "supergroup",
  );
  await stage.start();
  const [one, two] = [owner.createTopic("one"), owner.createTopic("two")];
  owner.send("@sallyport_bot kingfisher", { threadId: one });
  await reads(stage, TEAM, "In the first.");
  owner.send("@sallyport_bot what bird?", { threadId: two });
  const answer = await reads(stage, TEAM, "I know nothing.");
  expect(answer.threadId).toBe(two);
});
