import type { PressRefusal } from "../domain/button.ts";
import type { FailureCode } from "../domain/claude-event.ts";
import { type Cleaned, OTHERS_COMMAND } from "../domain/request.ts";
import type { DenyReason, Verdict } from "../domain/verdict.ts";
import type { Work } from "../domain/work.ts";
import type { ApprovalEnd } from "../turns/presenter.ts";
import type { Effect } from "../turns/press.ts";
import { fileDeniedText } from "./wording-files.ts";
import { lockedText } from "./wording-lock.ts";
import { spentText } from "./wording-money.ts";

/** Everything that people read, in one place: another language is another file of this shape. */
export const WORDS = {
  working: "Working…",
  stopping: "Stopping…",
  stopped: "⏹ Stopped.",
  finished: "See below.",
  answerFollows: "…",
  partRefused: "⚠️ Telegram would not show a part of this answer. Ask for it in another form, or as a file.",
  dropped: "Dropped: it will not run.",
  notAgain: "Dropped: it will not run again.",
  nothingRuns: "Nothing is running here.",
  newSession: "The next message begins a new session.",
  newSessionQueued: "A new session begins with the next message in the queue.",
  chooseProject: "Which project? Your message is kept and runs there.",
  projectGoneChoose:
    "The project of this conversation is not there any more. Which one instead? Your message is kept and runs there.",
  keptUntilRead:
    "Your message is kept. Once that is done, it runs as soon as you send /repo or another message.",
  pickProject: "Which project?",
  noProjects: "There is no project yet: make a folder in the approved directory, then send /repo again.",
  interruptedPlaceholder: "⏹ Cut off by a restart of the bot.",
  editedTooLate: "You edited a message that has run already, or is running. Shall the new text run as well?",
  editedFile:
    "If you exchanged the file of that message: I keep the first one. Send the other as a new message.",
  editedInQueue: "The waiting message now has your new text.",
  fault:
    "Something went wrong on my side, and this message was set aside unhandled. Nothing was run. My owner has been told.",
  hello: "I run Claude Code for you, in the projects of this machine that my owner has approved.",
  help: "Send a message and Claude works on it in the chosen project. What would change something is asked first, with buttons. While a turn runs, further messages queue up.",
  projectGone: "That project is not there any more: send /repo to see them.",
  noSuchProject: "There is no project of that name. These are there:",
  waitsForProject: "Kept until you have chosen a project.",
  waitsForAnswer: "Kept: first say what shall happen to the turn that was cut off, or send /stop to drop it.",
  waitsForMoney: "Waits: all that is left of the budget is reserved by a turn that runs.",
  setAside: "Kept: it waited too long to run by itself. See below.",
  toldToRun: "Told to run: see below.",
  chooseProjectLate: "Which project? Your message is kept for it.",
  released: "The turn that was cut off is dropped; the queue goes on.",
  tooLate: "Too late for that.",
  ownerFault:
    "A message could not be handled and was set aside: the log says why (event inbox.buried or update.fault).",
  ownerBackupFailed:
    "Tonight's backup of my database failed, so the newest one is from before. I try again every hour; the log says why (event backup.failed).",
  othersCommand:
    "A command that was forwarded, or comes by way of another bot, is not carried out. If you mean it, write it yourself.",
  noBody: "(no text)",
  topicGone: "A topic of this chat is gone: what belonged there comes here from now on.",
} as const;

/** Labels of buttons. */
export const LABELS = {
  stop: "Stop",
  allow: "Allow once",
  deny: "Deny",
  done: "Done",
  run: "Run",
  show: "Show",
  runNow: "Run now instead",
  drop: "Drop",
  goOn: "Continue it",
  again: "Run it again",
  runEdited: "Run it",
  ignore: "Leave it",
  previous: "‹ Earlier",
  next: "More ›",
} as const;

/** Why a turn failed, in words; the CLI's or the API's own line follows where there is one. */
export const FAILURES: Readonly<Record<FailureCode, string>> = {
  auth: "Claude does not accept the credentials. The owner has to renew them.",
  billing: "The Claude account has no credit left.",
  budget: "The budget of this request is used up.",
  rate_limit: "Claude's rate limit is reached.",
  overloaded: "Claude is overloaded just now.",
  server: "Claude's servers failed to answer.",
  model_refused: "Claude asked for a model that nobody chose, and was refused it.",
  model_not_found: "The chosen model does not exist, or this account may not use it.",
  too_long: "The session has outgrown the model's context. Send /new to begin a new one.",
  image: "An image in this session could not be processed.",
  max_turns: "The turn reached its limit of steps.",
  file_refused: "A file of this message was not taken, so nothing was run.",
  file_unfetched: "A file of this message could not be fetched from Telegram, so nothing was run.",
  files_unkept: "Files cannot be kept on this machine as it stands, so nothing was run.",
  session_lost: "The session is gone from disk, so nothing was run. Run it again to begin a new session.",
  project_gone:
    "The project's folder is not there any more, or leads elsewhere. Send /repo to see what is there.",
  project_shut: "The project's folder is closed to me, so nothing was run.",
  session_busy: "The session is in use elsewhere.",
  startup: "Claude could not be started.",
  jail_lost: "Its sandbox had to be ended again and again, so the turn was ended. The last time because of:",
  protocol: "Claude said something that could not be understood, so it was ended.",
  crashed: "Claude ended unexpectedly.",
  stalled: "Claude fell silent and was ended.",
  unknown: "Claude ended with an error.",
};

/** How an approval ended, below what was asked. */
export const APPROVAL_ENDS: Readonly<Record<ApprovalEnd, string>> = {
  allowed: "✅ Allowed once.",
  denied: "❌ Denied.",
  expired: "⌛ Nobody answered in time, so it was denied.",
  unshown: "Telegram would not show this question, so it was denied.",
  withdrawn: "The turn ended before anybody answered.",
  answered: "Answered.",
};

/** What a press came to, as a toast; null where the screen shows it. */
export const EFFECTS: Readonly<Record<Effect, string | null>> = {
  done: null,
  stopping: WORDS.stopping,
  dropped: null,
  released: null,
  held: WORDS.waitsForAnswer,
  late: WORDS.tooLate,
};

/** Why a press did nothing: shown as a toast. */
export const PRESSES: Readonly<Record<PressRefusal, string>> = {
  unknown: "This button is not one of mine.",
  used: "This has been answered already.",
  expired: "This has expired.",
  not_yours: "Only the person asked, or an owner, may press this.",
  elsewhere: "This button belongs to another conversation.",
};

/** The line that answers a refusal; null where silence is the answer. */
export function refusalText(verdict: Exclude<Verdict, { kind: "admit" }>, what: string): string | null {
  switch (verdict.kind) {
    case "deny":
      return denialText(verdict.reason, { detail: verdict.detail, what });
    case "locked":
      return `${lockedText(verdict.since)} Nothing was run.`;
    case "wait":
      return verdict.isFirstInWindow
        ? `That was a lot at once. Wait ${Math.ceil(verdict.retryAfterMs / 1000)} s; what you sent was not run. More that comes too soon gets no answer for a while.`
        : null;
    case "spent":
      return spentText(verdict);
  }
}

function denialText(
  reason: DenyReason,
  { detail, what }: { detail: string | null; what: string },
): string | null {
  switch (reason) {
    case "not_whitelisted":
    case "no_person":
    case "not_private":
      return null;
    case "empty":
      return "There was no text in that message.";
    case "too_long":
      return `That message is too long${detail ? ` (${detail})` : ""}. Nothing was run.`;
    case "file_too_large":
      return fileDeniedText("too_large", detail);
    case "file_type":
      return fileDeniedText("type", detail);
    case "file_other_archive":
      return fileDeniedText("other_archive", detail);
    case "file_secret":
      return fileDeniedText("secret", detail);
    case "unsupported_content":
      if (what === OTHERS_COMMAND) return WORDS.othersCommand;
      return what.startsWith("update:")
        ? null
        : `I can only read text, photos and files so far, so I left the ${what} aside.`;
  }
}

/** Something in a jail asked for a model that nobody chose. */
export function modelRefusedText({ project, userId }: Work, model: string): string {
  return `A program in the sandbox of ${project ?? "a project"} (user ${userId}) asked for the model ${model}, which nobody chose. It did not get it. If you want it: CLAUDE_MODEL or CLAUDE_FALLBACK_MODEL.`;
}

const CLEANED: Readonly<Record<Cleaned["what"], string>> = {
  control: "control",
  bidi: "text-direction",
  tag: "invisible tag",
  zero_width: "zero-width",
  surrogate: "broken",
};

/** What was taken out of a prompt; null when nothing was. */
export function cleanedText(cleaned: readonly Cleaned[]): string | null {
  if (cleaned.length === 0) return null;
  return `Removed from your text: ${cleaned.map(({ what, count }) => `${count} ${CLEANED[what]}`).join(", ")} characters.`;
}
