/** The objects of the Bot API that this server speaks, as they stand on the wire (core.telegram.org/bots/api#available-types). */

export interface ApiUser {
  readonly id: number;
  readonly is_bot: boolean;
  readonly first_name: string;
  readonly username?: string;
  readonly language_code?: string;
}

/** What `getMe` tells of the bot itself. */
export interface ApiBot extends ApiUser {
  readonly username: string;
  readonly can_join_groups: boolean;
  readonly can_read_all_group_messages: boolean;
  readonly supports_inline_queries: boolean;
  readonly can_connect_to_business: boolean;
  readonly has_main_web_app: boolean;
  readonly has_topics_enabled: boolean;
  readonly allows_users_to_create_topics: boolean;
}

export interface ApiChat {
  readonly id: number;
  readonly type: "private" | "group" | "supergroup" | "channel";
  readonly title?: string;
  readonly first_name?: string;
  readonly username?: string;
  readonly is_forum?: boolean;
}

/** A span of a text. `offset` and `length` count UTF-16 units. */
export interface ApiEntity {
  readonly type: string;
  readonly offset: number;
  readonly length: number;
  readonly [field: string]: unknown;
}

export interface ApiButton {
  readonly text: string;
  readonly callback_data?: string | undefined;
  readonly url?: string | undefined;
  readonly [field: string]: unknown;
}

export interface ApiKeyboard {
  readonly inline_keyboard: readonly (readonly ApiButton[])[];
}

/** A message before it has its number, date and chat. Fields that are not named here travel as they are. */
export interface ApiMessageContent {
  readonly from?: ApiUser;
  readonly sender_chat?: ApiChat;
  readonly message_thread_id?: number;
  readonly is_topic_message?: boolean;
  readonly reply_to_message?: ApiMessage;
  readonly edit_date?: number;
  readonly text?: string;
  readonly entities?: readonly ApiEntity[];
  readonly caption?: string;
  readonly caption_entities?: readonly ApiEntity[];
  readonly reply_markup?: ApiKeyboard;
  readonly [field: string]: unknown;
}

/** `date` and `edit_date` are in whole seconds since the epoch. */
export interface ApiMessage extends ApiMessageContent {
  readonly message_id: number;
  readonly date: number;
  readonly chat: ApiChat;
}

/** An update before it has its `update_id`: one field, named by its type. */
export type ApiUpdateBody = Readonly<Record<string, unknown>>;

/** What the server answers, whatever the method. */
export type ApiResponse =
  | { readonly ok: true; readonly result: unknown }
  | {
      readonly ok: false;
      readonly error_code: number;
      readonly description: string;
      readonly parameters?: { readonly retry_after: number };
    };
