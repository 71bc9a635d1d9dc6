import type { Now } from "../domain/clock.ts";
import type { Db } from "./database.ts";
import type { Change } from "./transactions.ts";

/** Which answer was given: `once` to a plain yes or no, `project` and `never` for good, where that was offered. */
export type ApprovalChoice = "once" | "project" | "never";

export type ApprovalState = "asked" | "allowed" | "denied" | "expired" | "withdrawn";

/** A tool call that a person was asked about; `input` is what was shown and what will run. */
export interface Approval {
  readonly id: number;
  readonly workId: number;
  readonly toolUseId: string;
  readonly toolName: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** AskUserQuestion: labels chosen so far, by question. */
  readonly answers: Readonly<Record<string, readonly string[]>>;
  readonly state: ApprovalState;
  /** Null until it was answered, and where nobody did. */
  readonly choice: ApprovalChoice | null;
  readonly decidedBy: number | null;
  readonly outboxId: number | null;
}

/** Approvals asked for, with their decisions. */
export interface Approvals {
  readonly ask: (draft: Pick<Approval, "workId" | "toolUseId" | "toolName" | "input">) => Approval;
  readonly get: (id: number) => Approval | null;
  readonly setOutbox: (id: number, outboxId: number) => void;
  readonly setAnswers: (id: number, answers: Approval["answers"]) => void;
  /** Decides an approval that is still open; false when it was decided before. */
  readonly decide: (
    id: number,
    state: Exclude<ApprovalState, "asked">,
    by: { readonly userId: number; readonly choice: ApprovalChoice } | null,
  ) => boolean;
  readonly open: () => readonly Approval[];
  /** Those of one work, in the order in which they were asked. */
  readonly ofWork: (workId: number) => readonly Approval[];
}

interface Row {
  id: number;
  work_id: number;
  tool_use_id: string;
  tool_name: string;
  input: string;
  answers: string;
  state: ApprovalState;
  choice: ApprovalChoice | null;
  decided_by: number | null;
  outbox_id: number | null;
}

export function createApprovals(db: Db, change: Change, now: Now): Approvals {
  const ask = db.prepare<[number, string, string, string, number]>(
    `INSERT INTO approvals (work_id, tool_use_id, tool_name, input, asked_at, state) VALUES (?, ?, ?, ?, ?, 'asked')`,
  );
  const get = db.prepare<[number], Row>("SELECT * FROM approvals WHERE id = ?");
  const open = db.prepare<[], Row>("SELECT * FROM approvals WHERE state = 'asked' ORDER BY id");
  const ofWork = db.prepare<[number], Row>("SELECT * FROM approvals WHERE work_id = ? ORDER BY id");
  const setOutbox = db.prepare<[number, number]>("UPDATE approvals SET outbox_id = ? WHERE id = ?");
  const setAnswers = db.prepare<[string, number]>("UPDATE approvals SET answers = ? WHERE id = ?");
  const decide = db.prepare<[string, number, number | null, string | null, number]>(
    "UPDATE approvals SET state = ?, decided_at = ?, decided_by = ?, choice = ? WHERE id = ? AND state = 'asked'",
  );

  return {
    ask: ({ workId, toolUseId, toolName, input }) => {
      const made = change("approval.asked", () =>
        ask.run(workId, toolUseId, toolName, JSON.stringify(input), now()),
      );
      const id = Number(made.lastInsertRowid);
      return {
        id,
        workId,
        toolUseId,
        toolName,
        input,
        answers: {},
        state: "asked",
        choice: null,
        decidedBy: null,
        outboxId: null,
      };
    },
    get: (id) => {
      const row = get.get(id);
      return row ? approvalOf(row) : null;
    },
    setOutbox: (id, outboxId) => {
      change("approval.shown", () => setOutbox.run(outboxId, id));
    },
    setAnswers: (id, answers) => {
      change("approval.answered", () => setAnswers.run(JSON.stringify(answers), id));
    },
    decide: (id, state, by) =>
      change(`approval.${state}`, () => decide.run(state, now(), by?.userId ?? null, by?.choice ?? null, id))
        .changes > 0,
    open: () => open.all().map(approvalOf),
    ofWork: (workId) => ofWork.all(workId).map(approvalOf),
  };
}

function approvalOf(row: Row): Approval {
  const input: Record<string, unknown> = JSON.parse(row.input);
  const answers: Record<string, string[]> = JSON.parse(row.answers);
  return {
    id: row.id,
    workId: row.work_id,
    toolUseId: row.tool_use_id,
    toolName: row.tool_name,
    input,
    answers,
    state: row.state,
    choice: row.choice,
    decidedBy: row.decided_by,
    outboxId: row.outbox_id,
  };
}
