import { sequentialize } from "@grammyjs/runner";
import { Bot } from "grammy";
import type { Update } from "grammy/types";
import type { Request } from "../domain/request.ts";
import type { Logger } from "../log/logger.ts";
import type { Guard } from "../security/admit.ts";
import {
  auditAdmitted,
  type ClassifyDeps,
  classify,
  commitTogether,
  gate,
  reportFault,
  welcomeBack,
} from "./chain.ts";
import type { SallyContext } from "./context.ts";
import { type CommandDeps, handleCommand } from "./handle-command.ts";
import { handleLogin, type LoginDeps, logIn } from "./handle-login.ts";
import { handlePress } from "./handle-press.ts";
import { handleEdit, handlePrompt } from "./handle-prompt.ts";
import { laneOf } from "./request.ts";

export interface BotDeps extends CommandDeps, ClassifyDeps, LoginDeps {
  readonly token: string;
  readonly apiRoot: string;
  readonly guard: Guard;
  readonly admitted: (request: Request) => void;
  readonly seen: (userId: number) => void;
  readonly saveLimits: () => () => void;
  readonly refund: (request: Request) => void;
  readonly bury: (update: Update) => void;
  /** Aborted when the daemon ends. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** How long a call to the Bot API may take. */
const CALL_SECONDS = 30;

/** The chain, one line a link. What an update leads to is committed in one transaction when the chain has run. */
export function createBot(deps: BotDeps): Bot<SallyContext> {
  const { guard, replies } = deps;
  const bot = new Bot<SallyContext>(deps.token, {
    client: { apiRoot: deps.apiRoot, timeoutSeconds: CALL_SECONDS, sensitiveLogs: false },
  });
  bot.use(sequentialize((ctx) => laneOf(ctx.update)));
  bot.use(commitTogether(deps));
  bot.use(classify(deps));
  bot.use(logIn(deps));
  bot.use(gate(guard, "authenticate", replies));
  bot.use(welcomeBack(deps));
  bot.use(gate(guard, "checkLock", replies));
  bot.use(gate(guard, "limitRate", replies));
  bot.use(gate(guard, "limitCost", replies));
  bot.use(gate(guard, "validateInput", replies));
  bot.use(auditAdmitted(deps.admitted));
  bot.use(handleLogin(deps));
  bot.use(handlePress(deps));
  bot.use(handleCommand(deps));
  bot.use(handlePrompt(deps));
  bot.use(handleEdit(deps));
  bot.catch(reportFault(deps));
  return bot;
}
