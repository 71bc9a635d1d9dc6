import type { BotError, MiddlewareFn } from "grammy";
import type { Update } from "grammy/types";
import type { GateName } from "../domain/audit-event.ts";
import type { Now } from "../domain/clock.ts";
import { messageOf } from "../domain/errors.ts";
import type { Request } from "../domain/request.ts";
import type { Logger } from "../log/logger.ts";
import type { Guard } from "../security/admit.ts";
import { isStoreFault } from "../store/fault.ts";
import type { Store } from "../store/store.ts";
import { backoffMs, pause } from "./backoff.ts";
import type { SallyContext } from "./context.ts";
import type { Replies } from "./replies.ts";
import { requestOf } from "./request.ts";
import { isFarewell } from "./update-parts.ts";
import { refusalText } from "./wording.ts";

interface CommitDeps {
  readonly store: Store;
  /** Writes what the gates counted; called inside the transaction. Returns what to do once it is committed. */
  readonly saveLimits: () => () => void;
  /** True for what went through all gates. */
  readonly guard: Pick<Guard, "isAdmitted">;
  readonly isStranger: (userId: number | null) => boolean;
  /** Undoes what the gates counted for a request that could not be committed. */
  readonly refund: (request: Request) => void;
  /** Aborted when the daemon ends. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/**
 * Gives the update a place for its effects, and commits them, with the end of its inbox row, when all have been named. What
 * a button or /stop does is on the disk before it shows; all else is once a turn begins for it, or before Telegram may forget
 * the update, whichever comes first, so that a loss of power before that is as if the update had not come yet. While
 * the store takes no writing (a full disk) it is tried again, and what comes after in the lane waits: nothing is overtaken.
 */
export function commitTogether(deps: CommitDeps): MiddlewareFn<SallyContext> {
  const { store, guard, saveLimits, refund, signal, log } = deps;

  /** Who was taken out after the gates let him in leaves nothing behind. */
  function isRevoked(request: Request | undefined): boolean {
    if (!request?.principal || !guard.isAdmitted(request)) return false;
    return deps.isStranger(request.principal.userId);
  }

  function commit(ctx: SallyContext): void {
    const write = ctx.request?.kind === "control" ? store.transaction : store.lightly;
    write(() => {
      if (!isRevoked(ctx.request)) for (const effect of ctx.effects) effect();
      store.afterCommit(saveLimits());
      store.inbox.finish(ctx.update.update_id);
    });
  }

  return async (ctx, next) => {
    Object.assign(ctx, { effects: [] });
    try {
      await next();
      for (let failures = 1; ; failures += 1) {
        try {
          commit(ctx);
          return;
        } catch (error) {
          if (!isStoreFault(error) || signal.aborted) throw error;
          log.error(
            { event: "update.again", updateId: ctx.update.update_id, err: error },
            "an update waits for the store",
          );
        }
        await pause(backoffMs(failures), signal);
      }
    } catch (error) {
      if (ctx.request) refund(ctx.request);
      throw error;
    }
  };
}

export interface ClassifyDeps {
  /** Milliseconds since a time of Telegram's. */
  readonly ageOf: (sentAt: number) => number;
  readonly staleAfterMs: number;
  readonly now: Now;
}

/** Says what the update asks for, whatever its type, whether that is work, a look or control, and whether it comes too late. */
export function classify(deps: ClassifyDeps): MiddlewareFn<SallyContext> {
  return async (ctx, next) => {
    ctx.request = aged(requestOf(ctx.update, ctx.me), deps);
    await next();
  };
}

/** An edit that comes late starts nothing; a prompt that does is only kept, which takes neither money nor a token of work. */
function aged(request: Request, { ageOf, staleAfterMs, now }: ClassifyDeps): Request {
  if (request.sentAt === null) return request;
  const ageMs = ageOf(request.sentAt);
  const isStale = ageMs > staleAfterMs;
  const kind = isStale && request.body.kind === "prompt" ? "look" : request.kind;
  return { ...request, kind, isStale, sentAt: now() - ageMs };
}

/** One gate of the guard. Who is refused is told where that is right, and what comes after is not called. */
export function gate(guard: Guard, name: GateName, replies: Replies): MiddlewareFn<SallyContext> {
  return async (ctx, next) => {
    const verdict = guard.pass(name, ctx.request, (record) => ctx.effects.push(record));
    if (verdict.kind === "admit") {
      ctx.request = verdict.request;
      await next();
      return;
    }
    const { body } = ctx.request;
    // Who presses sees that something came of it; the next one of a heap of messages is passed over.
    const isTold = verdict.kind === "wait" && body.kind === "button";
    const text = refusalText(
      isTold ? { ...verdict, isFirstInWindow: true } : verdict,
      body.kind === "unsupported" ? body.what : "message",
    );
    if (text !== null) replies.say(ctx, text);
  };
}

interface WelcomeDeps {
  readonly store: Store;
  readonly isStranger: (userId: number | null) => boolean;
  /** Notes that the person was here. */
  readonly seen: (userId: number) => void;
  readonly sender: { readonly kick: (chatId: number) => void };
  readonly log: Logger;
}

/**
 * Somebody who may come in was here, whatever he wants and whether or not he gets it: his login is in use, and what was kept for a
 * chat that was shut to the bot is sent. That he shuts it is told by an update as well (Bot API, `my_chat_member`).
 */
export function welcomeBack({
  store,
  isStranger,
  seen,
  sender,
  log,
}: WelcomeDeps): MiddlewareFn<SallyContext> {
  function serve(chatId: number): void {
    if (!store.chats.serve(chatId)) return;
    store.afterCommit(() => {
      log.info({ event: "outbox.served", chatId }, "a chat can be written to again");
      sender.kick(chatId);
    });
  }

  return async (ctx, next) => {
    const { conversation, principal } = ctx.request;
    if (!isFarewell(ctx.update)) {
      ctx.effects.push(() => {
        if (principal !== null && !isStranger(principal.userId)) seen(principal.userId);
        serve(conversation.chatId);
      });
    }
    await next();
  };
}

/** Puts on record what the gates let in, in the transaction of what it leads to. */
export function auditAdmitted(admitted: (request: Request) => void): MiddlewareFn<SallyContext> {
  return async (ctx, next) => {
    ctx.effects.push(() => admitted(ctx.request));
    await next();
  };
}

interface FaultDeps {
  readonly log: Logger;
  /** Sets the update aside and tells the person and the owners. */
  readonly bury: (update: Update) => void;
}

/**
 * A handler that failed has written nothing: its update is set aside, visibly. The error's own payload is not logged. Throws
 * when nothing can be written just now: then the update is as it was, and is taken up at the next start.
 */
export function reportFault({ log, bury }: FaultDeps): (error: BotError<SallyContext>) => void {
  return ({ error, ctx }) => {
    if (isStoreFault(error)) throw error;
    const updateId = ctx.update.update_id;
    log.error(
      { event: "update.fault", updateId, err: error },
      `an update could not be handled: ${messageOf(error)}`,
    );
    bury(ctx.update);
  };
}
