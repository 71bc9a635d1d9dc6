import type { NetTarget } from "../domain/net.ts";
import type { Work } from "../domain/work.ts";
import type { Store } from "../store/store.ts";
import type { AnswerGiven } from "./approvals.ts";
import type { RecordWork } from "./settle.ts";

interface RuleHostDeps {
  readonly store: Pick<Store, "hostRules">;
  readonly record: RecordWork;
  readonly work: Work;
  readonly project: string;
}

/**
 * Keeps for the project what an owner said of a host for good. Called inside the transaction of his press, so that there is
 * no answer without its rule, and no rule without its answer.
 */
export function createRuleHost({ store, record, work, project }: RuleHostDeps) {
  return (target: NetTarget, { userId, choice }: AnswerGiven): void => {
    if (choice === "once") return;
    const verdict = choice === "project" ? "allow" : "never";
    store.hostRules.set({ project, ...target, verdict }, userId);
    record({ type: "net.ruled", project, ...target, verdict }, { work, userId });
  };
}
