import type { MiddlewareFn } from "grammy";
import type { Now } from "../domain/clock.ts";
import type { Owners } from "../domain/person.ts";
import type { Request } from "../domain/request.ts";
import type { Access, Asker } from "../security/invitations.ts";
import type { Lock } from "../security/lock.ts";
import type { Store } from "../store/store.ts";
import type { SallyContext } from "./context.ts";
import { createNowAndThen } from "./now-and-then.ts";
import type { RecordRequest } from "./owners-only.ts";
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
  readonly record: RecordRequest;
  readonly store: Store;
  /** Where to log in is told to the same person no sooner. */
  readonly tellAgainMs: number;
  readonly now: Now;
}

type Login = Asker & { readonly userId: number; readonly digest: string };

/**
 * `/login` with a well-formed token. Of a stranger it comes before the gates since it is what opens them: the message is taken off
 * the screen whatever the token was worth. That of a stranger does not come here while the door for logins is closed to him, or the
 * bot is locked: it stays where it is, and nothing is said. Of who is admitted it goes through the gates as what only looks; a token
 * that was shown in a group is burnt whether or not they let it through.
 */
export function logIn(deps: LoginDeps): MiddlewareFn<SallyContext> {
  return async (ctx, next) => {
    const { request } = ctx;
    const login = loginOf(request);
    if (login === null) return next();
    const isPrivate = request.chatType === "private";
    if (deps.isStranger(login.userId)) {
      if (isPrivate) ctx.effects.push(() => admit(deps, request, login));
      return undefined;
    }
    if (!isPrivate) ctx.effects.push(() => deps.access.burn(login.digest, login));
    ctx.request = { ...request, kind: "look" };
    return next();
  };
}

/** The same once the gates have let it through. */
export function handleLogin(deps: LoginDeps): MiddlewareFn<SallyContext> {
  const { access, replies, store, now } = deps;
  const nowAndThen = createNowAndThen({ store, now, everyMs: deps.tellAgainMs });

  return async (ctx, next) => {
    const { request } = ctx;
    const login = loginOf(request);
    if (login === null) return next();
    ctx.effects.push(() => {
      const { userId, conversation } = login;
      deps.record({ type: "command.run", name: "login" }, { userId, conversation });
      if (request.chatType === "private" && access.isOn) {
        admit(deps, request, login);
        return;
      }
      replies.unsay(request);
      const answer = { ...request, messageId: null }; // what it answers is gone
      if (access.isOn) nowAndThen(userId, () => replies.tell(answer, ACCESS_WORDS.notHere));
      else replies.tell(answer, ACCESS_WORDS.isOff);
    });
    return undefined;
  };
}

function loginOf({ body, principal, conversation }: Request) {
  if (body.kind !== "login" || principal === null) return null;
  return { userId: principal.userId, conversation, digest: body.digest };
}

function admit(deps: LoginDeps, request: Request, { digest, ...who }: Login): void {
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
