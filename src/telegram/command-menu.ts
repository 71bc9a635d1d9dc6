import type { Api } from "grammy";
import type { RequestKind } from "../domain/request.ts";
import type { Logger } from "../log/logger.ts";
import { endOf } from "./call.ts";

interface CommandEntry {
  readonly kind: RequestKind;
  /** What the menu says; 1-256 characters. */
  readonly description: string;
}

/** The bot's commands, in the order of the menu. */
export const COMMANDS = {
  new: { kind: "look", description: "Begin a new session in this project" },
  stop: { kind: "control", description: "End the running turn" },
  status: { kind: "look", description: "What runs, what waits, what it cost" },
  repo: { kind: "look", description: "Choose the project" },
  hosts: { kind: "look", description: "What programs in the sandbox may reach" },
  expose: { kind: "look", description: "For owners: show Claude a file that may hold secrets" },
  audit: { kind: "look", description: "For owners: what is on record" },
  grant: { kind: "look", description: "For owners: let a person spend more" },
  lock: {
    kind: "control",
    description: "For owners: end everything, take no work until unlocked at the machine",
  },
  login: { kind: "look", description: "Log in with a token that an owner gave you" },
  logout: { kind: "control", description: "End your login" },
  invite: { kind: "look", description: "For owners: make a token, /invite [member|owner] [days]" },
  revoke: { kind: "control", description: "For owners: end a login or an invite, /revoke <id>" },
  users: { kind: "look", description: "For owners: who may come in, and which invites are open" },
  help: { kind: "look", description: "What this bot does and how" },
  start: { kind: "look", description: "Say hello" },
} as const satisfies Readonly<Record<string, CommandEntry>>;

export type CommandName = keyof typeof COMMANDS;

/** Registers the menu with Telegram; tried once a start, since a bot without a menu works all the same. */
export function registerMenu(api: Api, log: Logger): void {
  const commands = Object.entries(COMMANDS).map(([command, { description }]) => ({ command, description }));
  endOf(api.setMyCommands(commands))
    .then((end) => {
      if (end.kind !== "ok") log.warn({ event: "telegram.menu", end }, "the command menu was not registered");
    })
    .catch((error: unknown) =>
      log.warn({ event: "telegram.menu", err: error }, "the command menu was not registered"),
    );
}
