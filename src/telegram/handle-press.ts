import type { MiddlewareFn } from "grammy";
import type { AuditEvent } from "../domain/audit-event.ts";
import { type ButtonAction, isReusable, type PressRefusal } from "../domain/button.ts";
import type { Now } from "../domain/clock.ts";
import type { Owners } from "../domain/person.ts";
import type { Request } from "../domain/request.ts";
import type { Store } from "../store/store.ts";
import type { Effect } from "../turns/press.ts";
import type { Turns } from "../turns/turns.ts";
import type { SallyContext } from "./context.ts";
import { turnAuditPage } from "./handle-audit.ts";
import { hideFile } from "./handle-expose.ts";
import { removeHost } from "./handle-hosts.ts";
import type { PromptDeps } from "./handle-prompt.ts";
import { type FoundProjects, findProjects, NO_PROJECTS, pressRepo, type RepoDeps } from "./handle-repo.ts";
import type { RecordRequest } from "./owners-only.ts";
import { EFFECTS, PRESSES } from "./wording.ts";

export interface PressDeps extends PromptDeps, RepoDeps {
  readonly store: Store;
  readonly turns: Turns;
  readonly now: Now;
  readonly owners: Owners;
  readonly record: RecordRequest;
}

/** A pressed button: looked up by its nonce, used up, and carried out, all in one transaction. */
export function handlePress(deps: PressDeps): MiddlewareFn<SallyContext> {
  const { store, turns, sender, owners, record } = deps;

  return async (ctx, next) => {
    const { request } = ctx;
    if (request.body.kind !== "button" || !request.principal) return next();
    const { nonce, callbackId } = request.body;
    const { userId } = request.principal;
    const found = await foundFor(store.buttons.peek(nonce));

    ctx.effects.push(() => {
      const { conversation } = request;
      const press = store.buttons.press({ nonce, conversation, userId, isOwner: owners.has(userId) });
      if (press.kind === "refused") {
        record(violationOf(press.reason), { userId, conversation });
        store.afterCommit(() => sender.answerPress(callbackId, PRESSES[press.reason]));
        return;
      }
      record({ type: "command.run", name: `button:${press.action.kind}` }, { userId, conversation });
      const effect = carryOut(request, press.action, found);
      store.afterCommit(() => {
        sender.answerPress(callbackId, EFFECTS[effect]);
        if (request.messageId !== null && usesUpKeys(press.action)) {
          sender.clearKeys(request.conversation.chatId, request.messageId);
        }
      });
    });
    return undefined;
  };

  /** Only these need to know what projects there are: Stop and Deny must work whatever became of the folder. */
  async function foundFor(action: ButtonAction | null): Promise<FoundProjects> {
    if (action?.kind !== "repo" && action?.kind !== "repo_page") return NO_PROJECTS;
    return findProjects(deps, action.kind === "repo" ? action.project : "");
  }

  function carryOut(request: Request, action: ButtonAction, found: FoundProjects): Effect {
    const userId = request.principal?.userId ?? 0;
    switch (action.kind) {
      case "repo":
      case "repo_page":
        pressRepo(deps, request, { action, found });
        return "done";
      case "host_remove":
        removeHost(deps, request, action);
        return "done";
      case "expose_hide":
        hideFile(deps, request, action);
        return "done";
      case "audit_page":
        turnAuditPage(deps, request, action);
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
