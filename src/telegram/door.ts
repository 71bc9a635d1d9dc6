import { Api } from "grammy";
import type { Update, UserFromGetMe } from "grammy/types";
import type { Config } from "../config/config.ts";
import type { FetchFile } from "../domain/attachment.ts";
import type { Now } from "../domain/clock.ts";
import { AppError } from "../domain/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { SecretFinder } from "../log/redact.ts";
import type { FindFile } from "../security/named-file.ts";
import type { FindViolation } from "../security/path-violation.ts";
import type { Security } from "../security/security.ts";
import type { Store } from "../store/store.ts";
import type { Presenter } from "../turns/presenter.ts";
import type { Turns } from "../turns/turns.ts";
import type { Projects } from "../workspace/projects.ts";
import { createBot } from "./bot.ts";
import { registerMenu } from "./command-menu.ts";
import { createFetchFile } from "./fetch-file.ts";
import { createGroupDoor } from "./group-door.ts";
import type { RepoDeps } from "./handle-repo.ts";
import { createOutgoing } from "./outgoing.ts";
import { createPresenter } from "./presenter.ts";
import { receiveUpdates } from "./reception.ts";
import type { RichText } from "./render/entity.ts";
import { createReplies } from "./replies.ts";
import { requestOf } from "./request.ts";
import { createRim } from "./rim.ts";
import { redactCalls, redactOutbox } from "./safe-calls.ts";
import { createScreenCalls } from "./screen-call.ts";
import { createSender } from "./sender.ts";
import { createServerClock } from "./server-clock.ts";
import { createSockets } from "./sockets.ts";
import { createStrangerNotice } from "./stranger-notice.ts";
import { WORDS } from "./wording.ts";
import { headText } from "./wording-audit.ts";
import { endedText } from "./wording-logins.ts";

const DAY_MS = 86_400_000;
const CALL_SECONDS = 30;
/** What the outbox may still take when the daemon ends. */
const FLUSH_MS = 2_000;

interface DoorDeps {
  readonly token: string;
  readonly config: Config;
  readonly store: Store;
  readonly security: Security;
  /** Knows the secrets that never go out. */
  readonly secrets: SecretFinder;
  readonly log: Logger;
  readonly now: Now;
}

/** Telegram's side of the program. */
export interface TelegramDoor {
  readonly presenter: Presenter;
  readonly fetchFile: FetchFile;
  /** Writes a message to each owner's private chat, inside a transaction that is under way, and gives how many owners there are. */
  readonly tellOwners: (text: string) => number;
  /** Writes the head of the audit (`<id>:<hash>`) to each owner's private chat, without a sound; inside a transaction as well. */
  readonly tellHead: (head: string) => number;
  /** Ends the logins that are past their time, and gives what tells their people. Both inside a transaction. */
  readonly sweepLogins: () => () => void;
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
  readonly findViolation: FindViolation;
  readonly accessOf: RepoDeps["accessOf"];
  readonly findFile: FindFile;
  /** Called when the first poll is on its way. */
  readonly onPoll: () => void;
}

/** Opens the door: screen, outbox and chain. */
export function openTelegram({ store: whole, ...deps }: DoorDeps): TelegramDoor {
  const { token, config, security, log, now } = deps;
  const outgoing = createOutgoing(deps.secrets);
  const store = redactOutbox(whole, outgoing);
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
  const calls = redactCalls(createScreenCalls(connect), outgoing);
  const sender = createSender({ store, calls, now, log, onRejected });
  const replies = createReplies({ store, outgoing, kick: sender.kick, answerPress: sender.answerPress });
  const { people, access, isStranger, isOpenChat } = security;
  const { owners } = people;
  const strangers = createStrangerNotice({ store, owners, notify: replies.notify, now, log });
  const groups = createGroupDoor({ api, store, record: security.audit.record, isOpenChat, now, log });
  const clock = createServerClock(now);
  const stopping = new AbortController();
  let me: UserFromGetMe | null = null;
  let stop = async (): Promise<void> => undefined;

  function bury(update: Update): void {
    const request = requestOf(update);
    store.transaction(() => {
      store.inbox.bury(update.update_id);
      security.audit.setAside(request);
      // In a group the bot says nothing, whoever asks.
      const isHeard = request.chatType === "private" && !isStranger(request.principal?.userId ?? null);
      if (isHeard) replies.tell(request, WORDS.fault);
      for (const owner of owners.all().filter((id) => id !== request.conversation.chatId))
        replies.notify(owner, WORDS.ownerFault);
    });
    log.error({ event: "inbox.buried", updateId: update.update_id }, "an update was set aside");
  }

  async function receive({
    turns,
    projects,
    mode,
    findViolation,
    accessOf,
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
      findViolation,
      accessOf,
      findFile,
      bury,
      signal: stopping.signal,
      ageOf: clock.ageOf,
      staleAfterMs: config.staleAfterMs,
      tellAgainMs: config.limits.windowMs,
      owners,
      people,
      access,
      isStranger,
      knocked: (userId) => store.afterCommit(() => strangers.knocked(userId, "login")),
      seen: store.logins.seen,
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
      owners: owners.all,
      notify: replies.notify,
      onPoll,
      onReady: (info) => {
        me = info;
        bot.botInfo = info;
        registerMenu(api, log);
      },
      rim: createRim({
        isStranger,
        isOpenFor: (userId) => security.lock.state() === null && access.isOpenFor(userId),
        digestOf: access.digestOf,
        isOpenChat,
        groups,
        me: () => me,
        onStranger: ({ principal, conversation }) => {
          const userId = principal?.userId ?? null;
          security.audit.contact({ userId, conversation }, "not_whitelisted");
          strangers.knocked(userId, "message");
        },
      }),
      bury,
      onServerTime: clock.learn,
      handle: (update) => bot.handleUpdate(update).catch(bot.errorHandler),
      log,
      now,
    });
    sender.start(turns.undelivered);
    stop = async () => {
      strangers.close();
      groups.close();
      stopping.abort();
      await reception.stop();
    };
    return Promise.race([reception.over, rejected.promise]);
  }

  function tellAll(text: RichText | string, isSilent = false): number {
    const all = owners.all();
    for (const owner of all) replies.notify(owner, text, isSilent);
    return all.length;
  }

  return {
    fetchFile: createFetchFile({ getFile: (fileId) => api.getFile(fileId), apiRoot, token }),
    presenter: createPresenter({
      store,
      sender,
      outgoing,
      owners,
      keepDays: Math.ceil(config.retention.contentMs / DAY_MS),
      money: {
        reserve: security.reserve,
        perRequestMicroUsd: config.limits.costPerRequestMicroUsd,
        isEquivalent: config.claude.auth === "subscription",
      },
    }),
    tellOwners: tellAll,
    sweepLogins: () => {
      const ended = access.sweep();
      return () => {
        for (const { userId, cause } of ended) {
          const text = endedText(cause);
          if (text !== null && isStranger(userId)) replies.notify(userId, text);
        }
      };
    },
    tellHead: (head) => tellAll(headText(head), true),
    receive,
    stop: () => stop(),
    close: () => sender.close(FLUSH_MS),
  };
}
