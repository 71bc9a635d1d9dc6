const KNOWN = [
  "message",
  "edited_message",
  "channel_post",
  "edited_channel_post",
  "inline_query",
  "chosen_inline_result",
  "callback_query",
  "shipping_query",
  "pre_checkout_query",
  "poll",
  "poll_answer",
  "my_chat_member",
  "chat_member",
  "chat_join_request",
  "chat_boost",
  "removed_chat_boost",
  "message_reaction",
  "message_reaction_count",
  "business_connection",
  "business_message",
  "edited_business_message",
  "deleted_business_messages",
  "purchased_paid_media",
  "managed_bot",
  "guest_message",
  "stopped_message_generation",
];
const NOT_BY_DEFAULT = new Set(["chat_member", "message_reaction", "message_reaction_count"]);
const DEFAULT: ReadonlySet<string> = new Set(KNOWN.filter((type) => !NOT_BY_DEFAULT.has(type)));

/** The update types that the bot asked for, remembered from call to call. */
export interface AllowedUpdates {
  /** Undefined leaves them as they are; a list without a known type means the default. */
  readonly set: (types: readonly string[] | undefined) => void;
  readonly isAllowed: (type: string) => boolean;
  /** Null while they are the default. */
  readonly get: () => readonly string[] | null;
}

/** Starts with the default: all but chat members and reactions (telegram-bot-api, `DEFAULT_ALLOWED_UPDATE_TYPES`). */
export function createAllowedUpdates(): AllowedUpdates {
  let allowed = DEFAULT;
  return {
    set: (types) => {
      if (types === undefined) return;
      const lower = new Set(types.map((type) => type.toLowerCase()));
      const known = KNOWN.filter((type) => lower.has(type));
      allowed = known.length === 0 ? DEFAULT : new Set(known);
    },
    isAllowed: (type) => allowed.has(type),
    get: () => (allowed === DEFAULT ? null : [...allowed]),
  };
}
