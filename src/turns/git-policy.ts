import { randomUUID } from "node:crypto";
import type { ApprovedPath } from "../domain/approved-path.ts";
import type { AuditEvent } from "../domain/audit-event.ts";
import {
  GIT_PUSH,
  GIT_REMOTE,
  type GitRemote,
  type NetPolicy,
  type NetRefusal,
  type NetVerdict,
  type RefUpdate,
} from "../domain/net.ts";
import type { Work } from "../domain/work.ts";
import type { Store } from "../store/store.ts";
import type { AnswerGiven, ApprovalDesk } from "./approvals.ts";
import { createRuleHost } from "./rule-host.ts";
import type { RecordWork } from "./settle.ts";

/** Branches whose pushes the asker may allow. */
const OWN_BRANCHES = /^refs\/heads\/claude\/./;
const ZERO = /^0+$/;
const SHORT_ID = 10;
/** A repository is kept among the hosts of a project as `host/owner/name` at git's own port: no host that is reached has a slash. */
const GIT_PORT = 9418;

/** What git says of the project; see `workspace/git.ts`. */
export interface ProjectGit {
  readonly remotes: (project: ApprovedPath) => Promise<readonly GitRemote[]>;
  readonly commits: (project: ApprovedPath, update: RefUpdate) => Promise<readonly string[] | null>;
  readonly isForced: (project: ApprovedPath, update: RefUpdate) => Promise<boolean>;
}

interface GitPolicyDeps {
  readonly store: Pick<Store, "hostRules">;
  readonly desk: Pick<ApprovalDesk, "question">;
  readonly record: RecordWork;
  /** Puts on record what has happened already. */
  readonly put: (event: AuditEvent) => void;
  readonly onRefused: NetPolicy["onRefused"];
  readonly git: ProjectGit;
  readonly isOwner: (userId: number) => boolean;
  readonly work: Work;
  /** Its name below the approved directory, and the place itself. */
  readonly project: string;
  readonly path: ApprovedPath;
}

/**
 * git over the network for one turn: only to remotes of the project that an owner has accepted; every push is asked about,
 * with its refs and commits. What goes beyond new commits on a branch of Claude's own is for owners.
 */
export function createGitPolicy(deps: GitPolicyDeps): Pick<NetPolicy, "mayFetch" | "mayPush" | "onPushed"> {
  const { store, desk, put, onRefused, git, isOwner, work, project, path } = deps;

  const ruleHost = createRuleHost(deps);
  /** Of one repository at a time: git asks for the same in several requests. */
  const asking = new Map<string, Promise<NetVerdict>>();

  async function askRemote(remote: GitRemote, signal: AbortSignal): Promise<NetVerdict> {
    const named = await git.remotes(path);
    const isNamed = named.some(
      ({ host, repository }) => host === remote.host && repository === remote.repository,
    );
    const name = nameOf(remote);
    if (!isNamed) return deny("no_remote", `${name} is no remote of this project`);
    if (!isOwner(work.userId))
      return deny("not_accepted", `an owner has to accept ${name} for this project first`);
    const call = {
      toolUseId: `git:${randomUUID()}`,
      toolName: GIT_REMOTE,
      input: { ...remote },
      isSubagent: false,
      settle: (answer: AnswerGiven) => ruleHost(targetOf(remote), answer),
    };
    await desk.question(work, call, signal);
    const isAccepted = store.hostRules.find(project, targetOf(remote)) === "allow";
    return isAccepted ? { kind: "allow" } : deny("not_accepted", `nobody accepted ${name} for this project`);
  }

  function onRecord(remote: GitRemote, verdict: NetVerdict): NetVerdict {
    if (verdict.kind === "deny") onRefused({ ...targetOf(remote), reason: verdict.cause });
    return verdict;
  }

  async function mayFetch(remote: GitRemote, signal: AbortSignal): Promise<NetVerdict> {
    const rule = store.hostRules.find(project, targetOf(remote));
    if (rule === "allow") return { kind: "allow" };
    const key = nameOf(remote);
    const open = asking.get(key) ?? askRemote(remote, signal).finally(() => asking.delete(key));
    asking.set(key, open);
    const verdict = await open;
    return onRecord(remote, verdict);
  }

  async function mayPush(
    remote: GitRemote,
    updates: readonly RefUpdate[],
    signal: AbortSignal,
  ): Promise<NetVerdict> {
    const looked = await Promise.all(updates.map((update) => look(update)));
    const beyond = looked.find(({ needsOwner }) => needsOwner !== null);
    if (beyond && !isOwner(work.userId)) {
      const words = `${beyond.needsOwner}, which is for owners: push to a branch under claude/ instead`;
      return onRecord(remote, deny("for_owners", words));
    }
    const input = {
      repository: nameOf(remote),
      refs: looked.map(({ line }) => line).join("\n"),
      commits: looked.flatMap(({ commits }) => commits).join("\n") || "none",
    };
    const call = { toolUseId: `git:${randomUUID()}`, toolName: GIT_PUSH, input, isSubagent: false };
    const end = await desk.question(work, call, signal);
    if (end === "allow") return { kind: "allow" };
    const verdict =
      end === "deny"
        ? deny("denied", "the person does not allow this push")
        : deny("unanswered", "nobody allowed this push in time");
    return onRecord(remote, verdict);
  }

  async function look(update: RefUpdate) {
    const { ref, oldId, newId } = update;
    const [commits, isForced] = await Promise.all([git.commits(path, update), git.isForced(path, update)]);
    const [from, to] = [oldId.slice(0, SHORT_ID), newId.slice(0, SHORT_ID)];
    const isDeleted = ZERO.test(newId);
    const how = isDeleted
      ? `DELETE ${ref} (was ${from})`
      : ZERO.test(oldId)
        ? `new ${ref} at ${to}`
        : `${isForced ? "FORCE " : ""}${ref} from ${from} to ${to}`;
    const needsOwner = isDeleted
      ? `this push deletes ${ref}`
      : isForced
        ? `this push overwrites ${ref}`
        : OWN_BRANCHES.test(ref)
          ? null
          : `this push changes ${ref}`;
    return { line: how, needsOwner, commits: commits ?? [`${ref}: its commits cannot be listed`] };
  }

  return {
    mayFetch,
    mayPush,
    onPushed: (remote, updates) => {
      const refs = updates.map(({ ref }) => ref);
      put({ type: "git.pushed", repository: nameOf(remote), refs });
    },
  };
}

function deny(cause: NetRefusal, reason: string): NetVerdict {
  return { kind: "deny", reason, cause };
}

function nameOf({ host, repository }: GitRemote): string {
  return `${host}/${repository}`;
}

function targetOf(remote: GitRemote) {
  return { host: nameOf(remote), port: GIT_PORT };
}
