import type { MiddlewareFn } from "grammy";
import type { AuditEvent } from "../domain/audit-event.ts";
import type { Now } from "../domain/clock.ts";
import type { MicroUsd } from "../domain/money.ts";
import type { Request } from "../domain/request.ts";
import { redactShapes } from "../domain/secret-shapes.ts";
import type { FindFile, NamedFile } from "../security/named-file.ts";
import { shorten } from "../security/visible.ts";
import type { Turns } from "../turns/turns.ts";
import { COMMANDS } from "./command-menu.ts";
import type { SallyContext } from "./context.ts";
import { exposeFile } from "./handle-expose.ts";
import { type HostsDeps, showHosts } from "./handle-hosts.ts";
import { type LockDeps, lockBot } from "./handle-lock.ts";
import type { PressDeps } from "./handle-press.ts";
import { repoKeys } from "./project-keys.ts";
import { projectText, statusText } from "./status-text.ts";
import { WORDS } from "./wording.ts";
import { lateCommandText } from "./wording-recovery.ts";

/** These are answered whenever they come: they only tell. The others could hit what began long after they were sent. */
const TIMELESS = ["start", "help", "status", "hosts"];

export interface CommandDeps extends PressDeps, LockDeps, HostsDeps {
  readonly turns: Turns;
  readonly spending: (userId: number) => {
    readonly spentMicroUsd: MicroUsd;
    readonly limitMicroUsd: MicroUsd | null;
    readonly window: string;
  };
  /** How tool calls are decided, in words. */
  readonly mode: "jail" | "ask" | "plan";
  /** True when the name could lead out of the approved directory: that is put on record. */
  readonly isSuspicious: (name: string) => boolean;
  /** Finds a file of a project. */
  readonly findFile: FindFile;
  readonly now: Now;
}

/** A command with what was looked up for it. */
interface Asked {
  readonly name: string;
  readonly argument: string;
  readonly names: readonly string[];
  readonly file: NamedFile;
}

const GONE: NamedFile = { kind: "gone" };

/** The commands. Each only reads or writes rows; none waits for Claude. */
export function handleCommand(deps: CommandDeps): MiddlewareFn<SallyContext> {
  const { store, turns, projects, replies, record } = deps;

  return async (ctx, next) => {
    const { request } = ctx;
    if (request.body.kind !== "command" || !request.principal) return next();
    const { name, argument } = request.body;
    const who = { userId: request.principal.userId, conversation: request.conversation };
    if (request.isStale && !TIMELESS.includes(name)) {
      const ageMs = deps.now() - (request.sentAt ?? deps.now());
      return replies.say(ctx, lateCommandText(name, ageMs));
    }
    const names = name === "repo" ? await projects.list() : [];
    const file = name === "expose" ? await fileOf(request, argument) : GONE;
    ctx.effects.push(() => {
      record({ type: "command.run", name }, who);
      run(request, who.userId, { name, argument, names, file });
    });
    return undefined;
  };

  function run(request: Request, userId: number, { name, argument, names, file }: Asked): void {
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
            ...deps.spending(userId),
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
        noteTraversal(request, userId, argument);
        exposeFile(deps, request, file);
        return;
      case "lock":
        lockBot(deps, request);
        return;
      case "repo":
        chooseRepo(request, userId, { argument, names });
        return;
    }
  }

  async function fileOf({ conversation }: Request, argument: string): Promise<NamedFile> {
    const project = store.conversations.find(conversation)?.project ?? null;
    return project === null ? GONE : deps.findFile(project, argument);
  }

  function noteTraversal({ conversation }: Request, userId: number, argument: string): void {
    if (!deps.isSuspicious(argument)) return;
    const event: AuditEvent = {
      type: "violation.path_traversal",
      path: shorten(redactShapes(argument), 200),
    };
    record(event, { userId, conversation });
  }

  function chooseRepo(
    request: Request,
    userId: number,
    { argument, names }: { argument: string; names: readonly string[] },
  ): void {
    if (names.length === 0) {
      replies.tell(request, WORDS.noProjects);
      return;
    }
    if (names.includes(argument)) {
      turns.chooseProject(store.conversations.at(request.conversation), argument);
      replies.tell(request, projectText(argument));
      return;
    }
    noteTraversal(request, userId, argument);
    const found =
      argument === "" ? names : names.filter((name) => name.toLowerCase().includes(argument.toLowerCase()));
    const text = found.length === 0 ? WORDS.noSuchProject : WORDS.pickProject;
    replies.tell(
      request,
      text,
      repoKeys(replies, request, { names: found.length === 0 ? names : found, page: 0 }),
    );
  }
}

function helpText(): string {
  const lines = Object.entries(COMMANDS).map(([name, { description }]) => `/${name}: ${description}`);
  return `${WORDS.help}\n\n${lines.join("\n")}`;
}
