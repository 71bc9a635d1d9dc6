import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openStore, type Store } from "../../src/store/store.ts";
import { testClock } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";
import { turnsBench } from "../support/turns.ts";

/** A store that counts the writes which wait for the disk. */
function countingStore(): { readonly store: Store; readonly waits: () => number } {
  let waits = 0;
  let isWithin = false;
  let isLight = false;
  // The first fault point of each outermost write tells what kind of write it is.
  const opened = openStore(join(tempDir(), "a.db"), testClock(), {
    reach: (point) => {
      if (point.endsWith(":before") && !isWithin) waits += isLight ? 0 : 1;
      isWithin = point.endsWith(":before");
    },
  });
  onTestFinished(() => opened[Symbol.dispose]());
  const store: Store = {
    ...opened,
    lightly: (act) => {
      isLight = true;
      try {
        return opened.lightly(act);
      } finally {
        isLight = false;
      }
    },
  };
  return { store, waits: () => waits };
}

test("a tool call that the policy decides is on record without a wait for the disk, one that a person is asked about is waited for", async () => {
  const { store, waits } = countingStore();
  const bench = turnsBench({
    store,
    record: (event, { userId, conversation }) =>
      store.audit.append({ at: 1, risk: "low", userId, conversation, event }),
  });
  bench.submit("go");
  const turn = await bench.asked();
  const call = { toolName: "Bash", input: { command: "ls" }, isSubagent: false };
  const before = waits();
  for (let n = 0; n < 50; n += 1) turn.onPolicy({ ...call, toolUseId: `t${n}` }, { kind: "allowed" });
  expect(waits()).toBe(before);
  expect([...store.audit.rows()].filter(({ type }) => type === "tool.allowed")).toHaveLength(50);
  const decided = turn.decide({ ...call, toolUseId: "asked" }, turn.signal);
  expect(waits()).toBeGreaterThan(before); // the positive control
  bench.turns.press({ kind: "approve", approvalId: 1, decision: "allow" }, 7);
  expect((await decided).kind).toBe("allow");
  turn.end();
});

test("a call that the CLI ended before the hook is on record, and shown as any other", async () => {
  const { submit, asked, events, reports, until } = turnsBench();
  submit("a");
  const turn = await asked();
  const call = { toolUseId: "t1", name: "WebFetch", input: { url: "https://example.com" } };
  turn.onEvent({ kind: "tool_started", ...call, isSubagent: false });
  turn.onEvent({ kind: "tool_refused", ...call });
  turn.end();
  await until(() => reports.length === 1);
  expect(events).toContainEqual({
    type: "tool.refused",
    tool: "WebFetch",
    toolUseId: "t1",
    summary: "WebFetch",
  });
  expect(reports[0]?.tools).toEqual(["WebFetch"]);
});
