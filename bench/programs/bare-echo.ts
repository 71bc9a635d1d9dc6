/**
 * The bare baseline: grammY and its runner, nothing else. Every text comes back as it is. Reads the same settings as the
 * daemon, as far as it needs them.
 */
import { run } from "@grammyjs/runner";
import { Bot } from "grammy";

const bot = new Bot(process.env.TELEGRAM_BOT_TOKEN ?? "", {
  client: { apiRoot: process.env.TELEGRAM_API_ROOT ?? "" },
});
bot.on("message:text", (ctx) => ctx.reply(ctx.message.text));
run(bot);
process.on("SIGTERM", () => process.exit(0)); // a normal exit, which writes the compile cache when there is one
