import type { ApprovedPath } from "../domain/approved-path.ts";
import type { AuditEvent } from "../domain/audit-event.ts";
import type { ClaudeEvent, ClaudeTurnEnd, PolicyVerdict, ToolAsk } from "../domain/claude-event.ts";
import { AppError } from "../domain/errors.ts";
import type { NetPolicy } from "../domain/net.ts";
import { conversationKey } from "../domain/request.ts";
import type { Work } from "../domain/work.ts";
import { createGatherFiles, type Gathered } from "./gather-files.ts";
import { createGitPolicy } from "./git-policy.ts";
import { createNetPolicy } from "./net-policy.ts";
import { createPayer } from "./payer.ts";
import { promptOf } from "./prompt-of.ts";
import { createRecordedNet } from "./recorded-net.ts";
import { createRefusalRecord } from "./refusal-record.ts";
import type { PreparedTurn, RunTurnDeps } from "./run-turn.ts";

/** Tools that change nothing, whatever they are given: a project in which only these were used is not looked through. */
const READING = ["Read", "Glob", "Grep", "TodoWrite", "AskUserQuestion", "ExitPlanMode", "WebFetch"];

const NO_FILES: Gathered = { kind: "ready", files: [] };
const NOTHING_RUN = { model: null, turnCostMicroUsd: null } as const;

/** Has Claude run a turn in its project, which is looked at before this resolves. Rejects when it cannot be begun, or not be put on record. */
export function createAsk(
  deps: RunTurnDeps,
): (turn: PreparedTurn, onEvent: (event: ClaudeEvent) => void) => Promise<ClaudeTurnEnd> {
  const { store, desk, record, allowedHosts } = deps;
  const gather = createGatherFiles(deps);

  function netOf(work: Work, project: string, path: ApprovedPath): NetPolicy {
    const { isOwner, git, lateRecord, log } = deps;
    const put = (event: AuditEvent): void => lateRecord.put(event, work);
    const onRefused = createRefusalRecord(put);
    const hosts = createNetPolicy({ store, desk, record, put, onRefused, allowedHosts, work, project });
    const repositories = createGitPolicy({
      ...deps,
      desk,
      put,
      onRefused,
      git,
      isOwner,
      work,
      project,
      path,
    });
    return {
      ...hosts,
      ...repositories,
      ...createRecordedNet({ ...hosts, ...repositories }, { store, record, work, log }),
      onRefused,
    };
  }

  /**
   * Without a wait for the disk: a loss of power takes the call's own writing along, though not what it sent elsewhere, which goes
   * only to places that are on the disk before (`recorded-net.ts`).
   */
  function onPolicy(work: Work, { toolName, toolUseId, input }: ToolAsk, verdict: PolicyVerdict): void {
    const fields = {
      tool: toolName,
      toolUseId,
      summary: deps.summarise(toolName, input),
    };
    const by = "policy";
    store.lightly(() => {
      if (verdict.kind === "left") record({ type: "tool.left", ...fields }, { work });
      else if (verdict.kind === "allowed") record({ type: "tool.allowed", by, ...fields }, { work });
      else record({ type: "tool.denied", by, ...fields, cause: verdict.cause }, { work });
      if (verdict.kind === "denied" && verdict.cause === "secret") {
        const event = { type: "violation.secret_access", workId: work.id, cause: "asked" } as const;
        record({ ...event, path: fields.summary }, { work });
      }
    });
  }

  /** What may not be entered is not begun in; what may only be read is told at the beginning of a session, and begun. */
  async function checkAccess(work: Work, project: ApprovedPath, isResumed: boolean): Promise<void> {
    const faults = await deps.accessFaults(project);
    const grave = faults.filter(({ isGrave }) => isGrave);
    if (grave.length > 0) throw new AppError("path_shut", grave.map(({ mend }) => mend).join("\n"));
    if (faults.length > 0 && !isResumed) store.transaction(() => deps.presenter.accessLimited(work, faults));
  }

  /** Where a turn of this life has used a tool that may change something, or leave behind what does so later. */
  const touched = new Set<string>();

  return async ({ work, session, signal }, onEvent) => {
    const called: string[] = [];
    const [project, configDir] = await Promise.all([
      deps.resolveProject(session.project),
      deps.configDirOf(work.userId, session.project),
    ]);
    await checkAccess(work, project, session.isResumable);
    const workshop = await deps.workshopOf(work.userId, project);
    const { uploadsDir: folder } = workshop;
    const gathered = folder === null ? NO_FILES : await gather({ work, project, folder, signal });
    if (gathered.kind === "ended") return { ...NOTHING_RUN, ...gathered, isResumable: session.isResumable };
    const { files } = gathered;
    const prompt = folder === null ? work.text : promptOf(work.text, files, await deps.files.shownAt(folder));
    const run = async (): Promise<ClaudeTurnEnd> => {
      let isBegun = false;
      let fault: unknown = null;
      const begin = (isResume: boolean): void =>
        store.transaction(() => {
          store.work.setState(work.id, "running");
          store.baselines.note(project, work.id);
          const isResumed = session.isResumable || isResume;
          record({ type: "turn.started", workId: work.id, project: session.project, isResumed }, { work });
        });
      const end = await deps.claude.run({
        session: {
          conversationKey: conversationKey(work.conversation),
          userId: work.userId,
          project,
          configDir,
          workshop,
          sessionId: session.id,
          isResume: session.isResumable,
        },
        prompt,
        uuid: work.uuid,
        payer: createPayer({ ledger: store.ledger, work, record, isEquivalent: deps.isEquivalent }),
        net: netOf(work, session.project, project),
        onEvent: (event) => {
          if (event.kind === "tool_started") called.push(event.name);
          onEvent(event);
        },
        onPrompting: (isResume) => {
          try {
            begin(isResume);
            isBegun = true;
          } catch (error) {
            fault = error;
            throw error;
          }
        },
        onPolicy: (call, verdict) => onPolicy(work, call, verdict),
        decide: (call, callSignal) => desk.decide(work, call, callSignal),
        signal,
      });
      if (fault !== null && !isBegun) throw fault; // Claude was not prompted
      return end;
    };
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
