import Database from "better-sqlite3";
import { Api } from "grammy";
import { expect, onTestFinished, test } from "vitest";
import { createBotApi } from "../../src/demo/bot-api/bot-api.ts";
import { PRIORITY } from "../../src/domain/outbox.ts";
import { createLogger } from "../../src/log/logger.ts";
import { createScreenCalls } from "../../src/telegram/screen-call.ts";
import { createSender } from "../../src/telegram/sender.ts";
import { testStore } from "../support/store.ts";

const TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
const ADA = 7;

test.each([1, 2, 3, 4])(
  "H52: a lane whose look into the outbox fails (look %i) still sends what waits, without being woken again",
  async (failing) => {
    const api = createBotApi({ token: TOKEN, now: Date.now });
    const apiRoot = await api.listen();
    onTestFinished(() => api.close());
    api.user({ id: ADA, firstName: "Ada" }).chat().open();
    const store = testStore(Date.now);
    const { next } = store.outbox;
    let looks = 0;
    Object.assign(store.outbox, {
      next: (chatId: number) => {
        looks += 1;
        if (looks === failing) throw new Database.SqliteError("disk I/O error", "SQLITE_IOERR");
        return next(chatId);
      },
    });
    const sender = createSender({
      store,
      calls: createScreenCalls(() => new Api(TOKEN, { apiRoot })),
      now: Date.now,
      log: createLogger({ level: "silent", format: "json", secretValues: [] }),
      onRejected: () => undefined,
    });
    onTestFinished(() => sender.close(0));
    sender.start();
    const texts = ["one", "two"];
    for (const text of texts) {
      const body = { text, entities: [], buttons: [] };
      const act = { kind: "send", body, replyTo: null, isSilent: false } as const;
      store.outbox.put({
        conversation: { chatId: ADA, threadId: null },
        act,
        priority: PRIORITY.notice,
        finalOf: null,
      });
      sender.kick(ADA);
      await api.waitForMessage(ADA, (message) => message.text === text, { what: text, timeoutMs: 10_000 });
      await new Promise((resolve) => setTimeout(resolve, 50)); // the lane goes to sleep
    }
    expect(looks).toBeGreaterThanOrEqual(failing);
  },
);
