import { randomUUID } from "node:crypto";
import type { MiddlewareFn } from "grammy";
import type { Now } from "../domain/clock.ts";
import type { Request } from "../domain/request.ts";
import type { Conversation } from "../domain/work.ts";
import type { Store } from "../store/store.ts";
import type { Turns } from "../turns/turns.ts";
import type { ProjectList, Projects } from "../workspace/projects.ts";
import type { SallyContext } from "./context.ts";
import { createNowAndThen } from "./now-and-then.ts";
import { repoKeys } from "./project-keys.ts";
import type { Replies } from "./replies.ts";
import type { Sender } from "./sender.ts";
import { cleanedText, LABELS, WORDS } from "./wording.ts";
import { noProjectsText, unreadableText } from "./wording-access.ts";
import { filesText } from "./wording-files.ts";

/** That a message which waits was changed is told to the same person no sooner. */
const TELL_AGAIN_MS = 10_000;

export interface EditDeps extends Pick<PromptDeps, "store" | "turns" | "replies"> {
  readonly now: Now;
}

export interface PromptDeps {
  readonly store: Store;
  readonly turns: Turns;
  readonly projects: Projects;
  readonly replies: Replies;
  readonly sender: Sender;
}

/** A prompt becomes durable work; a first sign follows at once. Waits for nothing but the list of projects. */
export function handlePrompt({
  store,
  turns,
  projects,
  replies,
  sender,
}: PromptDeps): MiddlewareFn<SallyContext> {
  return async (ctx, next) => {
    const { request } = ctx;
    if (request.body.kind !== "prompt" || !request.principal) return next();
    const { files = [] } = request.body;
    const text = request.body.text === "" ? filesText(files) : request.body.text;
    const { userId } = request.principal;
    const list = await projects.list();
    if (list.kind === "listed" && list.names.length === 0)
      return replies.say(ctx, noProjectsText(list.misnamed));

    ctx.effects.push(() => {
      const conversation = store.conversations.at(request.conversation);
      const { dedupeKey, messageId, isStale } = request;
      const project = chosen(conversation, list);
      const work = turns[isStale ? "keep" : "submit"]({
        dedupeKey,
        conversationId: conversation.id,
        userId,
        project,
        text,
        files,
        messageId,
        ...(request.sentAt === null ? {} : { sentAt: request.sentAt }),
      });
      if (!work) return;
      if (list.kind === "unreadable")
        replies.tell(request, `${unreadableText(list.mend)}\n\n${WORDS.keptUntilRead}`);
      else if (work.project === null) {
        const keys = repoKeys(replies, request, { names: list.names, page: 0 });
        replies.tell(request, projectQuestion(isStale, conversation.project !== null), keys);
      }
      const removed = cleanedText(request.cleaned);
      if (removed !== null) replies.tell(request, removed);
      store.afterCommit(() => {
        if (messageId !== null) sender.react(request.conversation.chatId, messageId, "👀");
      });
    });
    return undefined;
  };

  /**
   * The project of the conversation, if it is there; where there is only one, that one is chosen. What was kept while there was
   * none to be had runs there too.
   */
  function chosen(conversation: Conversation, list: ProjectList): string | null {
    if (list.kind === "unreadable") return null;
    const [only = null] = list.names;
    const project = conversation.project ?? (list.names.length === 1 ? only : null);
    if (project === null || !list.names.includes(project)) return null;
    turns.chooseProject(conversation, project);
    return project;
  }
}

function projectQuestion(isStale: boolean, isGone: boolean): string {
  if (isStale) return WORDS.chooseProjectLate;
  return isGone ? WORDS.projectGoneChoose : WORDS.chooseProject;
}

/**
 * An edit replaces the text of a message that still waits; of one that ran, the new text is offered as the next. Its file stays;
 * where its words were taken away, what stands for a file without words takes their place.
 */
export function handleEdit({ store, turns, replies, now }: EditDeps): MiddlewareFn<SallyContext> {
  const nowAndThen = createNowAndThen({ store, now, everyMs: TELL_AGAIN_MS });

  /** Of a flood of corrections, which take no token, each is taken over and few are answered. */
  function tellNowAndThen(request: Request, ...texts: readonly string[]): void {
    nowAndThen(request.principal?.userId ?? 0, () => {
      for (const text of texts) replies.tell(request, text);
    });
  }

  return async (ctx, next) => {
    const { request } = ctx;
    if (request.body.kind !== "edit" || request.messageId === null) return next();
    const { text: words, hasFile } = request.body;
    const { messageId } = request;
    ctx.effects.push(() => {
      const conversation = store.conversations.at(request.conversation);
      const work = store.work.ofMessage(conversation.id, messageId);
      if (!work) return;
      const text = words === "" ? filesText(store.attachments.ofWork(work.id)) : words;
      if (text === "" || work.text === text) {
        if (hasFile) tellNowAndThen(request, WORDS.editedFile);
        return;
      }
      const removed = cleanedText(request.cleaned);
      if (turns.edit(work, text)) {
        tellNowAndThen(request, ...(removed === null ? [] : [removed]), WORDS.editedInQueue);
        return;
      }
      if (removed !== null) replies.tell(request, removed);
      const keys = replies.keys(request, `edited:${randomUUID()}`, [
        [
          { label: LABELS.runEdited, action: { kind: "edited", workId: work.id, text } },
          { label: LABELS.ignore, action: { kind: "dismiss" } },
        ],
      ]);
      replies.tell(request, WORDS.editedTooLate, keys);
    });
    return undefined;
  };
}
