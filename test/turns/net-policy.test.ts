import { expect, test } from "vitest";
import { turnsBench } from "../support/turns.ts";

const at = (n: number) => ({ host: `h${n}.example.com`, port: 443 });

test("a program that gives up each name and takes the next is asked about only so often in a turn", async () => {
  const { asked, events, submit } = turnsBench();
  submit("go");
  const { net, end } = await asked();
  for (let n = 0; n < 200; n += 1) {
    const gone = new AbortController();
    const verdict = net.mayConnect(at(n), gone.signal);
    gone.abort();
    expect((await verdict).kind).toBe("deny");
  }
  expect(events.filter(({ type }) => type === "tool.asked")).toHaveLength(40);
  expect(events.filter(({ type }) => type === "net.refused")).toHaveLength(100);
  end();
});

test("what is said of a host for good is kept with the press itself, or not at all", async () => {
  const { asked, events, submit, store, turns } = turnsBench();
  submit("go");
  const { net, end, signal } = await asked();
  const verdict = net.mayConnect(at(1), signal);
  const press = () => turns.press({ kind: "approve", approvalId: 1, decision: "never" }, 7);
  const lost = () =>
    store.transaction(() => {
      press();
      throw new Error("disk full");
    });
  expect(lost).toThrow("disk full");
  expect([store.approvals.get(1)?.state, store.hostRules.of("p")]).toEqual(["asked", []]);
  store.transaction(press);
  expect([store.approvals.get(1)?.state, store.hostRules.of("p")]).toEqual([
    "denied",
    [{ project: "p", ...at(1), verdict: "never" }],
  ]);
  expect(await verdict).toMatchObject({ kind: "deny" });
  store.transaction(press); // a second press finds it answered
  expect(events.filter(({ type }) => type === "net.ruled")).toHaveLength(2); // one of them was undone
  end();
});

test("a repository is accepted with the press itself", async () => {
  const remote = { host: "git.example.com", repository: "acme/shop" };
  const git = { remotes: async () => [remote], commits: async () => [], isForced: async () => false };
  const { asked, submit, store, turns, until } = turnsBench({ git });
  submit("go");
  const { net, end, signal } = await asked();
  const verdict = net.mayFetch(remote, signal);
  await until(() => store.approvals.get(1) !== null);
  store.transaction(() => turns.press({ kind: "approve", approvalId: 1, decision: "allow_project" }, 7));
  expect(store.hostRules.of("p")).toMatchObject([{ host: "git.example.com/acme/shop", verdict: "allow" }]);
  expect(await verdict).toEqual({ kind: "allow" });
  end();
});

test("refusals are on record with their reason: each once, a hundred in a turn", async () => {
  const { asked, submit, events } = turnsBench();
  submit("go");
  const { net, end } = await asked();
  const remote = { host: "git.example.com", repository: "acme/shop" };
  const { signal } = new AbortController();
  expect((await net.mayFetch(remote, signal)).kind).toBe("deny");
  expect((await net.mayFetch(remote, signal)).kind).toBe("deny");
  for (let n = 0; n < 300; n += 1) net.onRefused({ ...at(n % 150), reason: "private_address" });
  const refused = events.filter(({ type }) => type === "net.refused");
  expect(refused).toHaveLength(100);
  expect(refused.slice(0, 2)).toEqual([
    { type: "net.refused", host: "git.example.com/acme/shop", port: 9418, reason: "no_remote" },
    { type: "net.refused", ...at(0), reason: "private_address" },
  ]);
  end();
});
