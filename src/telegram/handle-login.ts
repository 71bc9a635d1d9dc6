import type { MiddlewareFn } from "grammy";
import type { Owners } from "../domain/person.ts";
import type { Request } from "../domain/request.ts";
import type { Access, Asker } from "../security/invitations.ts";
import type { Lock } from "../security/lock.ts";
import type { SallyContext } from "./context.ts";
import type { Replies } from "./replies.ts";
import { ACCESS_WORDS, newcomerText, welcomeText } from "./wording-logins.ts";

export interface LoginDeps {
  readonly access: Access;
  readonly isStranger: (userId: number | null) => boolean;
  /** Told, inside a transaction, of a login of a stranger that was refused. */
  readonly knocked: (userId: number) => void;
  readonly lock: Lock;
  readonly owners: Owners;
  readonly replies: Replies;
}

/**
 * `/login` with a well-formed token, which comes before the gates since it is what opens them. The message is taken off the screen
 * whatever the token was worth. That of a stranger does not come here while the door for logins is closed to him, or the bot is locked:
 * it stays where it is, and nothing is said.
 */
export function logIn(deps: LoginDeps): MiddlewareFn<SallyContext> {
  return async (ctx, next) => {
    const { request } = ctx;
    const { body, principal } = request;
    if (body.kind !== "login" || principal === null) return next();
    const who = { userId: principal.userId, conversation: request.conversation };
    ctx.effects.push(() => {
      if (request.chatType === "private") admit(deps, ctx.request, { ...who, digest: body.digest });
      else if (!deps.isStranger(who.userId)) {
        deps.access.burn(body.digest, who);
        deps.replies.unsay(request);
        deps.replies.tell({ ...request, messageId: null }, ACCESS_WORDS.notHere);
      }
    });
    return undefined;
  };
}

function admit(
  deps: LoginDeps,
  request: Request,
  { digest, ...who }: Asker & { userId: number; digest: string },
): void {
  const { userId } = who;
  const { access, lock, owners, replies } = deps;
  const end = lock.state() === null ? access.logIn(digest, who) : null;
  replies.unsay(request);
  const answer = { ...request, messageId: null }; // what it answers is gone
  switch (end?.kind) {
    case "in":
      replies.tell(answer, welcomeText(end.role, end.until));
      for (const owner of owners.all())
        if (owner !== userId) replies.notify(owner, newcomerText(userId, end.role, end.invite));
      return;
    case "refused":
      replies.tell(answer, ACCESS_WORDS.refused);
      if (deps.isStranger(userId)) deps.knocked(userId);
      return;
    case "ignored":
    case undefined:
      return;
  }
}
