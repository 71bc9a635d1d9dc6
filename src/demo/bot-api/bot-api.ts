import { z } from "zod";
import type { BotApi, BotApiEvents, BotApiOptions } from "./api.ts";
import { createCallbacks } from "./callbacks.ts";
import { createCalls } from "./calls.ts";
import { createChats } from "./chats.ts";
import { describeState } from "./describe.ts";
import { createEmitter, type Emitter } from "./emitter.ts";
import { ApiFailure } from "./failure.ts";
import { createFiles } from "./files.ts";
import { createFlood } from "./flood.ts";
import { createJournal } from "./journal.ts";
import type { MethodDeps, MethodTable } from "./methods.ts";
import { createBotMethods } from "./methods-bot.ts";
import { createChatMethods } from "./methods-chat.ts";
import { createEditMethods } from "./methods-edit.ts";
import { createSendMethods } from "./methods-send.ts";
import { createUpdateMethods } from "./methods-updates.ts";
import type { ApiBot, ApiChat, ApiUpdateBody } from "./objects.ts";
import { createPerson } from "./person.ts";
import { createApiServer } from "./server.ts";
import { showMessage } from "./shown.ts";
import type { Change, ShownMessage } from "./types.ts";
import { createUpdates } from "./updates.ts";
import { waitUntil } from "./waiting.ts";

const FIRST_UPDATE_ID = 500_000_001;
const CALLBACK_LIFETIME_MS = 60_000;

/**
 * A Bot API server for tests and the demo, strict as the real one (its source, telegram-bot-api and td, is followed for
 * delivery, limits and wording). State lives in memory. What it does not do: parse modes, webhooks, media other than
 * documents and photos, inline and business modes, rights of administrators beyond deleting.
 */
export function createBotApi(options: BotApiOptions): BotApi {
  const { token, now, maxLog = Number.POSITIVE_INFINITY } = options;
  const pulse = createEmitter<void>();
  const emitters: { readonly [E in keyof BotApiEvents]: Emitter<BotApiEvents[E]> } = {
    call: createEmitter(),
    change: createEmitter(),
  };
  const emit = (change: Change): void => {
    emitters.change.emit(change);
    pulse.emit();
  };
  const journal = createJournal({ now, maxLog });
  const updates = createUpdates({
    now,
    firstUpdateId: options.firstUpdateId ?? FIRST_UPDATE_ID,
    onOpen: pulse.emit,
  });
  const chats = createChats({
    now,
    bot: botOf(options),
    maxMessages: options.maxMessagesPerChat ?? Number.POSITIVE_INFINITY,
    emit,
  });
  const callbacks = createCallbacks({
    now,
    lifetimeMs: options.callbackLifetimeMs ?? CALLBACK_LIFETIME_MS,
    emit,
  });
  const files = createFiles();
  const flood = createFlood({ now, limits: options.flood ?? null });
  let intercept = options.intercept;
  let isRevoked = false;

  const push = (body: ApiUpdateBody, isFiltered: boolean): number => {
    const updateId = updates.push(body, { isFiltered });
    journal.noteInjection(updateId);
    pulse.emit();
    return updateId;
  };

  const handle = createCalls({
    now,
    methods: createMethods({ now, chats, updates, files, callbacks, flood, emit }),
    files,
    journal,
    intercept: (call) => intercept?.(call),
    onArrival: pulse.emit,
    onEnd: (record) => {
      emitters.call.emit(record);
      pulse.emit();
    },
  });
  const server = createApiServer({ now, isTokenValid: (given) => !isRevoked && given === token, handle });

  const messages = (chatId: number): readonly ShownMessage[] =>
    [...(chats.find(chatId)?.messages.values() ?? [])].map((stored) => showMessage(stored, chats.bot.id));
  const describe = (): string =>
    describeState(
      chats.all().flatMap(({ chat }) => messages(chat.id)),
      journal.calls(),
    );

  const api: BotApi = {
    listen: (port = 0) => server.listen(port),
    close: server.close,
    cutConnections: server.cut,
    setIntercept: (next) => {
      intercept = next;
    },
    setFlood: flood.setLimits,
    revoke: () => {
      isRevoked = true;
      updates.abort(new ApiFailure(401, "Unauthorized"));
    },
    rivalPoll: () => {
      const poll = { offset: 0, limit: 100, timeoutSeconds: 50, allowedUpdates: undefined };
      updates.poll(poll).catch(() => undefined); // its end by the bot's next poll is what a rival is for
    },
    user: (profile) =>
      createPerson(
        {
          chats,
          callbacks,
          now,
          push: (body) => push(body, true),
          waitForAnswer: (callbackId, timeoutMs) =>
            api.waitFor(() => callbacks.answerOf(callbackId), {
              what: `an answer to the pressed button ${callbackId}`,
              ...(timeoutMs === undefined ? {} : { timeoutMs }),
            }),
        },
        profile,
      ),
    addChat: ({ id, type, title, isForum = false, isBotAdmin = false }) =>
      chats.open({ id, type, title, ...(isForum ? { is_forum: true } : {}) }, { isBotAdmin }).chat,
    addFile: ({ fileName, content, mimeType = "application/octet-stream" }) =>
      files.add({ fileName, content, mimeType }).api,
    inject: (update) => {
      for (const chat of chatsIn(update)) chats.open(chat);
      return push(update, false);
    },
    restartUpdateIds: updates.restartAt,
    messages,
    lastMessage: (chatId) => messages(chatId).findLast(({ isDeleted }) => !isDeleted),
    log: journal.calls(),
    injectedAt: journal.injectedAt,
    pendingUpdates: updates.pending,
    isPolled: updates.isPolled,
    on: (event, listener) => emitters[event].on(listener),
    waitFor: (predicate, waitOptions) =>
      waitUntil({ pulse, look: () => predicate(api), describe }, waitOptions),
    waitForMessage: (chatId, predicate, waitOptions = {}) =>
      api.waitFor(() => messages(chatId).findLast((message) => !message.isDeleted && predicate(message)), {
        what: `a certain message in chat ${chatId}`,
        ...waitOptions,
      }),
  };
  return api;
}

function createMethods(deps: MethodDeps): MethodTable {
  return {
    ...createBotMethods(deps),
    ...createUpdateMethods(deps),
    ...createSendMethods(deps),
    ...createEditMethods(deps),
    ...createChatMethods(deps),
  };
}

function botOf({ token, botInfo }: BotApiOptions): ApiBot {
  return {
    id: Number.parseInt(token, 10) || 1,
    is_bot: true,
    first_name: "Sallyport",
    username: "sallyport_bot",
    can_join_groups: true,
    can_read_all_group_messages: true,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
    has_topics_enabled: false,
    allows_users_to_create_topics: false,
    ...botInfo,
  };
}

const withChat = z.looseObject({
  chat: z.looseObject({
    id: z.int(),
    type: z.enum(["private", "group", "supergroup", "channel"]),
    title: z.string().default(""),
  }),
});
const withMessage = z.looseObject({ message: withChat });

function chatsIn(update: ApiUpdateBody): readonly ApiChat[] {
  return Object.values(update).flatMap((body) => {
    const direct = withChat.safeParse(body);
    if (direct.success) return [direct.data.chat];
    const nested = withMessage.safeParse(body);
    return nested.success ? [nested.data.message.chat] : [];
  });
}
