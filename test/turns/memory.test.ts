import { expect, test } from "vitest";
import { createLogger } from "../../src/log/logger.ts";
import { createPresenter } from "../../src/telegram/presenter.ts";
import type { ScreenCalls } from "../../src/telegram/screen-call.ts";
import { createSender } from "../../src/telegram/sender.ts";
import { heapMb } from "../support/heap.ts";
import { outgoingOf } from "../support/outgoing.ts";
import { ownersOf } from "../support/people.ts";
import { testStore } from "../support/store.ts";
import { turnsBench } from "../support/turns.ts";

const LARGE = "word ".repeat(40_000);

/** Turns that are really seen; what they put into the outbox is not sent. */
function seenTurns() {
  const store = testStore();
  const never = () => Promise.reject(new Error("nothing is sent"));
  const calls: ScreenCalls = {
    send: never,
    document: never,
    edit: never,
    preview: never,
    remove: never,
    react: never,
    clearKeys: never,
    answerPress: never,
  };
  const log = createLogger({ level: "silent", format: "json", secretValues: [] });
  const sender = createSender({ store, calls, now: Date.now, log, onRejected: () => undefined });
  const money = { reserve: () => ({ kind: "busy" }) as const, perRequestMicroUsd: 1, isEquivalent: false };
  const outgoing = outgoingOf();
  const presenter = createPresenter({ store, outgoing, sender, owners: ownersOf(), keepDays: 30, money });
  return turnsBench({ store, presenter });
}

test("H53: turns that have ended leave nothing in memory: no prompt, answer, tool call or progress", async () => {
  const bench = seenTurns();
  const { store, turns } = bench;
  let count = 0;
  const runTurn = async (how: "completed" | "stopped" | "failed"): Promise<void> => {
    count += 1;
    const { id } = bench.submit(`${count} ${LARGE}`, count);
    const turn = await bench.asked();
    turn.onEvent({ kind: "message_started" });
    turn.onEvent({ kind: "text_delta", text: `${count} ${LARGE}` });
    const input = { command: `${count} ${LARGE}` };
    turn.onEvent({ kind: "tool_started", toolUseId: "t", name: "Bash", input, isSubagent: false });
    const answer = turn.decide({ toolUseId: "t", toolName: "Bash", input, isSubagent: false }, turn.signal);
    if (how === "stopped") store.transaction(() => turns.stop(store.work.get(id)?.conversationId ?? 0));
    else store.transaction(() => turns.press({ kind: "approve", approvalId: count, decision: "allow" }, 7));
    await answer;
    if (how === "completed") turn.end({ outcome: { kind: "completed", text: `${count} ${LARGE}` } });
    if (how === "failed")
      turn.end({ outcome: { kind: "failed", code: "crashed", detail: null, resetsAt: null } });
    await bench.until(
      () => (store.work.get(id)?.state ?? "queued") !== "running" && turns.status(id).active === null,
    );
    bench.events.length = 0; // the bench's own memory
  };
  for (const how of ["completed", "stopped", "failed"] as const) await runTurn(how);
  const before = heapMb();
  for (let n = 0; n < 20; n += 1)
    for (const how of ["completed", "stopped", "failed"] as const) await runTurn(how);
  expect(heapMb() - before).toBeLessThan(4); // each of the sixty brought a megabyte
});
