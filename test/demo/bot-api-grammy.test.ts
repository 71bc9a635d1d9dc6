import { Bot, GrammyError, InlineKeyboard, InputFile } from "grammy";
import { expect, onTestFinished, test } from "vitest";
import { type Served, serve, TOKEN } from "./bot-api.fixture.ts";

/** A bot of the real library that polls the server until the test ends. */
async function startBot({ api, root }: Served, prepare: (bot: Bot) => void): Promise<Bot> {
  const bot = new Bot(TOKEN, { client: { apiRoot: root } });
  bot.catch(() => undefined);
  prepare(bot);
  const running = bot.start();
  onTestFinished(async () => {
    await bot.stop();
    await running;
  });
  await api.waitFor(() => api.isPolled(), { what: "the bot to poll" });
  return bot;
}

test("a bot written with grammY echoes, edits, reacts, answers a button and uploads", async () => {
  const served = await serve();
  const { api, alice } = served;
  await startBot(served, (bot) => {
    bot.command("file", (ctx) =>
      ctx.replyWithDocument(new InputFile(Buffer.from("inside"), "notes; v1.txt"), { caption: "yours" }),
    );
    bot.on("message:text", async (ctx) => {
      await ctx.react("👀");
      const sent = await ctx.reply(`echo ${ctx.msg.text}`, {
        reply_markup: new InlineKeyboard().text("More", "more:1"),
        reply_parameters: { message_id: ctx.msg.message_id },
      });
      await ctx.api.editMessageText(ctx.chat.id, sent.message_id, `edited ${ctx.msg.text}`, {
        entities: [{ type: "bold", offset: 0, length: 6 }],
        reply_markup: new InlineKeyboard().text("More", "more:1"),
      });
    });
    bot.on("callback_query:data", (ctx) =>
      ctx.answerCallbackQuery({ text: `got ${ctx.callbackQuery.data}` }),
    );
  });

  const { messageId } = alice.send("hello");
  const shown = await api.waitForMessage(7, ({ text }) => text === "edited hello");
  expect(shown).toMatchObject({ replyTo: messageId, entities: [{ type: "bold", offset: 0, length: 6 }] });
  expect(api.messages(7)[0]?.reactions).toEqual(["👀"]);
  expect(await alice.press(shown.messageId, "More").answered()).toMatchObject({ text: "got more:1" });

  alice.send("/file");
  const { document, text } = await api.waitForMessage(7, (message) => message.document !== null);
  expect([document?.fileName, document?.content.toString(), text]).toEqual(["notes", "inside", "yours"]);
});

test("grammY understands the server's refusals", async () => {
  const served = await serve();
  const bot = new Bot(TOKEN, { client: { apiRoot: served.root } });
  const failure = await bot.api.sendMessage(404, "x").catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(GrammyError);
  expect(failure).toMatchObject({ error_code: 400, description: "Bad Request: chat not found" });
  served.api.setIntercept(() => ({
    kind: "error",
    code: 429,
    description: "Too Many Requests: retry after 3",
    retryAfterSeconds: 3,
  }));
  await expect(bot.api.sendMessage(7, "x")).rejects.toMatchObject({
    error_code: 429,
    parameters: { retry_after: 3 },
  });
});

test("a thousand updates come through a polling bot once each and in order", async () => {
  const served = await serve({ maxLog: 50 });
  const seen: number[] = [];
  await startBot(served, (bot) => {
    bot.on("message", async (ctx) => {
      seen.push(ctx.update.update_id);
      await ctx.reply("ok");
    });
  });
  const sent = Array.from({ length: 1000 }, (_, index) => served.alice.send(`${index}`).updateId);
  await served.api.waitFor(() => served.api.pendingUpdates().length === 0, {
    what: "all to be confirmed",
    timeoutMs: 20_000,
  });
  expect(seen).toEqual(sent);
});
