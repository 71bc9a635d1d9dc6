import type { ChatTable } from "../store/chats.ts";

/**
 * Says whether admitted people may use the bot in a group. One that became a supergroup, and so got another id, stays what it was.
 * Nobody is let in by that: who asks is looked at by his own id, wherever he does (H26).
 */
export function createIsOpenChat(
  allowedChats: readonly number[],
  chats: Pick<ChatTable, "movedFrom">,
): (chatId: number) => boolean {
  const allowed = new Set(allowedChats);
  return (chatId) => {
    if (allowed.has(chatId)) return true;
    const before = allowed.size === 0 ? null : chats.movedFrom(chatId);
    return before !== null && allowed.has(before);
  };
}
