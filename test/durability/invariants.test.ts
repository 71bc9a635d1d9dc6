import { copyFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { tempDir } from "../support/temp.ts";
import { type Evidence, violationsIn } from "./invariants.ts";
import { createScene } from "./scene.ts";

/** The evidence with the database of a daemon that has ended, changed by `sql`. */
function tampered(evidence: Evidence, sql: string): Evidence {
  const home = tempDir();
  copyFileSync(join(evidence.home, "sallyport.db"), join(home, "sallyport.db"));
  const db = new Database(join(home, "sallyport.db"));
  db.pragma("foreign_keys = OFF");
  db.exec(`DROP TRIGGER audit_is_append_only_update; DROP TRIGGER audit_is_append_only_delete; ${sql}`);
  db.close();
  return { ...evidence, home };
}

test("the checker of the durability tests finds nothing after a plain life, and names each fault that is planted", async () => {
  const scene = await createScene();
  const life = await scene.live();
  const { chatId } = scene.say("write");
  scene.say("say");
  await scene.settle();
  await life.kill("SIGTERM");
  const sound = scene.evidence();
  expect(violationsIn(sound)).toEqual([]);

  const found = (evidence: Evidence): string => violationsIn(evidence).join("; ");
  const planted = (sql: string): string => found(tampered(sound, sql));
  expect(planted("SELECT 1")).toBe("");

  expect(planted("UPDATE inbox SET state = 'new' WHERE rowid = (SELECT max(rowid) FROM inbox)")).toContain(
    "an update is not done",
  );
  expect(planted("UPDATE work SET state = 'running' WHERE id = 1")).toContain("work 1 is running");
  expect(planted("UPDATE work SET reserved_micro_usd = 5 WHERE id = 2")).toContain(
    "work 2 is done, reserved 5",
  );
  expect(planted("DELETE FROM work WHERE id = 2")).toContain("m2: 0 works");
  expect(planted("UPDATE work SET state = 'interrupted' WHERE id = 1")).toContain("m1: work 1 was cut off");
  expect(planted("UPDATE outbox SET state = 'sending' WHERE id = 1")).toContain("outbox row 1 is sending");
  expect(planted("UPDATE outbox SET state = 'failed' WHERE final_of = 1")).toContain(
    "a part of an answer was given up",
  );
  expect(planted("UPDATE approvals SET state = 'asked'")).toContain("an approval is still asked");
  expect(planted("UPDATE costs SET cost_micro_usd = 1 WHERE work_id = 1")).toContain(
    "work 1 is charged otherwise",
  );
  expect(planted("DELETE FROM costs WHERE work_id = 1")).toContain("work 1 began and was not charged");
  expect(planted("UPDATE audit SET risk = 'high' WHERE id = 3")).toContain("the audit is broken at 3");
  expect(planted("DELETE FROM audit WHERE type = 'turn.finished'")).toContain(
    "work 1 is recorded as turn.started",
  );
  expect(planted("DELETE FROM audit WHERE type = 'tool.answered'")).toContain(
    "was asked about and not answered",
  );
  expect(
    planted(
      `INSERT INTO audit SELECT (SELECT max(id) + 1 FROM audit), at, type, risk, user_id, chat, data, hash, hash FROM audit WHERE type = 'request.admitted' LIMIT 1`,
    ),
  ).toContain("is recorded twice");

  const [run] = sound.runs;
  if (!run) throw new Error("Expected a run");
  expect(found({ ...sound, runs: [...sound.runs, run] })).toContain("m1: ran 2 times in 1 works");
  expect(found({ ...sound, runs: [] })).toContain("m1: done, and never ran");
  expect(found({ ...sound, runs: sound.runs.toReversed() })).toContain("out of order");
  expect(found({ ...sound, sent: [...sound.sent, { tag: "m9", chatId, updateId: 1 }] })).toContain(
    "m9: 0 works",
  );

  const message = (text: string, messageId: number) => ({
    chatId,
    messageId,
    text,
    isFromBot: true,
    isDeleted: false,
  });
  const shows = (...more: readonly object[]): Evidence => ({
    ...sound,
    api: {
      ...sound.api,
      messages: (id) => [...sound.api.messages(id), ...(more as ReturnType<typeof sound.api.messages>)],
    },
  });
  expect(found(shows(message("Answer to m1.", 90)))).toContain("m1: 2 copies of 1 answers");
  expect(found(shows(message("Working…", 91)))).toContain('1 messages say "Working…" for ever');
  expect(found({ ...sound, api: { ...sound.api, messages: () => [] } })).toContain(
    "m1: done, and its answer is nowhere",
  );
});
