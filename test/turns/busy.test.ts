import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { createLogger } from "../../src/log/logger.ts";
import type { Presenter } from "../../src/turns/presenter.ts";
import { createQueue } from "../../src/turns/queue.ts";
import { EVERYBODY } from "../support/people.ts";
import { testStore } from "../support/store.ts";
import { turnsBench } from "../support/turns.ts";

const BASH = { toolUseId: "t1", toolName: "Bash", input: { command: "true" }, isSubagent: false };

/** A screen that nothing is shown on. */
const dark = new Proxy({}, { get: () => () => ({ show: () => undefined, finish: () => undefined }) });

const ownFault = (): never => {
  throw new TypeError("a fault of our own");
};

test("H52: a runner that rejects is a failed turn, and the next request of the conversation runs", async () => {
  const { submit, asked, store, reports, until } = turnsBench();
  const a = submit("a");
  submit("b");
  (await asked()).reject(new Error("the runner broke"));
  const second = await asked();
  expect(second.prompt).toBe("b");
  expect(store.work.get(a.id)).toMatchObject({ state: "failed", reservedMicroUsd: 0 });
  second.end();
  await until(() => reports.length === 2);
});

test("H52: a turn that not even its failing can be shown of counts as running no longer, and its money is free", async () => {
  const { submit, asked, store, until, turns, reports } = turnsBench();
  const a = submit("a");
  const turn = await asked();
  const { end } = store.work;
  Object.assign(store.work, {
    end: (id: number, state: "failed") => (state === "failed" ? end(id, state) : ownFault()),
  });
  turn.end({ turnCostMicroUsd: 777 });
  await until(() => store.work.get(a.id)?.state === "failed");
  Object.assign(store.work, { end });
  expect(turns.status(a.conversationId)).toMatchObject({ active: null, queued: [] });
  expect([store.work.reserved(7), store.ledger.spentSince(7, 0)]).toEqual([0, 777]);
  submit("b");
  (await asked()).end();
  await until(() => reports.length === 1);
});

test("H52: work that cannot be begun for a fault of our own is ended, visibly, and what waits behind it runs", async () => {
  const { submit, asked, store, shown } = turnsBench();
  const { prepare } = store.work;
  Object.assign(store.work, {
    prepare: (id: number, session: string, reserved: number) =>
      id === 1 ? ownFault() : prepare(id, session, reserved),
  });
  const a = submit("a");
  submit("b");
  expect((await asked()).prompt).toBe("b");
  expect(store.work.get(a.id)?.state).toBe("failed");
  expect(shown).toContain("dropped a");
});

test("H52: a queue whose runner rejects, against its word, goes on with what waits", async () => {
  const store = testStore();
  const { id } = store.conversations.at({ chatId: 7, threadId: null });
  store.conversations.setProject(id, "p");
  for (const text of ["a", "b"]) {
    const draft = { conversationId: id, userId: 7, project: "p", messageId: 1 };
    store.work.submit({ ...draft, uuid: randomUUID(), dedupeKey: text, text });
  }
  const ran: string[] = [];
  const queue = createQueue({
    store,
    presenter: dark as Presenter,
    reserve: () => ({ kind: "ok", reservedMicroUsd: 1 }),
    runTurn: async ({ work }) => {
      ran.push(work.text);
      store.work.end(work.id, "done");
      throw new Error("against its word");
    },
    isLocked: () => false,
    admission: EVERYBODY,
    onUnpaid: () => undefined,
    newUuid: randomUUID,
    log: createLogger({ level: "silent", format: "json", secretValues: [] }),
  });
  queue.wakeAll();
  await new Promise((resolve) => setImmediate(resolve));
  expect(ran).toEqual(["a", "b"]);
  await queue.close();
});

test("H52: a person's answer that the store does not take leaves the question open, its deadline ends it, and the next request runs", async () => {
  const { submit, asked, store, turns } = turnsBench({ approvalTimeoutMs: 50 });
  submit("a");
  submit("b");
  const turn = await asked();
  const { decide } = store.approvals;
  Object.assign(store.approvals, { decide: ownFault });
  const answer = turn.decide(BASH, turn.signal);
  const press = () =>
    store.transaction(() => turns.press({ kind: "approve", approvalId: 1, decision: "allow" }, 7));
  expect(press).toThrow("a fault of our own");
  expect(await answer).toMatchObject({ kind: "deny" });
  Object.assign(store.approvals, { decide });
  press(); // too late: it was denied
  turn.end();
  const next = await asked();
  expect(next.prompt).toBe("b");
  const again = next.decide(BASH, next.signal);
  store.transaction(() => turns.press({ kind: "approve", approvalId: 2, decision: "allow" }, 7));
  expect(await again).toMatchObject({ kind: "allow" });
});
