import { randomUUID } from "node:crypto";
import type { AuditEvent } from "../domain/audit-event.ts";
import { coversHost, type HostRule } from "../domain/host-rule.ts";
import {
  NETWORK_ACCESS,
  type NetPolicy,
  type NetRefusal,
  type NetTarget,
  type NetVerdict,
} from "../domain/net.ts";
import type { Work } from "../domain/work.ts";
import type { Store } from "../store/store.ts";
import type { AnswerGiven, ApprovalDesk, End } from "./approvals.ts";
import { createRuleHost } from "./rule-host.ts";
import type { RecordWork } from "./settle.ts";

/** More than a build asks for at a time. */
const MAX_OPEN_QUESTIONS = 5;
/** In a turn, withdrawn ones too: a program that tries names one after the other, or gives each up, gets no further. */
const MAX_QUESTIONS = 40;

interface NetPolicyDeps {
  readonly store: Pick<Store, "hostRules">;
  readonly desk: Pick<ApprovalDesk, "question">;
  readonly record: RecordWork;
  /** Puts on record what has happened already. */
  readonly put: (event: AuditEvent) => void;
  readonly onRefused: NetPolicy["onRefused"];
  /** `SANDBOX_ALLOWED_DOMAINS`. */
  readonly allowedHosts: readonly HostRule[];
  readonly work: Work;
  readonly project: string;
}

interface Question {
  readonly answer: Promise<NetVerdict>;
  readonly abort: AbortController;
  askers: number;
}

/**
 * What the programs of one turn's jail may reach: hosts of the settings, hosts that an owner allowed for the project, and
 * those that a person allows when asked. Connections to one host share one question; it is withdrawn when nobody waits for
 * it any more.
 */
export function createNetPolicy(deps: NetPolicyDeps): Pick<NetPolicy, "mayConnect" | "onTunnel"> {
  const { store, desk, put, onRefused, allowedHosts, work, project } = deps;
  /** What was answered for this turn alone. */
  const answered = new Map<string, NetVerdict>();
  const questions = new Map<string, Question>();
  const ruleHost = createRuleHost(deps);
  let asked = 0;

  function ruled(target: NetTarget): NetVerdict | null {
    if (allowedHosts.some((rule) => coversHost(rule, target))) return ALLOW;
    const rule = store.hostRules.find(project, target);
    if (rule === null) return null;
    return rule === "allow" ? ALLOW : deny("closed", `${target.host} is closed for this project`);
  }

  async function ask(target: NetTarget, signal: AbortSignal): Promise<NetVerdict> {
    const { host, port } = target;
    const call = { toolUseId: `net:${randomUUID()}`, toolName: NETWORK_ACCESS, input: { host, port } };
    let isOnce = false;
    const settle = (answer: AnswerGiven): void => {
      isOnce = answer.choice === "once";
      ruleHost(target, answer);
    };
    const end = await desk.question(work, { ...call, isSubagent: false, settle }, signal);
    const verdict = verdictOf(target, end);
    if (isOnce && (end === "allow" || end === "deny")) answered.set(keyOf(target), verdict);
    return verdict;
  }

  function join(target: NetTarget): Question | null {
    const key = keyOf(target);
    const open = questions.get(key);
    if (open !== undefined) return open;
    if (questions.size >= MAX_OPEN_QUESTIONS || asked >= MAX_QUESTIONS) return null;
    asked += 1;
    const abort = new AbortController();
    const answer = ask(target, abort.signal).finally(() => questions.delete(key));
    const question: Question = { answer, abort, askers: 0 };
    questions.set(key, question);
    return question;
  }

  async function wait(question: Question, signal: AbortSignal): Promise<NetVerdict> {
    const { promise: gone, resolve } = Promise.withResolvers<NetVerdict>();
    const leave = () => resolve(deny("unanswered", "The connection was given up"));
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    question.askers += 1;
    try {
      return await Promise.race([question.answer, gone]);
    } finally {
      signal.removeEventListener("abort", leave);
      question.askers -= 1;
      if (question.askers === 0) question.abort.abort();
    }
  }

  return {
    mayConnect: async (target, signal) => {
      const known = ruled(target) ?? answered.get(keyOf(target));
      const question = known === undefined ? join(target) : null;
      const verdict =
        known ??
        (question === null
          ? deny("too_many", "Too many hosts were asked about")
          : await wait(question, signal));
      if (verdict.kind === "deny") onRefused({ ...target, reason: verdict.cause });
      return verdict;
    },
    onTunnel: (tunnel) => put({ type: "net.connected", ...tunnel }),
  };
}

const ALLOW: NetVerdict = { kind: "allow" };

function deny(cause: NetRefusal, reason: string): NetVerdict {
  return { kind: "deny", reason, cause };
}

function keyOf({ host, port }: NetTarget): string {
  return `${host}:${port}`;
}

function verdictOf({ host }: NetTarget, end: End["kind"]): NetVerdict {
  switch (end) {
    case "allow":
      return ALLOW;
    case "deny":
      return deny("denied", `The person does not allow ${host}`);
    case "expired":
      return deny("unanswered", `Nobody said in time whether ${host} is allowed`);
    case "unshown":
      return deny("unanswered", `The person could not be asked about ${host}`);
    case "withdrawn":
      return deny("unanswered", "The turn was ended");
  }
}
