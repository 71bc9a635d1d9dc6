import type { Remarks } from "./faults.ts";
import { nearMissOf } from "./nearest.ts";
import { type Parser, wordList } from "./values.ts";

/** What the CLI of the development dependency offers when it is asked for by name; a test asks it. A later one may have more. */
export const KNOWN_TOOLS: readonly string[] = (
  "Agent AskUserQuestion Bash CronCreate CronDelete CronList Edit EnterPlanMode EnterWorktree ExitPlanMode ExitWorktree Glob Grep " +
  "ListAgents Monitor NotebookEdit Read ReportFindings ScheduleWakeup SendMessage Skill Task TaskCreate TaskGet TaskList TaskStop " +
  "TaskUpdate ToolSearch WebFetch Workflow Write"
).split(" ");

const NOT_TO_BE_HAD = "WebSearch";
const EXPECTED = `names of the CLI's tools separated by commas, such as Bash,Read, and ${NOT_TO_BE_HAD} not among them`;

/**
 * Names of the CLI's tools, but for the web search, which the API's own machines do. One that is a slip of the pen away from a known tool's is refused,
 * for the CLI would leave it out in silence.
 */
export const claudeTools: Parser<readonly string[]> = wordList(
  EXPECTED,
  /^(?!WebSearch$)[A-Z][A-Za-z]*$/,
).superRefine((names, context) => {
  const slips = names.flatMap((name) => {
    const meant = KNOWN_TOOLS.includes(name) ? null : nearMissOf(name, [...KNOWN_TOOLS, NOT_TO_BE_HAD], 1);
    return meant === null ? [] : [{ name, meant }];
  });
  if (slips.length === 0) return;
  const hints = slips.flatMap(({ name, meant }) => (meant === NOT_TO_BE_HAD ? [] : [`${meant} for ${name}`]));
  const hint = hints.length === 0 ? "" : ` (did you mean ${hints.join(", ")}?)`;
  context.addIssue({ code: "custom", message: `${EXPECTED}${hint}` });
});

/** Warns of tools that are not known, which the CLI leaves out in silence when it does not have them either. */
export function checkTools(names: readonly string[] | undefined): Remarks {
  const unknown = (names ?? []).filter((name) => !KNOWN_TOOLS.includes(name));
  if (unknown.length === 0) return { faults: [], warnings: [] };
  const text = `CLAUDE_TOOLS names ${unknown.join(", ")}: no tool of the Claude CLI that this program was tried with, and left out where the CLI in use has none of that name`;
  return { faults: [], warnings: [text] };
}
