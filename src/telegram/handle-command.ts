import type { MiddlewareFn } from "grammy";
import type { Now } from "../domain/clock.ts";
import type { Request } from "../domain/request.ts";
import { redactShapes } from "../log/redact.ts";
import type { FindFile, NamedFile } from "../security/named-file.ts";
import type { FindViolation, PathViolation } from "../security/path-violation.ts";
import { shorten } from "../security/visible.ts";
import type { Store } from "../store/store.ts";
import type { Turns } from "../turns/turns.ts";
import { COMMANDS } from "./command-menu.ts";
import type { SallyContext } from "./context.ts";
import { type AccessCommandDeps, isAccessCommand, manageAccess } from "./handle-access.ts";
import { showAudit } from "./handle-audit.ts";
import { exposeFile } from "./handle-expose.ts";
import { type GrantDeps, grantMoney } from "./handle-grant.ts";
import { type HostsDeps, showHosts } from "./handle-hosts.ts";
import { type LockDeps, lockBot } from "./handle-lock.ts";
import type { PressDeps } from "./handle-press.ts";
import { chooseRepo, type FoundProjects, findProjects, isThere, NO_PROJECTS } from "./handle-repo.ts";
import { statusText } from "./status-text.ts";
import { WORDS } from "./wording.ts";
import { lateCommandText } from "./wording-recovery.ts";

/** The longest path that is put on record. */
const MAX_PATH = 200;
/**
 * These are carried out whenever they come: they only tell, or they end logins and so must not be lost, and look themselves at what
 * came about after they were sent. The others could hit what began long after that.
 */
const TIMELESS = ["start", "help", "status", "hosts", "audit", "users", "login", "logout", "revoke", "lock"];

export interface CommandDeps
  extends PressDeps,
    LockDeps,
    HostsDeps,
    GrantDeps,
    Omit<AccessCommandDeps, "sender" | "store" | "turns"> {
  readonly store: Store;
  readonly turns: Turns;
  /** How tool calls are decided, in words. */
  readonly mode: "jail" | "ask" | "plan";
  /** Tells a try at what may not be reached from a wrong name: that is put on record. */
  readonly findViolation: FindViolation;
  /** Finds a file of a project. */
  readonly findFile: FindFile;
  readonly now: Now;
}

/** A command with what was looked up for it. */
interface Asked {
  readonly name: string;
  readonly argument: string;
  readonly found: FoundProjects;
  readonly file: NamedFile;
}

const GONE: NamedFile = { kind: "gone" };

/** The commands. Each only reads or writes rows; none waits for Claude. */
export function handleCommand(deps: CommandDeps): MiddlewareFn<SallyContext> {
  const { store, turns, replies, record } = deps;

  return async (ctx, next) => {
    const { request } = ctx;
    if (request.body.kind !== "command" || !request.principal) return next();
    const { name, argument } = request.body;
    const who = { userId: request.principal.userId, conversation: request.conversation };
    if (request.isStale && !TIMELESS.includes(name)) {
      const ageMs = deps.now() - (request.sentAt ?? deps.now());
      return replies.say(ctx, lateCommandText(name, ageMs));
    }
    const found = name === "repo" ? await findProjects(deps, argument) : NO_PROJECTS;
    const file = name === "expose" ? await fileOf(request, argument) : GONE;
    const violation = isThere(found) ? null : await violationOf(request, name, argument);
    ctx.effects.push(() => {
      record({ type: "command.run", name }, who);
      if (violation !== null)
        record({ type: `violation.${violation}`, path: shorten(redactShapes(argument), MAX_PATH) }, who);
      run(request, who.userId, { name, argument, found, file });
    });
    return undefined;
  };

  function run(request: Request, userId: number, { name, argument, found, file }: Asked): void {
    if (isAccessCommand(name)) {
      manageAccess(deps, request, { name, argument });
      return;
    }
    const conversation = store.conversations.at(request.conversation);
    switch (name) {
      case "start":
        replies.tell(request, `${WORDS.hello}\n\n${helpText()}`);
        return;
      case "help":
        replies.tell(request, helpText());
        return;
      case "new":
        turns.forget(conversation, userId);
        replies.tell(
          request,
          turns.status(conversation.id).queued.length > 0 ? WORDS.newSessionQueued : WORDS.newSession,
        );
        return;
      case "stop": {
        const effect = turns.stop(conversation.id);
        const waiting = store.work.queued(conversation.id).length;
        if (effect === "late") replies.tell(request, WORDS.nothingRuns);
        else if (effect === "released") replies.tell(request, WORDS.released);
        else if (effect === "stopping" && waiting > 0)
          replies.tell(request, `${WORDS.stopping} ${waiting} more in the queue will run after it.`);
        return;
      }
      case "status":
        replies.tell(
          request,
          statusText({
            ...turns.status(conversation.id),
            spending: deps.spending(userId),
            conversation,
            lock: deps.lock.state(),
            mode: deps.mode,
            now: deps.now(),
          }),
        );
        turns.askAgain(conversation.id);
        return;
      case "hosts":
        showHosts(deps, request, userId);
        return;
      case "expose":
        exposeFile(deps, request, file);
        return;
      case "audit":
        showAudit(deps, request, argument);
        return;
      case "grant":
        grantMoney(deps, request, argument);
        return;
      case "lock":
        lockBot(deps, request);
        return;
      case "repo":
        chooseRepo(deps, request, found);
        return;
    }
  }

  async function fileOf({ conversation }: Request, argument: string): Promise<NamedFile> {
    const project = store.conversations.find(conversation)?.project ?? null;
    return project === null ? GONE : deps.findFile(project, argument);
  }

  async function violationOf(
    { conversation }: Request,
    name: string,
    argument: string,
  ): Promise<PathViolation | null> {
    if (name !== "repo" && name !== "expose") return null;
    const project = name === "expose" ? (store.conversations.find(conversation)?.project ?? null) : null;
    return deps.findViolation(project, argument);
  }
}

function helpText(): string {
  const lines = Object.entries(COMMANDS).map(([name, { description }]) => `/${name}: ${description}`);
  return `${WORDS.help}\n\n${lines.join("\n")}`;
}
