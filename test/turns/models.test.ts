import { expect, test } from "vitest";
import { turnsBench } from "../support/turns.ts";

test("H30: a model that nobody chose and the fallback are put on record, and the owners hear of the first", async () => {
  const { submit, asked, events, reports, shown, until } = turnsBench();
  const { id: workId } = submit("a");
  const turn = await asked();
  turn.onEvent({ kind: "model_refused", model: "claude-dear-9" });
  turn.onEvent({ kind: "fell_back", model: "claude-spare-1" });
  turn.end();
  await until(() => reports.length === 1);
  expect(events).toContainEqual({ type: "violation.unchosen_model", workId, model: "claude-dear-9" });
  expect(events).toContainEqual({ type: "turn.fell_back", workId, model: "claude-spare-1" });
  expect(shown).toContain("owners: claude-dear-9 refused");
  expect(reports[0]?.tools).toEqual(["Fallback: claude-spare-1 answers in place of the chosen model"]);
});

test("a model without a price is charged as the dearest and put on record, once a turn", async () => {
  const { submit, asked, events, reports, store, until } = turnsBench();
  const { id: workId } = submit("a");
  const turn = await asked();
  const usage = {
    requestId: "r",
    model: "claude-new-1",
    inputTokens: 1,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    cacheReadTokens: 0,
    outputTokens: 1,
    costMicroUsd: 90,
    isUnpriced: true,
    isFinal: true,
    isCut: false,
  } as const;
  turn.payer.onUsage(usage);
  turn.payer.onUsage({ ...usage, requestId: "s" });
  turn.end();
  await until(() => reports.length === 1);
  expect(store.ledger.spentSince(7, 0)).toBe(180);
  expect(events.filter(({ type }) => type === "cost.unknown_model")).toEqual([
    { type: "cost.unknown_model", workId, model: "claude-new-1" },
  ]);
});
