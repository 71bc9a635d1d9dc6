/** A hole that programs of this kind have shipped, by its number, in words. */
export interface Hole {
  readonly number: string;
  readonly title: string;
  /** True where a regression test that bears the number has to be there; of the others the list shows what there is. */
  readonly isRequired: boolean;
}

const TITLES: Readonly<Record<string, string>> = {
  H01: "a path of a command or button leaves the approved directory",
  H02: "tool checks that never ran: what is allowed beforehand is not asked about",
  H03: "a boundary for commands by patterns of their text",
  H04: "no whitelist: everybody on Telegram has a shell",
  H05: "secret files kept by the names of uploads, and read by any other tool",
  H06: "the child inherits the daemon's environment",
  H07: "buttons and edits pass no gate",
  H08: "tokens compared by their masked form, kept in memory, with no way to use them",
  H09: "a message is charged twice by the limiter",
  H10: "money from guesses: true cost not counted, and forgotten at a restart",
  H16: "archives: links, sizes that lie, no bounds, a path that can be guessed",
  H17: "an audit in memory, or without refusals and strangers",
  H18: "git in a hostile repository runs its programs",
  H19: "strangers get answers, each time",
  H20: "prompts and answers in a file open to others, for ever",
  H21: "a link exchanged between check and use",
  H22: "the agent writes what lets it run more: settings, hooks, configs",
  H23: "the bot token in errors and traces",
  H24: "buttons that carry what they do, for everybody and for ever",
  H25: "an approval of what was not shown whole",
  H26: "identity by name or chat",
  H27: "a command that is delivered again acts again",
  H28: "the prompt on a command line",
  H29: "settings that are overwritten, unknown or unread in silence",
  H30: "a silent change to another model, key or payer",
  H31: "protected paths that can be moved or made anew, and the owner's git obeys",
  H32: "secrets masked as they stood when a process began",
  H33: "the program itself, or its settings, in the approved directory",
  H34: "one folder of the CLI for several people",
  H35: "invites and what was deleted in clear text in log and backups",
  H36: "variables of the daemon's environment that steer a child",
  H40: "messages of the time of an outage are dropped",
  H41: "a crash in a turn loses it and what waits",
  H42: "an error on resuming runs the prompt again",
  H43: "updates are handled twice after a restart",
  H44: "a process known by its number",
  H45: "one long turn holds up everybody",
  H46: "the answer waits behind the turn that waits for it",
  H47: "sleep and wake: a dead socket, or a loop of restarts",
  H48: "a conflict of the bot with itself",
  H49: "one failed call at the start, and nothing is polled",
  H50: "children that outlive the daemon",
  H51: "work cut by a wall, failure told as success",
  H52: "a conversation that is busy for ever",
  H53: "memory that grows for days",
  H60: "markup cut in two",
  H61: "raw text sent as markup",
  H62: "markup in what is none",
  H63: "a link that Telegram refuses",
  H64: "the answer twice, or cut",
  H65: "penalties for edits that come too often",
  H66: "harmless refusals taken for faults",
  H67: "one paste, several turns",
  H68: "pictures thrown away",
  H69: "a keyboard that Telegram refuses whole",
  H70: "directions in prose that are obeyed",
  H80: "a service definition that does not start, or for ever",
  H81: "a fault of the settings that restarts in a loop",
  H82: "two daemons on one token or database",
  H83: "a list of credentials that nothing reads",
};

/** Without a test by now. */
const AWAITED: readonly string[] = ["H67", "H70"];

/** All but those about webhooks (H11 to H15), which come with these. */
export const HOLES: readonly Hole[] = Object.entries(TITLES).map(([number, title]) => ({
  number,
  title,
  isRequired: !AWAITED.includes(number),
}));

/** The numbers that a test's name begins with: `H31: …`, `H06 H36: …`, `H41, H43: …`. */
export function numbersOf(name: string): readonly string[] {
  const head = /^(?:H\d\d[ ,]*)+(?=:)/.exec(name)?.[0] ?? "";
  return head.match(/H\d\d/g) ?? [];
}
