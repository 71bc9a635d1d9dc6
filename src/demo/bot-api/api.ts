import type { Now } from "../../domain/clock.ts";
import type { ApiFile } from "./files.ts";
import type { ApiBot, ApiChat, ApiUpdateBody } from "./objects.ts";
import type { Person, UserProfile } from "./person.ts";
import type { CallRecord, Change, FloodLimits, Intercept, ShownMessage } from "./types.ts";
import type { Truthy, WaitOptions } from "./waiting.ts";

export interface BotApiOptions {
  readonly token: string;
  /** Dates messages and answers, ages updates, paces the flood model. Long polls and delays run by the machine's own timers. */
  readonly now: Now;
  readonly botInfo?: Partial<ApiBot>;
  readonly intercept?: Intercept;
  /** The flood model; off unless given. `STATED_LIMITS` is what Telegram states. */
  readonly flood?: FloodLimits;
  /** How many calls the log keeps at least; default all. */
  readonly maxLog?: number;
  /** How many messages a chat keeps; default all. */
  readonly maxMessagesPerChat?: number;
  readonly firstUpdateId?: number;
  /** How long after a press its answer is taken; default 60 s. */
  readonly callbackLifetimeMs?: number;
}

/** A group, supergroup or channel to talk in. Ids of these are negative, as Telegram's are. */
interface GroupProfile {
  readonly id: number;
  readonly type: "group" | "supergroup" | "channel";
  readonly title: string;
  readonly isForum?: boolean;
  readonly isBotAdmin?: boolean;
}

/** What `on` tells of: a call that is over, a change on people's screens. */
export interface BotApiEvents {
  readonly call: CallRecord;
  readonly change: Change;
}

/** A Bot API server in a box: over HTTP for the bot, in process for the people who talk to it. */
export interface BotApi {
  /** Gives the API root, `http://127.0.0.1:<port>`. Port 0, the default, takes a free one. After `close` it may listen again: nothing is forgotten. */
  readonly listen: (port?: number) => Promise<string>;
  /** Cuts all connections and refuses new ones, as a network that is down. Waits that are under way go on. */
  readonly close: () => Promise<void>;
  /** Cuts all connections at once and takes new ones. */
  readonly cutConnections: () => void;
  readonly setIntercept: (intercept: Intercept | undefined) => void;
  readonly setFlood: (limits: FloodLimits | null) => void;
  /** Makes the token worthless: from now on 401, and for the open poll too. */
  readonly revoke: () => void;
  /** A poll from elsewhere with the same token: ends the open one by 409 and is ended by the next one. */
  readonly rivalPoll: () => void;

  readonly user: (profile: UserProfile) => Person;
  readonly addChat: (profile: GroupProfile) => ApiChat;
  /** Puts a file where `getFile` finds it, for photos and documents that a person sends by `sendRaw`. */
  readonly addFile: (file: { fileName: string; content: Buffer; mimeType?: string }) => ApiFile;
  /** Queues any update as it stands, whatever types the bot asked for, and gives its id. Chats in it become known to the bot. */
  readonly inject: (update: ApiUpdateBody) => number;
  /** Counts update ids on from here and forgets what is queued. */
  readonly restartUpdateIds: (id: number) => void;

  /** All messages of a chat as they are now, deleted ones included, oldest first. */
  readonly messages: (chatId: number) => readonly ShownMessage[];
  /** The newest message that is not deleted, whoever sent it. */
  readonly lastMessage: (chatId: number) => ShownMessage | undefined;
  /** The calls in the order of their arrival; the same array, growing. */
  readonly log: readonly CallRecord[];
  /** When the update was made, in milliseconds since the epoch. */
  readonly injectedAt: (updateId: number) => number | undefined;
  /** Ids of the updates that the bot has not confirmed yet. */
  readonly pendingUpdates: () => readonly number[];
  /** True while a poll waits, be it a rival's or one whose client is gone: the server does not look. */
  readonly isPolled: () => boolean;

  /** Gives the function that ends it. */
  readonly on: <E extends keyof BotApiEvents>(
    event: E,
    listener: (value: BotApiEvents[E]) => void,
  ) => () => void;
  /** Resolves with what the predicate gives once that is truthy; asked whenever anything happens. Rejects with the last messages and calls. */
  readonly waitFor: <T>(predicate: (api: BotApi) => T, options: WaitOptions) => Promise<Truthy<T>>;
  /** Resolves with the newest message of the chat, not deleted, of which the predicate holds. */
  readonly waitForMessage: (
    chatId: number,
    predicate: (message: ShownMessage) => boolean,
    options?: Partial<WaitOptions>,
  ) => Promise<ShownMessage>;
}
