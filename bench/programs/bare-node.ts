/** The barest baseline: Node, one request to the Bot API to show that it runs, and then nothing. */
import { get } from "node:http";

get(`${process.env.TELEGRAM_API_ROOT}/bot${process.env.TELEGRAM_BOT_TOKEN}/getUpdates`, (answer) =>
  answer.resume(),
);
setInterval(() => undefined, 60_000);
process.on("SIGTERM", () => process.exit(0));
