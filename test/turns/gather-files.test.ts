import Database from "better-sqlite3";
import { expect, test } from "vitest";
import type { HeldFile } from "../../src/domain/attachment.ts";
import { BARE_WORKSHOP } from "../../src/jail/jail.ts";
import type { FileRoom } from "../../src/turns/gather-files.ts";
import { promptOf } from "../../src/turns/prompt-of.ts";
import { testStore } from "../support/store.ts";
import { turnsBench } from "../support/turns.ts";

const FOLDER = "/home/uploads/0123";
const HELD: HeldFile = { name: "a.txt", kind: "text", bytes: 1, sha256: "0", unpacked: null };

/** Turns of one person, with a room for files that does as it is told. */
function bench(room: Partial<FileRoom>, record?: () => void) {
  const discarded: string[] = [];
  const turns = turnsBench({
    store: testStore(),
    workshop: { ...BARE_WORKSHOP, uploadsDir: FOLDER },
    files: {
      receive: async () => ({ kind: "held", held: HELD }),
      discard: async (folder, name) => void discarded.push(`${folder}/${name}`),
      shownAt: async () => "/uploads",
      ...room,
    },
    record: (event) => {
      if (event.type === "file.received") record?.();
    },
  });
  const send = () =>
    turns.store.transaction(() => {
      const { id: conversationId } = turns.store.conversations.at({ chatId: 7, threadId: null });
      turns.store.conversations.setProject(conversationId, "p");
      const draft = { dedupeKey: "k", conversationId, userId: 7, project: "p", text: "look", messageId: 1 };
      return turns.turns.submit({ ...draft, files: [{ fileId: "f", name: "a.txt", bytes: 1 }] });
    });
  return { ...turns, discarded, send };
}

test("a file that is there is named to Claude by its place, and on record", async () => {
  const { asked, send, events } = bench({});
  send();
  const turn = await asked();
  expect(turn.prompt).toMatch(
    /^look\n\n\[The person sent this file .*\]\n- \/uploads\/a\.txt \(text, 1 bytes\)$/s,
  );
  expect(events).toContainEqual(expect.objectContaining({ type: "file.received", name: "a.txt" }));
  turn.end();
});

test("a file that cannot be put on record is taken back, and nothing runs", async () => {
  const { send, discarded, reports, until } = bench({}, () => {
    throw new Error("nothing can be put on record");
  });
  send();
  await until(() => reports.length > 0);
  expect(reports[0]?.outcome.kind).toBe("failed");
  expect(discarded).toEqual([`${FOLDER}/a.txt`]);
});

test("H17: a file that the store does not take yet is taken back, and its turn begins with it once the store does", async () => {
  let tries = 0;
  const { asked, send, discarded, reports } = bench({}, () => {
    tries += 1;
    if (tries === 1) throw new Database.SqliteError("database is locked", "SQLITE_BUSY");
  });
  send();
  const turn = await asked();
  expect(turn.prompt).toContain("/uploads/a.txt");
  expect([tries, discarded, reports]).toEqual([2, [`${FOLDER}/a.txt`], []]);
  turn.end();
});

test("a file that is there as its turn is stopped is taken back", async () => {
  const fetched = Promise.withResolvers<{ kind: "held"; held: HeldFile }>();
  let isFetching = false;
  const receive = () => {
    isFetching = true;
    return fetched.promise;
  };
  const { send, discarded, turns, until, events, store } = bench({ receive });
  send();
  await until(() => isFetching);
  turns.stop(store.conversations.at({ chatId: 7, threadId: null }).id);
  fetched.resolve({ kind: "held", held: HELD });
  await until(() => discarded.length > 0);
  expect(discarded).toEqual([`${FOLDER}/a.txt`]);
  expect(events).not.toContainEqual(expect.objectContaining({ type: "file.received" }));
});

test.each([
  ["EACCES", "I may not write where files are kept. At the machine: chmod u+rwx '/home/uploads/0123'"],
  [
    "ENOTDIR",
    "what stands where files are kept is no folder. At the machine: mv '/home/uploads/0123' '/home/uploads/0123.old'",
  ],
  ["ENOSPC", "the disk of this machine is full"],
  ["EIO", "a fault of mine: see the log"],
])("a file that fails by %s is told with what mends it", async (code, words) => {
  const receive = async (): Promise<never> => {
    throw Object.assign(new Error(code), { code });
  };
  const { send, reports, until } = bench({ receive });
  send();
  await until(() => reports.length > 0);
  expect(reports[0]?.outcome).toMatchObject({ code: "files_unkept", detail: `a.txt: ${words}` });
});

test("what the maker of an archive named stands in the prompt with nothing hidden in it", () => {
  const unpacked = {
    files: 1,
    bytes: 1,
    leftOut: ["a\uFE00\u{E0101}/.env"],
    counts: { link: 0, secret: 1, settings: 0 },
    nested: ["b\u200D.zip"],
    nestedCount: 1,
  };
  const prompt = promptOf("look", [{ ...HELD, kind: "archive", unpacked }], "/uploads");
  expect(prompt).not.toMatch(/\p{Default_Ignorable_Code_Point}/u);
  expect(prompt).toContain("u{fe00}");
  expect(prompt).toContain("1 that hold secrets by their names");
});
