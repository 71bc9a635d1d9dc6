import type { ButtonSpec } from "../domain/button.ts";
import { type MessageBody, NOTHING, PRIORITY, type Priority } from "../domain/outbox.ts";
import type { ConversationRef, Request } from "../domain/request.ts";
import type { Conversation } from "../domain/work.ts";
import type { Store } from "../store/store.ts";
import type { SallyContext } from "./context.ts";
import { offerKeyboard } from "./keyboard.ts";
import type { Outgoing } from "./outgoing.ts";
import type { RichText } from "./render/entity.ts";
import { plain } from "./render/rich-text.ts";
import { splitRichText } from "./render/split.ts";

/** Short answers to a request, written with its other effects. */
export interface Replies {
  /** Answers the message at hand, in as many parts as it takes; a pressed button by what pops up. */
  readonly say: (ctx: SallyContext, text: RichText | string) => void;
  /** The same at once, inside a transaction that is under way. */
  readonly tell: (request: Request, text: RichText | string, buttons?: MessageBody["buttons"]) => number;
  /** To a person's private chat, unasked, with or without a sound; inside a transaction that is under way. Gives the outbox id. */
  readonly notify: (userId: number, text: RichText | string, isSilent?: boolean) => number;
  /** Takes the message at hand off the screen, after all that is said; inside a transaction that is under way. */
  readonly unsay: (request: Request) => void;
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
  readonly outgoing: Pick<Outgoing, "rich">;
  readonly kick: (chatId: number) => void;
  readonly answerPress: (callbackId: string, text: string) => void;
}

export function createReplies({ store, outgoing, kick, answerPress }: ReplyDeps): Replies {
  const conversationOf = (request: Request): Conversation => store.conversations.at(request.conversation);

  function putText(
    conversation: ConversationRef,
    text: RichText | string,
    { priority, isSilent }: { readonly priority: Priority; readonly isSilent: boolean },
  ): number {
    const body = { ...(typeof text === "string" ? plain(text) : text), buttons: [] };
    const act = { kind: "send", body, replyTo: null, isSilent } as const;
    const id = store.outbox.put({ conversation, act, priority, finalOf: null });
    store.afterCommit(() => kick(conversation.chatId));
    return id;
  }

  function tell(request: Request, text: RichText | string, buttons: MessageBody["buttons"] = []): number {
    const { conversation, messageId } = request;
    const parts = splitRichText(outgoing.rich(typeof text === "string" ? plain(text) : text));
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
    notify: (userId, text, isSilent = false) =>
      putText({ chatId: userId, threadId: null }, text, { priority: PRIORITY.notice, isSilent }),
    unsay: ({ conversation, messageId }) => {
      if (messageId === null) return;
      const act = { kind: "delete", messageId, body: NOTHING } as const;
      store.outbox.put({ conversation, act, priority: PRIORITY.noticeEdit, finalOf: null });
      store.afterCommit(() => kick(conversation.chatId));
    },
    alert: (conversation, text) =>
      void putText(conversation, text, { priority: PRIORITY.approval, isSilent: false }),
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
