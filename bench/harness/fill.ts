import { join } from "node:path";
import Database from "better-sqlite3";
import { auditRowHash, GENESIS_HASH, verifyChain } from "../../src/domain/audit-chain.ts";
import { systemNow } from "../../src/domain/clock.ts";
import { openAuditReader } from "../../src/store/audit-reader.ts";
import { makeHome } from "./home.ts";

/** Younger than whatever retention there is: nothing of it is deleted while a bench looks. */
const SPAN_MS = 29 * 86_400_000;
const PEOPLE = 20;
const FIRST_PERSON = 1001;
const PROJECT = "shed";
const ROWS_A_TURN = 5;

/**
 * Fills a home folder's new database with what `auditRows` rows of audit stand for: turns of 20 people over 29 days, each
 * with its rows of inbox, work, outbox, buttons, sessions, usage and costs, and with an audit chain that verifies.
 */
export function fillHome(home: string, auditRows: number): void {
  const db = new Database(makeHome(home));
  const now = systemNow();
  db.pragma("synchronous = OFF");
  const turns = Math.floor(auditRows / ROWS_A_TURN);
  const atOf = (turn: number): number => Math.floor(now - SPAN_MS + (turn / Math.max(1, turns)) * SPAN_MS);
  db.transaction(() => {
    fillPeople(db, now - SPAN_MS);
    fillTurns(db, turns, atOf);
    fillAudit(db, auditRows, (row) => atOf(Math.floor(row / ROWS_A_TURN)));
  })();
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
}

/** Throws when the audit of that home is no whole chain of at least `count` rows. */
export function checkAudit(home: string, count: number): void {
  using audit = openAuditReader(join(home, "sallyport.db"));
  const verdict = verifyChain(audit.rows());
  if (verdict.kind === "broken" || verdict.count < count)
    throw new Error(`The filled audit is ${JSON.stringify(verdict)}`);
}

type Db = Database.Database;

function fillPeople(db: Db, at: number): void {
  const conversation = db.prepare(
    "INSERT INTO conversations (id, chat_id, thread_id, project) VALUES (?, ?, 0, ?)",
  );
  const session = db.prepare(
    "INSERT INTO sessions (id, conversation_id, user_id, project, is_resumable, created_at) VALUES (?, ?, ?, ?, 0, ?)",
  );
  for (let person = 0; person < PEOPLE; person += 1) {
    conversation.run(person + 1, FIRST_PERSON + person, PROJECT);
    session.run(`session-${person}`, person + 1, FIRST_PERSON + person, PROJECT, at);
  }
}

/** A turn: its update, its work, what was shown, what it cost. */
function fillTurns(db: Db, turns: number, atOf: (turn: number) => number): void {
  const inbox = db.prepare(
    "INSERT INTO inbox (update_id, body, state, received_at) VALUES (?, '', 'done', ?)",
  );
  const work = db.prepare(
    `INSERT INTO work (id, uuid, dedupe_key, conversation_id, user_id, project, session_id, text, state, message_id,
       placeholder_id, created_at, started_at, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'done', ?, ?, ?, ?, ?)`,
  );
  const outbox = db.prepare(
    `INSERT INTO outbox (id, chat_id, thread_id, act, priority, final_of, state, attempts, message_id, created_at)
     VALUES (?, ?, 0, ?, ?, ?, 'sent', 1, ?, ?)`,
  );
  const button = db.prepare(
    "INSERT INTO buttons (nonce, group_key, action, conversation_id, user_id, used_at, offered_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const usage = db.prepare(
    `INSERT INTO api_usage (request_id, work_id, model, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
       cache_read_tokens, output_tokens, cost_micro_usd, is_final, is_cut, at)
     VALUES (?, ?, 'claude-opus-5-5', 900, 0, 0, 12000, 400, 25000, 1, 0, ?)`,
  );
  const cost = db.prepare(
    "INSERT INTO costs (work_id, user_id, cost_micro_usd, source, settled_at) VALUES (?, ?, 25000, 'cli', ?)",
  );
  const prompt = "Please look at the door of the shed, and say what is wrong with it. ".repeat(3);
  const answer = "The hinge is on the wrong side. ".repeat(20);
  for (let turn = 0; turn < turns; turn += 1) {
    const id = turn + 1;
    const person = turn % PEOPLE;
    const user = FIRST_PERSON + person;
    const at = atOf(turn);
    const placeholder = 2 * turn + 1;
    const body = (text: string) => ({ text, entities: [], buttons: [] });
    const sent = { kind: "send", body: body("Working…"), replyTo: id, isSilent: true, isProgress: true };
    const edited = { kind: "edit", target: placeholder, body: body(answer), orSend: true };
    inbox.run(id, at);
    const ids = [`uuid-${id}`, `telegram:${id}`, person + 1, user, PROJECT, `session-${person}`] as const;
    work.run(id, ...ids, prompt, id, placeholder, at, at, at);
    outbox.run(placeholder, user, JSON.stringify(sent), 2, null, id, at);
    outbox.run(placeholder + 1, user, JSON.stringify(edited), 0, id, id, at);
    const action = JSON.stringify({ kind: "stop", workId: id });
    for (const which of ["a", "b"])
      button.run(`nonce-${id}-${which}-0000000`, `work:${id}`, action, person + 1, user, at, at);
    usage.run(`request-${id}`, id, at);
    cost.run(id, user, at);
  }
}

const EVENTS = [
  (turn: number) => ({
    type: "request.admitted",
    data: { origin: "telegram", kind: "work", body: "prompt", dedupeKey: `telegram:${turn}` },
  }),
  (turn: number) => ({ type: "turn.started", data: { workId: turn, project: PROJECT, isResumed: true } }),
  (turn: number) => ({
    type: "cost.settled",
    data: { workId: turn, reservedMicroUsd: 5_000_000, costMicroUsd: 25_000, source: "cli" },
  }),
  (turn: number) => ({
    type: "turn.finished",
    data: { workId: turn, failure: null, model: "claude-opus-5-5", durationMs: 4200 },
  }),
  (_turn: number) => ({ type: "command.run", data: { name: "status" } }),
] as const;

function fillAudit(db: Db, count: number, atOf: (row: number) => number): void {
  const insert = db.prepare(
    `INSERT INTO audit (id, at, type, risk, user_id, chat, data, previous_hash, hash) VALUES (?, ?, ?, 'low', ?, ?, ?, ?, ?)`,
  );
  let previous = GENESIS_HASH;
  for (let row = 0; row < count; row += 1) {
    const turn = Math.floor(row / ROWS_A_TURN) + 1;
    const { type, data } = (EVENTS[row % ROWS_A_TURN] ?? EVENTS[0])(turn);
    const userId = FIRST_PERSON + (turn % PEOPLE);
    const body = {
      id: row + 1,
      at: atOf(row),
      type,
      risk: "low",
      userId,
      chat: `${userId}:0`,
      data: JSON.stringify(data),
    };
    const hash = auditRowHash(previous, body);
    insert.run(body.id, body.at, type, userId, body.chat, body.data, previous, hash);
    previous = hash;
  }
}
