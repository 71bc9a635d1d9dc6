import type { ApprovedPath } from "../domain/approved-path.ts";
import type { ClaudeEvent, ClaudeTurnEnd, PolicyVerdict, ToolAsk } from "../domain/claude-event.ts";
import type { NetPolicy } from "../domain/net.ts";
import { conversationKey } from "../domain/request.ts";
import type { Work } from "../domain/work.ts";
import { createGitPolicy } from "./git-policy.ts";
import { createNetPolicy } from "./net-policy.ts";
import { createPayer } from "./payer.ts";
import { createRefusalRecord } from "./refusal-record.ts";
import type { PreparedTurn, RunTurnDeps } from "./run-turn.ts";

/** Tools that change nothing, whatever they are given: a project in which only these were used is not looked through. */
const READING = [
  "Read",
  "Glob",
  "Grep",
  "TodoWrite",
  "AskUserQuestion",
  "ExitPlanMode",
  "WebSearch",
  "WebFetch",
];

/** Has Claude run a turn in its project, which is looked at before this resolves. Rejects when it cannot be begun. */
export function createAsk(
  deps: RunTurnDeps,
): (turn: PreparedTurn, onEvent: (event: ClaudeEvent) => void) => Promise<ClaudeTurnEnd> {
  const { store, desk, record, allowedHosts } = deps;

  function netOf(work: Work, project: string, path: ApprovedPath): NetPolicy {
    const { isOwner, git } = deps;
    const onRefused = createRefusalRecord({ store, record, work });
    return {
      onRefused,
      ...createNetPolicy({ store, desk, record, onRefused, allowedHosts, work, project }),
      ...createGitPolicy({ store, desk, record, onRefused, git, isOwner, work, project, path }),
    };
  }

  /** Without a wait for the disk: what a loss of power takes back of it, it takes back of the call too. */
  function onPolicy(work: Work, { toolName, toolUseId, input }: ToolAsk, verdict: PolicyVerdict): void {
    const fields = {
      tool: toolName,
      toolUseId,
      summary: deps.summarise(toolName, input),
      by: "policy",
    } as const;
    store.lightly(() => {
      if (verdict.kind === "allowed") record({ type: "tool.allowed", ...fields }, { work });
      else record({ type: "tool.denied", ...fields, cause: verdict.cause }, { work });
    });
  }

  /** Where a turn of this life has used a tool that may change something, or leave behind what does so later. */
  const touched = new Set<string>();

  return async ({ work, session, signal }, onEvent) => {
    const called: string[] = [];
    const [project, configDir] = await Promise.all([
      deps.resolveProject(session.project),
      deps.configDirOf(work.userId, session.project),
    ]);
    const workshop = await deps.workshopOf(work.userId, project);
    const run = (): Promise<ClaudeTurnEnd> =>
      deps.claude.run({
        session: {
          conversationKey: conversationKey(work.conversation),
          userId: work.userId,
          project,
          configDir,
          workshop,
          sessionId: session.id,
          isResume: session.isResumable,
        },
        prompt: work.text,
        uuid: work.uuid,
        payer: createPayer({ ledger: store.ledger, work, record }),
        net: netOf(work, session.project, project),
        onEvent: (event) => {
          if (event.kind === "tool_started") called.push(event.name);
          onEvent(event);
        },
        onPrompting: () =>
          store.transaction(() => {
            store.work.setState(work.id, "running");
            store.baselines.note(project, work.id);
            const event = { workId: work.id, project: session.project, isResumed: session.isResumable };
            record({ type: "turn.started", ...event }, { work });
          }),
        onPolicy: (call, verdict) => onPolicy(work, call, verdict),
        decide: (call, callSignal) => desk.decide(work, call, callSignal),
        signal,
      });
    return deps.watch.during({
      root: project,
      work,
      run,
      mayHaveChanged: ({ outcome }) => {
        if (outcome.kind !== "completed" || called.some((name) => !READING.includes(name)))
          touched.add(project);
        return touched.has(project);
      },
      endWarm: () => deps.claude.forget(conversationKey(work.conversation)),
    });
  };
}
