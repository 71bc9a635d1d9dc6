import { expect, test } from "vitest";
import { createUnhookedCalls } from "../../src/claude/unhooked.ts";

const call = (id: string) => ({ kind: "tool_use", id, name: "Write", input: { content: "x" } }) as const;

test("a call that failed without the hook is given once; one that the hook saw, before or after its message, never", () => {
  const calls = createUnhookedCalls();
  calls.begin(call("unseen"));
  calls.begin(call("seen after"));
  calls.hook("seen after");
  calls.hook("seen before");
  calls.begin(call("seen before"));
  expect(calls.fail("unseen")).toEqual(call("unseen"));
  for (const id of ["unseen", "seen after", "seen before", "unknown"]) expect(calls.fail(id)).toBeNull();
});
