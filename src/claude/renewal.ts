import { randomUUID } from "node:crypto";
import { relative } from "node:path";
import type { ClaudeEvent } from "../domain/claude-event.ts";
import type { JailLoss } from "../jail/jail.ts";
import type { Logger } from "../log/logger.ts";
import { quote } from "../security/visible.ts";
import { hasTranscript, withholdResults } from "./transcript.ts";
import type { ClaudeTurn } from "./types.ts";

const PROJECT_ITSELF = ".";

interface ToldLoss {
  readonly kind: Extract<ClaudeEvent, { cause: unknown }>["kind"];
  readonly loss: JailLoss;
}

/** Tells the turn that a jail was killed and why. What its listener throws is logged. */
export function tellLoss(log: Logger, turn: ClaudeTurn, { kind, loss }: ToldLoss): void {
  try {
    turn.onEvent({ kind, cause: loss.kind, path: belowProject(turn, loss) });
  } catch (error) {
    log.error({ event: "claude.event_failed", kind, err: error }, "an event was not taken");
  }
}

/** What was lost, relative to the project; `.` for the project itself. */
export function belowProject({ session }: ClaudeTurn, { path }: JailLoss): string {
  return relative(session.project, path) || PROJECT_ITSELF;
}

/** The rest of a turn whose jail was killed: what the model has not seen is taken from it, and why is said in words of ours. */
export async function renew(turn: ClaudeTurn, loss: JailLoss): Promise<ClaudeTurn> {
  const { configDir, sessionId } = turn.session;
  await withholdResults(configDir, sessionId);
  const isResume = await hasTranscript(configDir, sessionId);
  const prompt = renewalPrompt(loss.kind, belowProject(turn, loss));
  return {
    ...turn,
    uuid: randomUUID(),
    session: { ...turn.session, isResume },
    prompt: isResume ? prompt : `${prompt}\n\nThe task:\n${turn.prompt}`,
    onPrompting: () => undefined, // it began long ago
  };
}

function renewalPrompt(cause: JailLoss["kind"], path: string): string {
  return `Your sandbox was ended in the middle of your work and made anew, because ${whyOf(cause, path)}. The result of your last tool call was withheld, and the call may have been done in part. Look at what is there, then go on with the task. Do not look for what it held.`;
}

function whyOf(cause: JailLoss["kind"], path: string): string {
  switch (cause) {
    case "secret":
      return `the file ${quote(path)}, which may hold secrets, appeared in the project; it reads as empty now`;
    case "protection":
      return `something that is protected, ${quote(path)}, was exchanged on the person's machine`;
    case "unwatched":
      return `the folder ${quote(path)} of the project could not be watched for files that hold secrets: it may not be listed, or files change there faster than they can be looked at`;
  }
}
