import { expect, test } from "vitest";
import type { ButtonAction } from "../../src/domain/button.ts";
import type { WorkState } from "../../src/domain/work.ts";
import { worksStartedBy } from "../../src/security/press-works.ts";

/** Works 1 to 3 are offered, 4 ran, and there is no other. */
const stateOf = (id: number): WorkState | null =>
  (["offered", "offered", "offered", "done"] as const)[id - 1] ?? null;

const STARTS: readonly (readonly [number, ButtonAction])[] = [
  [1, { kind: "recover", workId: 1, choice: "continue" }],
  [1, { kind: "recover", workId: 1, choice: "again" }],
  [1, { kind: "recover", workId: 1, choice: "more" }],
  [0, { kind: "recover", workId: 1, choice: "drop" }],
  [0, { kind: "recover", workId: 9, choice: "again" }],
  [1, { kind: "offered", workId: 1, choice: "run" }],
  [0, { kind: "offered", workId: 4, choice: "run" }],
  [0, { kind: "offered", workId: 1, choice: "show" }],
  [0, { kind: "offered", workId: 1, choice: "drop" }],
  [3, { kind: "offered_all", workIds: [1, 2, 3], choice: "run" }],
  [2, { kind: "offered_all", workIds: [1, 4, 3, 9], choice: "run" }],
  [0, { kind: "offered_all", workIds: [1, 2, 3], choice: "drop" }],
  [1, { kind: "edited", workId: 1, text: "anew" }],
  [0, { kind: "edited", workId: 9, text: "anew" }],
  [0, { kind: "queue", workId: 1, choice: "now" }],
  [0, { kind: "approve", approvalId: 1, decision: "allow" }],
  [0, { kind: "answer", approvalId: 1, question: 0, option: 0, isTick: false }],
  [0, { kind: "answers_done", approvalId: 1, question: 0 }],
  [0, { kind: "stop", workId: 1 }],
  [0, { kind: "host_remove", project: "p", host: "h", port: 443 }],
  [0, { kind: "expose_hide", root: "/p", path: "/p/.env" }],
  [0, { kind: "quarantine", ids: [1], choice: "accept" }],
  [0, { kind: "audit_page", beforeId: 1, sinceMs: 0, risk: "low", userId: null }],
  [0, { kind: "dismiss" }],
  [0, { kind: "repo", project: "p" }],
  [0, { kind: "repo_page", page: 1 }],
];

test.each(STARTS)("a press starts %i requests to Claude: %j", (count, action) => {
  expect(worksStartedBy(action, stateOf)).toBe(count);
});
