import { Api } from "grammy";
import type { Update } from "grammy/types";
import type { Config } from "../config/config.ts";
import type { Now } from "../domain/clock.ts";
import { AppError } from "../domain/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { FindFile } from "../security/named-file.ts";
import type { Security } from "../security/security.ts";
import type { Store } from "../store/store.ts";
import type { Presenter } from "../turns/presenter.ts";
import type { Turns } from "../turns/turns.ts";
import type { Projects } from "../workspace/projects.ts";
import { createBot } from "./bot.ts";
import { registerMenu } from "./command-menu.ts";
import { createPresenter } from "./presenter.ts";
import { receiveUpdates } from "./reception.ts";
import { createReplies } from "./replies.ts";
import { requestOf } from "./request.ts";
import { createScreenCalls } from "./screen-call.ts";
import { createSender } from "./sender.ts";
import { createServerClock } from "./server-clock.ts";
import { createSockets } from "./sockets.ts";
import { WORDS } from "./wording.ts";

const DAY_MS = 86_400_000;
const CALL_SECONDS = 30;
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
  readonly mode: "jail" | "ask" | "plan";
  readonly isSuspicious: (name: string) => boolean;
  readonly findFile: FindFile;
  /** Called when the first poll is on its way. */
  readonly onPoll: () => void;
}

/** Opens the door: screen, outbox and chain. */
export function openTelegram({ token, config, store, security, log, now }: DoorDeps): TelegramDoor {
  const { apiRoot } = config.telegram;
  const sockets = createSockets(apiRoot);
  const connect = (timeoutSeconds: number): Api =>
    new Api(token, {
      apiRoot,
      timeoutSeconds,
      sensitiveLogs: false,
      baseFetchConfig: { agent: sockets.agent },
    });
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
      for (const owner of owners.filter((id) => id !== request.conversation.chatId))
        replies.notify(owner, WORDS.ownerFault);
    });
    log.error({ event: "inbox.buried", updateId: update.update_id }, "an update was set aside");
  }

  async function receive({
    turns,
    projects,
    mode,
    isSuspicious,
    findFile,
    onPoll,
  }: ReceiveDeps): Promise<unknown> {
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
      findFile,
      bury,
      signal: stopping.signal,
      ageOf: clock.ageOf,
      staleAfterMs: config.staleAfterMs,
      ownerUsers: new Set(owners),
      allowedHosts: config.allowedHosts,
      guard: security.guard,
      lock: security.lock,
      record: security.audit.record,
      admitted: security.audit.admitted,
      saveLimits: security.saveLimits,
      refund: security.refund,
      spending: security.spending,
    });
    const reception = receiveUpdates({
      api,
      apiRoot,
      token,
      sockets,
      store,
      owners,
      notify: replies.notify,
      onPoll,
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
      handle: (update) => bot.handleUpdate(update).catch(bot.errorHandler),
      log,
      now,
    });
    sender.start(turns.undelivered);
    stop = async () => {
      stopping.abort();
      await reception.stop();
    };
    return Promise.race([reception.over, rejected.promise]);
  }

  return {
    presenter: createPresenter({
      store,
      sender,
      ownerUsers: owners,
      keepDays: Math.ceil(config.retention.contentMs / DAY_MS),
    }),
    tellOwners: (text) => {
      for (const owner of owners) replies.notify(owner, text);
    },
    receive,
    stop: () => stop(),
    close: () => sender.close(FLUSH_MS),
  };
}
