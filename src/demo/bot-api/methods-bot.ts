import { z } from "zod";
import type { Chats } from "./chats.ts";
import { badRequest } from "./failure.ts";
import { type MethodDeps, type MethodTable, method } from "./methods.ts";
import { chatRef, flag, nested, unwrapJson } from "./params.ts";

const MAX_COMMANDS = 100;
const MAX_NOTICE = 200;
const MAX_FILE_BYTES = 20_971_520;
/** Longest texts of the bot's profile, in characters. */
const PROFILE = {
  setMyDescription: ["description", 512],
  setMyShortDescription: ["short_description", 120],
} as const;

const WIDE_SCOPES = new Set(["default", "all_private_chats", "all_group_chats", "all_chat_administrators"]);
const CHAT_SCOPES = new Set(["chat", "chat_administrators", "chat_member"]);

const scopeShape = z.looseObject({ type: z.string() });
type Scope = z.output<typeof scopeShape>;
const scopeParams = {
  scope: nested(scopeShape).default({ type: "default" }),
  language_code: z.string().default(""),
};
const commandsParams = z.object({ ...scopeParams, commands: z.unknown().optional() });
const commandShape = z.object({ command: z.string(), description: z.string() });
const answerParams = z.object({
  callback_query_id: z.string().default(""),
  text: z.string().default(""),
  show_alert: flag.default(false),
});

/** Methods about the bot itself, its pressed buttons and its files. */
export function createBotMethods({ chats, callbacks, files }: MethodDeps): MethodTable {
  const commands = new Map<string, readonly z.output<typeof commandShape>[]>();
  const profile = new Map<string, string>();

  const setProfile = (name: keyof typeof PROFILE) => {
    const [field, maxLength] = PROFILE[name];
    return method(z.looseObject({ [field]: z.string().default("") }), (params) => {
      const text = String(params[field]);
      if (text.length > maxLength) throw badRequest(`${field} is too long`);
      profile.set(field, text);
      return true;
    });
  };

  return {
    getMe: method(z.object({}), () => chats.bot),

    setMyCommands: method(commandsParams, (params) => {
      const parsed = parseCommands(params.commands);
      checkScope(chats, params.scope);
      commands.set(keyOf(params), parsed);
      return true;
    }),
    getMyCommands: method(z.object(scopeParams), (params) => {
      checkScope(chats, params.scope);
      return commands.get(keyOf(params)) ?? [];
    }),
    deleteMyCommands: method(z.object(scopeParams), (params) => {
      checkScope(chats, params.scope);
      commands.delete(keyOf(params));
      return true;
    }),

    setMyDescription: setProfile("setMyDescription"),
    setMyShortDescription: setProfile("setMyShortDescription"),

    answerCallbackQuery: method(answerParams, (params) => {
      if (params.text.length > MAX_NOTICE) throw badRequest("MESSAGE_TOO_LONG");
      callbacks.answer(params.callback_query_id, { text: params.text, isAlert: params.show_alert });
      return true;
    }),

    getFile: method(z.object({ file_id: z.string().default("") }), (params) => {
      if (params.file_id === "") throw badRequest("file_id not specified");
      const { api } = files.byId(params.file_id);
      if (api.file_size > MAX_FILE_BYTES) throw badRequest("file is too big");
      return api;
    }),
  };
}

/** Throws 400 for a scope that is none, and for a chat that the bot does not know: a menu can not wait for its person. */
function checkScope(chats: Chats, scope: Scope): void {
  if (WIDE_SCOPES.has(scope.type)) return;
  if (!CHAT_SCOPES.has(scope.type))
    throw badRequest("can't parse BotCommandScope: Unsupported type specified");
  const chatId = chatRef.safeParse(scope.chat_id);
  if (!chatId.success) throw badRequest("can't parse BotCommandScope: Empty chat_id specified");
  chats.require(chatId.data);
}

function keyOf(params: { readonly scope: Scope; readonly language_code: string }): string {
  const { type, chat_id: chatId, user_id: userId } = params.scope;
  return JSON.stringify([type, chatId ?? null, userId ?? null, params.language_code]);
}

function parseCommands(value: unknown): readonly z.output<typeof commandShape>[] {
  const list = unwrapJson(value ?? []);
  if (!Array.isArray(list)) throw badRequest("expected an Array of BotCommand");
  if (list.length > MAX_COMMANDS) throw badRequest("BOT_COMMANDS_TOO_MUCH");
  return list.map((item) => {
    const parsed = commandShape.safeParse(item);
    if (!parsed.success) {
      throw badRequest(
        `can't parse BotCommand: Can't find field "${String(parsed.error.issues[0]?.path[0] ?? "")}"`,
      );
    }
    const { command, description } = parsed.data;
    if (!/^\/?[a-z0-9_]{1,32}$/.test(command)) throw badRequest("BOT_COMMAND_INVALID");
    if (description === "" || description.length > 256) throw badRequest("BOT_COMMAND_DESCRIPTION_INVALID");
    return { command: command.replace(/^\//, ""), description };
  });
}
