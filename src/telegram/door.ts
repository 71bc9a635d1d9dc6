import { createConcurrentSink, createRunner, createSource } from "@grammyjs/runner";
import { Api } from "grammy";
import type { Update } from "grammy/types";
import type { Config } from "../config/config.ts";
import type { Now } from "../domain/clock.ts";
import { AppError } from "../domain/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Security } from "../security/security.ts";
import type { Store } from "../store/store.ts";
import type { Presenter } from "../turns/presenter.ts";
import type { Turns } from "../turns/turns.ts";
import type { Projects } from "../workspace/projects.ts";
import { createBot } from "./bot.ts";
import { endOf } from "./call.ts";
import { registerMenu } from "./command-menu.ts";
import { createGetUpdates } from "./get-updates.ts";
import { createPoller } from "./poller.ts";
import { createPresenter } from "./presenter.ts";
import { createReplies } from "./replies.ts";
import { requestOf } from "./request.ts";
import { createScreenCalls } from "./screen-call.ts";
import { createSender } from "./sender.ts";
import { createServerClock } from "./server-clock.ts";
import { WORDS } from "./wording.ts";

const CALL_SECONDS = 30;
const POLL_SECONDS = 25;
/** How many updates are handled at a time; each takes milliseconds. */
const CONCURRENCY = 64;
/** By when a poll that was begun has left. */
const SENT_MS = 20;
/** What the outbox may still take when the daemon ends. */
const FLUSH_MS = 2_000;

interface DoorDeps {
  readonly token: string;
  readonly config: Config;
  readonly store: Store;
  readonly security: Security;
  readonly log: Logger;
  readonly now: Now;
}

/** Telegram's side of the program. */
export interface TelegramDoor {
  readonly presenter: Presenter;
  /** Writes a message to each owner's private chat, inside a transaction that is under way. */
  readonly tellOwners: (text: string) => void;
  /** Sends what waits, then receives. Rejects when Telegram does not know the token; else it goes on until `close`. */
  readonly receive: (inner: ReceiveDeps) => Promise<unknown>;
  /** Stops receiving; what was handed out is handled to its end. */
  readonly stop: () => Promise<void>;
  /** Sends what is left, for at most two seconds. */
  readonly close: () => Promise<void>;
}

interface ReceiveDeps {
  readonly turns: Turns;
  readonly projects: Projects;
  readonly mode: "ask" | "plan";
  readonly isSuspicious: (name: string) => boolean;
  /** Called when the first poll is on its way. */
  readonly onPoll: () => void;
}

/** Opens the door: screen, outbox and chain. */
export function openTelegram({ token, config, store, security, log, now }: DoorDeps): TelegramDoor {
  const { apiRoot } = config.telegram;
  const connect = (timeoutSeconds: number): Api =>
    new Api(token, { apiRoot, timeoutSeconds, sensitiveLogs: false });
  const api = connect(CALL_SECONDS);
  const rejected = Promise.withResolvers<never>();
  const onRejected = (description: string): void =>
    rejected.reject(
      new AppError("token_rejected", `Telegram does not know TELEGRAM_BOT_TOKEN any more: ${description}`),
    );
  const sender = createSender({ store, calls: createScreenCalls(connect), now, log, onRejected });
  const replies = createReplies({ store, kick: sender.kick, answerPress: sender.answerPress });
  const owners = config.access.ownerUsers;
  const clock = createServerClock(now);
  const stopping = new AbortController();
  let stop = async (): Promise<void> => undefined;

  function bury(update: Update): void {
    const request = requestOf(update);
    store.transaction(() => {
      store.inbox.bury(update.update_id);
      // In a group the bot says nothing, whoever asks.
      if (request.principal && request.chatType === "private") replies.tell(request, WORDS.fault);
      for (const owner of owners.filter((id) => id !== request.conversation.chatId)) {
        replies.tell(
          { ...request, conversation: { chatId: owner, threadId: null }, messageId: null },
          WORDS.ownerFault,
        );
      }
    });
    log.error({ event: "inbox.buried", updateId: update.update_id }, "an update was set aside");
  }

  async function receive({ turns, projects, mode, isSuspicious, onPoll }: ReceiveDeps): Promise<unknown> {
    const bot = createBot({
      token,
      apiRoot,
      store,
      turns,
      projects,
      replies,
      sender,
      log,
      now,
      mode,
      isSuspicious,
      bury,
      signal: stopping.signal,
      ageOf: clock.ageOf,
      staleAfterMs: config.staleAfterMs,
      ownerUsers: new Set(owners),
      guard: security.guard,
      lock: security.lock,
      record: security.audit.record,
      admitted: security.audit.admitted,
      saveLimits: security.saveLimits,
      refund: security.refund,
      spending: security.spending,
    });
    const handle = async (update: Update): Promise<void> => {
      try {
        await bot.handleUpdate(update).catch(bot.errorHandler);
      } catch (err) {
        log.error({ event: "update.left", err }, "an update is left for the next start");
      }
    };
    const getUpdates = createGetUpdates(apiRoot, token);
    const poller = createPoller({
      api: {
        getUpdates: (...poll) => {
          setTimeout(onPoll, SENT_MS);
          return getUpdates(...poll);
        },
        getMe: () => endOf(api.getMe()),
        deleteWebhook: () => endOf(api.deleteWebhook({ drop_pending_updates: false })),
      },
      inbox: store.inbox,
      handle,
      onReady: (me) => {
        bot.botInfo = me;
        registerMenu(api, log);
      },
      isStrangers: (update) => {
        const { principal, conversation } = requestOf(update);
        const isStranger = security.isStranger(principal?.userId ?? null);
        if (isStranger)
          security.audit.contact({ userId: principal?.userId ?? null, conversation }, "not_whitelisted");
        return isStranger;
      },
      bury,
      onServerTime: clock.learn,
      log,
      pollSeconds: POLL_SECONDS,
    });
    const sink = createConcurrentSink<Update>({ consume: handle }, async () => undefined, {
      concurrency: CONCURRENCY,
    });
    const runner = createRunner(createSource(poller), sink);
    runner.start();
    sender.start(turns.undelivered);
    stop = async () => {
      stopping.abort();
      await runner.stop();
      while (runner.size() > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    return Promise.race([runner.task() ?? rejected.promise, rejected.promise]);
  }

  return {
    presenter: createPresenter({ store, sender, ownerUsers: owners }),
    tellOwners: (text) => {
      for (const owner of owners) replies.notify(owner, text);
    },
    receive,
    stop: () => stop(),
    close: () => sender.close(FLUSH_MS),
  };
}
