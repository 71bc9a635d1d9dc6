import Database from "better-sqlite3";
import { beforeAll, describe, expect, test } from "vitest";
import { createLogger } from "../../src/log/logger.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { createOutage } from "../../src/telegram/outage.ts";
import { createReplies } from "../../src/telegram/replies.ts";
import { outgoingOf } from "../support/outgoing.ts";
import { tempDir } from "../support/temp.ts";

const ADA = 7;
const BOB = 8;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 10, 23, 12);

beforeAll(() => {
  process.env.TZ = "UTC";
});

/** An outage on a real store, in any number of lives, with clocks that are turned and a line that is up or down. */
function bench() {
  const path = `${tempDir()}/test.db`;
  const clock = { wall: START, steady: 0 };
  const line = { isUp: false, asked: 0 };
  let output = "";
  const lives: Store[] = [];

  function live() {
    const store = openStore(path, () => clock.wall);
    lives.push(store);
    const outage = createOutage({
      store,
      owners: () => [ADA, BOB],
      notify: createReplies({
        store,
        outgoing: outgoingOf(),
        kick: () => undefined,
        answerPress: () => undefined,
      }).notify,
      canSend: async () => {
        line.asked += 1;
        return line.isUp;
      },
      now: () => clock.wall,
      tick: () => clock.steady,
      log: createLogger({
        level: "trace",
        format: "json",
        secretValues: [],
        destination: { write: (text) => (output += text) },
      }),
    });
    return { store, outage };
  }

  const pass = (ms: number): void => {
    clock.wall += ms;
    clock.steady += ms;
  };
  /** Failures, ten seconds apart. */
  async function fail(outage: ReturnType<typeof live>["outage"], spanMs: number): Promise<void> {
    for (let left = spanMs; left >= 0; left -= 10_000) {
      outage.failed("unreachable");
      await Promise.resolve(); // the line is asked in between
      await Promise.resolve();
      pass(10_000);
    }
  }
  /** What waits to be sent to an owner, or has been. */
  const told = (store: Store, owner = ADA): readonly string[] => {
    const db = new Database(path, { readonly: true });
    const rows = db
      .prepare<[number], { id: number }>("SELECT id FROM outbox WHERE chat_id = ? AND state <> 'dropped'")
      .all(owner);
    db.close();
    return rows.map(({ id }) => {
      const act = store.outbox.get(id)?.act;
      return act?.kind === "send" ? act.body.text : "";
    });
  };
  /** As the sender does it: all that waits arrives. */
  const deliver = (store: Store): void => {
    for (const owner of store.outbox.chats())
      for (let row = store.outbox.next(owner); row; row = store.outbox.next(owner)) {
        store.outbox.begin(row.id);
        store.outbox.sent(row.id, row.id);
      }
  };
  return { path, clock, line, live, pass, fail, told, deliver, log: () => output };
}

describe("what tells nobody anything", () => {
  test("a failure now and then, however often", () => {
    const { live, pass, told } = bench();
    const { store, outage } = live();
    for (let count = 0; count < 500; count += 1) {
      outage.failed(count % 2 ? "unreachable" : "rival");
      pass(50_000);
      outage.answered();
      pass(50_000);
    }
    expect(told(store)).toEqual([]);
  });

  test("trouble of just under a minute, and two polls that another program ended", () => {
    const { live, pass, told, line } = bench();
    line.isUp = true;
    const { store, outage } = live();
    outage.failed("unreachable");
    pass(MINUTE - 1);
    outage.failed("unreachable");
    outage.answered();
    outage.failed("rival");
    outage.failed("rival");
    outage.answered();
    outage.failed("rival");
    outage.failed("rival");
    outage.failed("unreachable");
    outage.failed("rival");
    outage.answered();
    pass(HOUR);
    outage.answered();
    expect(told(store)).toEqual([]);
    expect(line.asked).toBe(0);
  });

  test("H47: trouble just before a sleep and just after it", () => {
    const { live, pass, told } = bench();
    const { store, outage } = live();
    outage.failed("unreachable");
    pass(8 * HOUR);
    outage.interrupted();
    outage.failed("unreachable");
    pass(MINUTE - 1);
    outage.failed("unreachable");
    outage.answered();
    pass(HOUR);
    outage.answered();
    expect(told(store)).toEqual([]);
  });
});

test("trouble of a minute is told to each owner when it matters, once, and once when it is over", async () => {
  const { live, pass, fail, told, deliver, line } = bench();
  line.isUp = true;
  const { store, outage } = live();
  await fail(outage, HOUR);
  expect(told(store)).toEqual([
    "I have got no messages from Telegram since 23 Nov 2026, 12:00 (UTC): it does not answer when I ask for them. They are kept there, and I go on asking. If it lasts, look at this machine's network.",
  ]);
  expect(told(store, BOB)).toEqual(told(store));
  deliver(store);
  outage.answered();
  pass(25_000);
  outage.answered();
  pass(HOUR);
  outage.answered();
  expect(told(store).slice(1)).toEqual([
    "Messages come again. From 23 Nov 2026, 12:00 to 23 Nov 2026, 13:00 (UTC) Telegram was out of my reach. Nothing sent meanwhile is lost.",
  ]);
  expect(told(store, BOB)).toEqual(told(store));
});

test("three polls in a row that another program ended are told at once, with what to do", () => {
  const { live, pass, told, deliver, line } = bench();
  const { store, outage } = live();
  for (const expected of [0, 0, 1, 1, 1]) {
    outage.failed("rival");
    expect(told(store).length).toBe(expected);
    pass(4_000);
  }
  expect(line.asked).toBe(0);
  expect(told(store)[0]).toMatch(/^Another program has been taking this bot's messages since .* Stop that/);
  deliver(store);
  outage.answered();
  pass(25_000);
  outage.answered();
  expect(told(store)[1]).toMatch(/^Messages come again\. From .* another program .* has to be sent again\.$/);
  expect(told(store).length).toBe(2);
});

test("a line that comes and goes is one outage, over only when it has held for a while", async () => {
  const { live, pass, fail, told, deliver, line } = bench();
  line.isUp = true;
  const { store, outage } = live();
  await fail(outage, 2 * MINUTE);
  deliver(store);
  outage.failed("unreachable");
  for (let count = 0; count < 100; count += 1) {
    outage.answered();
    pass(19_000);
    outage.answered();
    outage.failed(count % 2 ? "unreachable" : "rival");
  }
  expect(told(store).length).toBe(1);
  outage.answered();
  pass(20_000);
  outage.answered();
  expect(told(store).slice(1)).toEqual([expect.stringMatching(/ 12:00 to .* 12:33 /)]);
});

describe("while nothing can be sent", () => {
  test("nothing is written, and what is over is told in one message", async () => {
    const { live, pass, fail, told, line } = bench();
    const { store, outage } = live();
    await fail(outage, HOUR);
    expect(told(store)).toEqual([]);
    line.isUp = true; // the poll that follows gets through as well
    outage.answered();
    pass(25_000);
    outage.answered();
    for (const owner of [ADA, BOB])
      expect(told(store, owner)).toEqual([
        "From 23 Nov 2026, 12:00 to 23 Nov 2026, 13:00 (UTC) Telegram was out of my reach. Nothing sent meanwhile is lost.",
      ]);
  });

  test("a notice that was written but not sent is taken back, of each owner for himself", async () => {
    const { live, pass, fail, told, line } = bench();
    line.isUp = true;
    const { store, outage } = live();
    await fail(outage, 2 * MINUTE);
    const row = store.outbox.next(BOB);
    store.outbox.begin(row?.id ?? 0);
    store.outbox.sent(row?.id ?? 0, 1);
    outage.answered();
    pass(25_000);
    outage.answered();
    expect(told(store)).toEqual([expect.stringMatching(/^From .* out of my reach/)]);
    expect(told(store, BOB).length).toBe(2);
    expect(told(store, BOB)[1]).toMatch(/^Messages come again\. From /);
  });

  test("what was known of the line in an earlier outage counts no more", async () => {
    const { live, pass, fail, told, line } = bench();
    line.isUp = true;
    const { store, outage } = live();
    await fail(outage, 2 * MINUTE);
    pass(25_000);
    outage.answered();
    const before = told(store).length;
    line.isUp = false;
    await fail(outage, HOUR);
    expect(told(store).length).toBe(before);
  });

  test("once it can be, while updates still do not come, owners are told", async () => {
    const { live, fail, told, line } = bench();
    const { store, outage } = live();
    await fail(outage, 5 * MINUTE);
    expect(told(store)).toEqual([]);
    line.isUp = true;
    await fail(outage, MINUTE);
    expect(told(store)).toEqual([expect.stringMatching(/since 23 Nov 2026, 12:00/)]);
  });

  test("more than a day of it loses messages, and that is said", async () => {
    const { live, pass, fail, told } = bench();
    const { store, outage } = live();
    await fail(outage, MINUTE);
    pass(25 * HOUR);
    outage.answered();
    expect(told(store)).toEqual([expect.stringMatching(/keeps messages for a day: what was sent earlier/)]);
  });
});

describe("over a restart", () => {
  test("what was told is not told again, and that it is over is not forgotten", async () => {
    const { live, pass, fail, told, deliver, line } = bench();
    line.isUp = true;
    const first = live();
    await fail(first.outage, 2 * MINUTE);
    deliver(first.store);
    first.store[Symbol.dispose]();
    pass(MINUTE);
    const second = live();
    await fail(second.outage, 2 * MINUTE);
    expect(told(second.store).length).toBe(1);
    second.store[Symbol.dispose]();
    const third = live();
    third.outage.answered();
    expect(told(third.store).length).toBe(1);
    pass(25_000);
    third.outage.answered();
    expect(told(third.store).slice(1)).toEqual([
      expect.stringMatching(/^Messages come again.*12:00 to .*12:05/),
    ]);
    third.store[Symbol.dispose]();
    const fourth = live();
    fourth.outage.answered();
    pass(HOUR);
    fourth.outage.answered();
    expect(told(fourth.store).length).toBe(2);
  });

  test("what nobody could be told is told in one message by the next life", async () => {
    const { live, pass, fail, told } = bench();
    const first = live();
    await fail(first.outage, 2 * MINUTE);
    first.store[Symbol.dispose]();
    const second = live();
    pass(25_000);
    second.outage.answered();
    expect(told(second.store)).toEqual([expect.stringMatching(/^From .*12:00 to .*12:02/)]);
  });
});

test("a clock that was set back during an outage gives no span that ends before it begins", async () => {
  const { live, pass, fail, told, clock } = bench();
  const { store, outage } = live();
  await fail(outage, 2 * MINUTE);
  clock.wall -= 5 * HOUR;
  outage.answered();
  pass(25_000);
  outage.answered();
  expect(told(store)).toEqual([expect.stringMatching(/^From 23 Nov 2026, 07:02 to 23 Nov 2026, 07:02 /)]);
});

test("what cannot be written, as on a full disk, harms nothing and is written once it can be", async () => {
  const { path, live, pass, fail, told, line, log } = bench();
  line.isUp = true;
  const { store, outage } = live();
  const admin = new Database(path);
  const fill = () =>
    admin.exec(
      "CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
    );
  fill();
  await fail(outage, HOUR);
  expect(told(store)).toEqual([]);
  admin.exec("DROP TRIGGER full");
  await fail(outage, 0);
  expect(told(store).length).toBe(1);
  fill();
  outage.answered();
  pass(25_000);
  outage.answered();
  expect(told(store).length).toBe(1);
  admin.exec("DROP TRIGGER full");
  admin.close();
  outage.answered();
  expect(told(store)).toEqual([expect.stringMatching(/^From .*12:00 to .*13:00/)]);
  expect(log().split("telegram.outage_unwritable").length - 1).toBe(2);
});
