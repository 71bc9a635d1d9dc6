import type { MiddlewareFn } from "grammy";
import type { AuditEvent } from "../domain/audit-event.ts";
import { type ButtonAction, isReusable, type PressRefusal } from "../domain/button.ts";
import type { Request } from "../domain/request.ts";
import type { Effect } from "../turns/press.ts";
import type { SallyContext } from "./context.ts";
import { hideFile } from "./handle-expose.ts";
import { removeHost } from "./handle-hosts.ts";
import type { PromptDeps } from "./handle-prompt.ts";
import { repoKeys } from "./project-keys.ts";
import { projectText } from "./status-text.ts";
import { EFFECTS, PRESSES, WORDS } from "./wording.ts";

/** Only these need to know what projects there are: Stop and Deny must work whatever became of the folder. */
const LISTING: readonly (ButtonAction["kind"] | undefined)[] = ["repo", "repo_page"];

export interface PressDeps extends PromptDeps {
  readonly ownerUsers: ReadonlySet<number>;
  readonly record: (
    event: AuditEvent,
    who: { readonly userId: number; readonly conversation: Request["conversation"] },
  ) => void;
}

/** A pressed button: looked up by its nonce, used up, and carried out, all in one transaction. */
export function handlePress(deps: PressDeps): MiddlewareFn<SallyContext> {
  const { store, turns, projects, replies, sender, ownerUsers, record } = deps;

  return async (ctx, next) => {
    const { request } = ctx;
    if (request.body.kind !== "button" || !request.principal) return next();
    const { nonce, callbackId } = request.body;
    const { userId } = request.principal;
    const names = LISTING.includes(store.buttons.peek(nonce)?.kind) ? await projects.list() : [];

    ctx.effects.push(() => {
      const conversation = store.conversations.at(request.conversation);
      const isOwner = ownerUsers.has(userId);
      const press = store.buttons.press({ nonce, conversationId: conversation.id, userId, isOwner });
      if (press.kind === "refused") {
        record(violationOf(press.reason), { userId, conversation: request.conversation });
        store.afterCommit(() => sender.answerPress(callbackId, PRESSES[press.reason]));
        return;
      }
      record(
        { type: "command.run", name: `button:${press.action.kind}` },
        { userId, conversation: request.conversation },
      );
      const effect = carryOut(request, press.action, names);
      store.afterCommit(() => {
        sender.answerPress(callbackId, EFFECTS[effect]);
        if (request.messageId !== null && usesUpKeys(press.action)) {
          sender.clearKeys(request.conversation.chatId, request.messageId);
        }
      });
    });
    return undefined;
  };

  function carryOut(request: Request, action: ButtonAction, names: readonly string[]): Effect {
    const userId = request.principal?.userId ?? 0;
    switch (action.kind) {
      case "repo": {
        if (!names.includes(action.project)) {
          replies.tell(request, WORDS.projectGone);
          return "done";
        }
        turns.chooseProject(store.conversations.at(request.conversation), action.project);
        replies.tell(request, projectText(action.project));
        return "done";
      }
      case "repo_page":
        if (names.length > 0)
          replies.tell(request, WORDS.pickProject, repoKeys(replies, request, { names, page: action.page }));
        return "done";
      case "host_remove":
        removeHost(deps, request, action);
        return "done";
      case "expose_hide":
        hideFile(deps, request, action);
        return "done";
      case "dismiss":
        return "done";
      case "approve":
      case "answer":
      case "answers_done":
      case "stop":
      case "queue":
      case "recover":
      case "offered":
      case "offered_all":
      case "edited":
      case "quarantine":
        return turns.press(action, userId);
    }
  }
}

/** The message's own edit takes the keys away of a question; those of the others go at once, unless they stay good. */
function usesUpKeys(action: ButtonAction): boolean {
  const isQuestion = ["approve", "answer", "answers_done", "quarantine"].includes(action.kind);
  return !isQuestion && !isReusable(action);
}

function violationOf(reason: PressRefusal): AuditEvent {
  return reason === "used" || reason === "expired"
    ? { type: "violation.replay", what: "button" }
    : { type: "violation.forged_callback", what: reason };
}
