import type { ButtonSpec } from "../domain/button.ts";
import { type MessageBody, PRIORITY, type Priority } from "../domain/outbox.ts";
import type { ConversationRef, Request } from "../domain/request.ts";
import type { Conversation } from "../domain/work.ts";
import type { Store } from "../store/store.ts";
import type { SallyContext } from "./context.ts";
import { offerKeyboard } from "./keyboard.ts";
import type { RichText } from "./render/entity.ts";
import { plain } from "./render/rich-text.ts";
import { splitRichText } from "./render/split.ts";

/** Short answers to a request, written with its other effects. */
export interface Replies {
  /** Answers the message at hand, in as many parts as it takes; a pressed button by what pops up. */
  readonly say: (ctx: SallyContext, text: RichText | string) => void;
  /** The same at once, inside a transaction that is under way. */
  readonly tell: (request: Request, text: RichText | string, buttons?: MessageBody["buttons"]) => number;
  /** To a person's private chat, unasked; inside a transaction that is under way. Gives the outbox id. */
  readonly notify: (userId: number, text: string) => number;
  /** To a conversation, ahead of all that is only told; inside a transaction that is under way. */
  readonly alert: (conversation: ConversationRef, text: string) => void;
  /** Keys for the person who asked; those of one `group` are used up together. */
  readonly keys: (
    request: Request,
    group: string,
    rows: readonly (readonly ButtonSpec[])[],
  ) => MessageBody["buttons"];
}

interface ReplyDeps {
  readonly store: Store;
  readonly kick: (chatId: number) => void;
  readonly answerPress: (callbackId: string, text: string) => void;
}

export function createReplies({ store, kick, answerPress }: ReplyDeps): Replies {
  const conversationOf = (request: Request): Conversation => store.conversations.at(request.conversation);

  function putText(conversation: ConversationRef, text: string, priority: Priority): number {
    const body = { ...plain(text), buttons: [] };
    const act = { kind: "send", body, replyTo: null, isSilent: false } as const;
    const id = store.outbox.put({ conversation, act, priority, finalOf: null });
    store.afterCommit(() => kick(conversation.chatId));
    return id;
  }

  function tell(request: Request, text: RichText | string, buttons: MessageBody["buttons"] = []): number {
    const { conversation, messageId } = request;
    const parts = splitRichText(typeof text === "string" ? plain(text) : text);
    const replyTo = request.body.kind === "button" ? null : messageId;
    const ids = parts.map((part, index) =>
      store.outbox.put({
        conversation,
        act: {
          kind: "send",
          body: { ...part, buttons: index === parts.length - 1 ? buttons : [] },
          replyTo: index === 0 ? replyTo : null,
          isSilent: false,
        },
        priority: PRIORITY.notice,
        finalOf: null,
      }),
    );
    store.afterCommit(() => kick(conversation.chatId));
    return ids.at(-1) ?? 0;
  }

  return {
    say: (ctx, text) => {
      const { request } = ctx;
      const { body } = request;
      ctx.effects.push(() => {
        if (body.kind !== "button") {
          tell(request, text);
          return;
        }
        const popUp = typeof text === "string" ? text : text.text;
        store.afterCommit(() => answerPress(body.callbackId, popUp));
      });
    },
    tell,
    notify: (userId, text) => putText({ chatId: userId, threadId: null }, text, PRIORITY.notice),
    alert: (conversation, text) => void putText(conversation, text, PRIORITY.approval),
    keys: (request, group, rows) => {
      const owner = {
        group,
        conversationId: conversationOf(request).id,
        userId: request.principal?.userId ?? 0,
        expiresAt: null,
      };
      return offerKeyboard(store.buttons, owner, rows);
    },
  };
}
