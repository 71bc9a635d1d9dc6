import type { Now } from "../domain/clock.ts";
import type { ConversationRef } from "../domain/request.ts";
import type { Conversation } from "../domain/work.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** Conversations and the project chosen in each. Never removed: there are as many as admitted people have chats and topics. */
export interface Conversations {
  /** The conversation of a chat or topic, made when it is new. */
  readonly at: (ref: ConversationRef) => Conversation;
  /** The same, but null when it is new; writes nothing. */
  readonly find: (ref: ConversationRef) => Conversation | null;
  readonly get: (id: number) => Conversation | null;
  readonly setProject: (id: number, project: string) => void;
  /** Holds the queue for an answer about `workId`; null lets it go. */
  readonly hold: (id: number, workId: number | null) => void;
  /** The works that hold a queue. */
  readonly heldWorks: () => readonly number[];
  /** Notes that a topic is not there any more: its buttons work in the chat itself from now on. True the first time. */
  readonly loseTopic: (id: number) => boolean;
}

interface Row {
  id: number;
  chat_id: number;
  thread_id: number;
  project: string | null;
  held_by: number | null;
}

export function createConversations(db: Db, change: Change, now: Now): Conversations {
  const add = db.prepare<[number, number]>(
    "INSERT INTO conversations (chat_id, thread_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
  );
  const at = db.prepare<[number, number], Row>(
    "SELECT * FROM conversations WHERE chat_id = ? AND thread_id = ?",
  );
  const get = db.prepare<[number], Row>("SELECT * FROM conversations WHERE id = ?");
  const setProject = db.prepare<[string, number]>("UPDATE conversations SET project = ? WHERE id = ?");
  const hold = db.prepare<[number | null, number]>("UPDATE conversations SET held_by = ? WHERE id = ?");
  const heldWorks = db
    .prepare<[], number>("SELECT held_by FROM conversations WHERE held_by IS NOT NULL")
    .pluck();
  const lose = db.prepare<[number, number]>(
    "UPDATE conversations SET gone_at = ? WHERE id = ? AND gone_at IS NULL",
  );

  return {
    find: ({ chatId, threadId }) => {
      const row = at.get(chatId, threadId ?? 0);
      return row ? conversationOf(row) : null;
    },
    at: ({ chatId, threadId }) => {
      const found = at.get(chatId, threadId ?? 0);
      if (found) return conversationOf(found);
      change("conversation.made", () => add.run(chatId, threadId ?? 0));
      const made = at.get(chatId, threadId ?? 0);
      if (!made) throw new Error("a conversation that was just made is not there");
      return conversationOf(made);
    },
    get: (id) => {
      const row = get.get(id);
      return row ? conversationOf(row) : null;
    },
    setProject: (id, project) => {
      change("conversation.project", () => setProject.run(project, id));
    },
    hold: (id, workId) => {
      change(workId === null ? "conversation.released" : "conversation.held", () => hold.run(workId, id));
    },
    heldWorks: () => heldWorks.all(),
    loseTopic: (id) => change("conversation.gone", () => lose.run(now(), id)).changes > 0,
  };
}

function conversationOf(row: Row): Conversation {
  return {
    id: row.id,
    chatId: row.chat_id,
    threadId: row.thread_id === 0 ? null : row.thread_id,
    project: row.project,
    heldBy: row.held_by,
  };
}
