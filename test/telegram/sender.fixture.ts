import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { Api } from "grammy";
import { createBotApi } from "../../src/demo/bot-api/bot-api.ts";
import type { Fault } from "../../src/demo/bot-api/types.ts";
import { type MessageBody, type OutboxAct, PRIORITY, type Priority } from "../../src/domain/outbox.ts";
import { createLogger } from "../../src/log/logger.ts";
import { openStore } from "../../src/store/store.ts";
import { createScreenCalls } from "../../src/telegram/screen-call.ts";
import { createSender } from "../../src/telegram/sender.ts";
import { listenForGood } from "../support/own-port.ts";

export const TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
export const ADA = 7;
export const BOB = 8;
const SENDS = ["sendMessage", "sendDocument", "editMessageText", "editMessageCaption"];

export const ignore = () => undefined;
export const bodyOf = (text: string): MessageBody => ({ text, entities: [], buttons: [] });
export const sendOf = (text: string): Extract<OutboxAct, { kind: "send" }> => ({
  kind: "send",
  body: bodyOf(text),
  replyTo: null,
  isSilent: false,
});
export const editOf = (target: number, text: string, orSend = false): OutboxAct => ({
  kind: "edit",
  target,
  body: bodyOf(text),
  orSend,
});

/** A Bot API over real HTTP with two people, an outbox on disk and, in any number of lives, the sender between them. */
export async function createBench() {
  const api = createBotApi({ token: TOKEN, now: Date.now });
  const root = await listenForGood(api.listen);
  const [ada, bob] = [ADA, BOB].map((id) => api.user({ id, firstName: `P${id}` }).chat());
  if (!ada || !bob) throw new Error("there are two");
  ada.open();
  bob.open();
  const folder = mkdtempSync(join(tmpdir(), "sallyport-sender-"));
  const file = join(folder, "test.db");
  let clockMs = 0;
  const now = () => Date.now() + clockMs;
  const store = openStore(file, now);
  const lives: { close: (graceMs: number) => Promise<void> }[] = [];
  const rejected: string[] = [];
  const failed: number[] = [];
  let output = "";
  const log = createLogger({
    level: "trace",
    format: "json",
    secretValues: [], // what reaches the log is looked at before the redactor that knows the token
    destination: { write: (text) => (output += text) },
  });

  /** A life of the sender. */
  function live() {
    const connect = (timeoutSeconds: number) =>
      new Api(TOKEN, { apiRoot: root, timeoutSeconds, sensitiveLogs: false });
    const sender = createSender({
      store,
      calls: createScreenCalls(connect),
      now,
      log,
      onRejected: (description) => rejected.push(description),
    });
    lives.push(sender);
    return { ...sender, start: () => sender.start((id) => failed.push(id)) };
  }

  interface Put {
    readonly chatId?: number;
    readonly threadId?: number | null;
    readonly priority?: Priority;
    readonly finalOf?: number | null;
  }
  const put = (
    act: OutboxAct,
    { chatId = ADA, threadId = null, priority = PRIORITY.notice, finalOf = null }: Put = {},
  ) => store.outbox.put({ conversation: { chatId, threadId }, act, priority, finalOf });
  /** A turn that is over, and an answer that is left to be delivered. */
  const ended = (chatId = ADA): number => {
    const { id: conversationId } = store.conversations.at({ chatId, threadId: null });
    const key = { uuid: randomUUID(), dedupeKey: randomUUID(), conversationId, userId: 1 };
    const work = store.work.submit({ ...key, project: "demo", text: "a prompt", messageId: null });
    if (!work) throw new Error("The work was not taken");
    store.work.end(work.id, "delivering");
    return work.id;
  };
  const calls = () => api.log.filter(({ method }) => SENDS.includes(method));
  const stateOf = (id: number) => store.outbox.get(id)?.state;

  return {
    api,
    root,
    ada,
    bob,
    store,
    rejected,
    /** The rows of which the listener was told that they failed. */
    failed,
    now,
    /** Sets the machine's clock forward, or back. */
    setClock: (ms: number) => {
      clockMs += ms;
    },
    /** Until it is disposed, the disk takes no row of that state. */
    refuse: (state: string) => {
      using db = sqlite(file);
      db.exec(
        `CREATE TRIGGER full BEFORE UPDATE ON outbox WHEN NEW.state = '${state}' AND OLD.state <> 'queued'
         BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`,
      );
      return {
        [Symbol.dispose]: () => {
          using again = sqlite(file);
          again.exec("DROP TRIGGER full");
        },
      };
    },
    live,
    put,
    ended,
    /** How often the log tells of it. */
    times: (event: string) => output.split(`"event":"${event}"`).length - 1,
    calls,
    stateOf,
    client: new Api(TOKEN, { apiRoot: root }),
    log: () => output,
    /** What stands on the screen of a chat, oldest first, deleted messages left out. */
    screen: (chatId = ADA) =>
      api
        .messages(chatId)
        .filter(({ isDeleted, isFromBot }) => isFromBot && !isDeleted)
        .map(({ text }) => text),
    /** Texts of the calls that were made, in their order, answered well or not. */
    tried: () => calls().map(({ payload }) => String(payload.text)),
    /** Lets `fault` happen to the next calls that show something, one each, then none. */
    failNext: (...faults: readonly Fault[]) => {
      const left = [...faults];
      api.setIntercept(({ method }) => (SENDS.includes(method) ? left.shift() : undefined));
    },
    /** Waits until every one of the rows has that state. */
    settled: (ids: readonly number[], state = "sent") =>
      until(
        () => ids.every((id) => stateOf(id) === state),
        `rows ${ids.join()} ${state}`,
        () => output,
      ),
    [Symbol.asyncDispose]: async () => {
      for (const sender of lives) await sender.close(0);
      await api.close();
      store[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A connection of another's. */
function sqlite(file: string) {
  const db = new Database(file);
  return Object.assign(db, { [Symbol.dispose]: () => db.close() });
}

/** Waits until it holds, at most 10 s. */
export async function until(isTrue: () => boolean, what: string, describe: () => string): Promise<void> {
  for (const deadline = performance.now() + 10_000; !isTrue(); ) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}:\n${describe()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** By the order of timers, which a stall of the machine does not change; `what` must take its time in timers alone. */
export function endsWithin(ms: number, what: Promise<unknown>): Promise<boolean> {
  return Promise.race([what.then(() => true), sleep(ms, false)]);
}

export const tooMany = (seconds: number): Fault => ({
  kind: "error",
  code: 429,
  description: `Too Many Requests: retry after ${seconds}`,
  retryAfterSeconds: seconds,
});
