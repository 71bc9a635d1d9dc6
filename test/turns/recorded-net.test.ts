import { expect, test } from "vitest";
import type { AuditEvent } from "../../src/domain/audit-event.ts";
import type { NetVerdict } from "../../src/domain/net.ts";
import type { Work } from "../../src/domain/work.ts";
import { createLogger } from "../../src/log/logger.ts";
import { createRecordedNet } from "../../src/turns/recorded-net.ts";
import { testStore } from "../support/store.ts";

const { signal } = new AbortController();
const HOST = { host: "example.com", port: 443 };
const REMOTE = { host: "git.example.com", repository: "me/app" };

function createBench(verdict: NetVerdict) {
  const events: AuditEvent[] = [];
  let isFull = false;
  const judge = async (): Promise<NetVerdict> => verdict;
  const net = createRecordedNet(
    {
      mayConnect: judge,
      mayFetch: judge,
      mayPush: async () => {
        throw new Error("disk full");
      },
    },
    {
      store: testStore(),
      record: (event) => {
        if (isFull) throw new Error("disk full");
        events.push(event);
      },
      work: { id: 1 } as Work,
      log: createLogger({ level: "silent", format: "json", secretValues: [] }),
    },
  );
  return {
    net,
    events,
    setFull: (is: boolean) => {
      isFull = is;
    },
  };
}

test("no host is let through before it is on record, and one that cannot be put there is denied", async () => {
  const { net, events, setFull } = createBench({ kind: "allow" });
  setFull(true);
  expect(await net.mayConnect(HOST, signal)).toMatchObject({ kind: "deny", cause: "unrecorded" });
  expect(await net.mayFetch(REMOTE, signal)).toMatchObject({ kind: "deny", cause: "unrecorded" });
  expect(await net.mayPush(REMOTE, [], signal)).toMatchObject({ kind: "deny", cause: "unrecorded" });
  expect(events).toEqual([]);
  setFull(false);
  for (let n = 0; n < 3; n += 1) {
    expect(await net.mayConnect(HOST, signal)).toEqual({ kind: "allow" });
    expect(await net.mayFetch(REMOTE, signal)).toEqual({ kind: "allow" });
  }
  expect(events).toEqual([
    { type: "net.allowed", ...HOST },
    { type: "net.allowed", host: "git.example.com/me/app", port: 9418 },
  ]);
});

test("what is denied is denied, and says nothing of being let through", async () => {
  const { net, events } = createBench({ kind: "deny", reason: "no", cause: "closed" });
  expect(await net.mayConnect(HOST, signal)).toEqual({ kind: "deny", reason: "no", cause: "closed" });
  expect(events).toEqual([]);
});
