import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BotApi } from "../../src/demo/bot-api/api.ts";
import { verifyChain } from "../../src/domain/audit-chain.ts";
import { openAuditReader } from "../../src/store/audit-reader.ts";
import { homePaths } from "../../src/store/home.ts";
import { auditIn, queryDaemon } from "../support/daemon-database.ts";
import { answerTo, type Run } from "./talk.ts";

/** A prompt that a person sent. */
export interface SentPrompt {
  readonly tag: string;
  readonly chatId: number;
  readonly updateId: number;
}

/** What the world outside the daemon knows of what happened. */
export interface Evidence {
  readonly home: string;
  readonly api: BotApi;
  readonly sent: readonly SentPrompt[];
  readonly runs: readonly Run[];
  /** Ids of outbox rows that were being sent when a life ended, or whose call ended ambiguously. */
  readonly ambiguous: ReadonlySet<number>;
  /** Presses of [Run it again] and [Continue it], by any person: each may run one prompt once more. */
  readonly reruns: number;
}

interface WorkRow {
  readonly id: number;
  readonly dedupe_key: string;
  readonly text: string;
  readonly state: string;
  readonly reserved_micro_usd: number;
}
interface FinalRow {
  readonly id: number;
  readonly final_of: number | null;
  readonly state: string;
  readonly attempts: number;
  readonly act: string;
}

const ENDED = ["done", "failed", "stopped", "interrupted", "dropped"];

/**
 * Looks at database, audit and screen of a daemon that has nothing left to do, and names everything that must not be: a
 * message that is lost, ran twice without leave or is not answered, an answer doubled without a reason, books that disagree.
 */
export function violationsIn(evidence: Evidence): readonly string[] {
  const { home } = evidence;
  const works = queryDaemon(home, "SELECT * FROM work ORDER BY id") as readonly WorkRow[];
  const outbox = queryDaemon(home, "SELECT * FROM outbox ORDER BY id") as readonly FinalRow[];
  const buttons = queryDaemon(home, "SELECT nonce, group_key FROM buttons") as readonly ButtonRow[];
  return [
    ...restOf(home, works, outbox),
    ...evidence.sent.flatMap((prompt) => faultsOfPrompt(evidence, prompt, { works, outbox, buttons })),
    ...faultsOfRuns(evidence, works),
    ...faultsOfBooks(home, works),
    ...faultsOfScreen(evidence, outbox),
    ...faultsOfQuarantine(home),
    ...faultsOfHosts(home),
  ];
}

/** What was taken out of a project is out of it, in the quarantine, until it was accepted; then it is in its place (H31). */
function faultsOfQuarantine(home: string): readonly string[] {
  const rows = queryDaemon(home, "SELECT id, root, path, state FROM quarantine") as readonly {
    readonly id: number;
    readonly root: string;
    readonly path: string;
    readonly state: string;
  }[];
  const isBack = (path: string) => rows.some((row) => row.path === path && row.state === "accepted");
  return rows.flatMap(({ id, root, path, state }) => {
    const isLive = existsSync(join(root, path));
    const isKept = existsSync(join(homePaths(home).quarantine, String(id), "item"));
    const isRight = state === "accepted" ? isLive && !isKept : isKept && isLive === isBack(path);
    return isRight ? [] : [`${path} is ${state}, in the project ${isLive}, in the quarantine ${isKept}`];
  });
}

/** What was answered for good has its rule on record: an answer without one would be forgotten, and asked for again. */
function faultsOfHosts(home: string): readonly string[] {
  const answered = queryDaemon(home, "SELECT id FROM approvals WHERE choice IN ('project', 'never')").length;
  const ruled = auditIn(home, "net.ruled").filter(({ verdict }) => verdict !== "removed");
  const rules = queryDaemon(home, "SELECT * FROM host_rules").length;
  const removed = auditIn(home, "net.ruled").length - ruled.length;
  return answered === ruled.length && rules + removed === ruled.length
    ? []
    : [`${answered} answers for good, ${ruled.length} on record, ${rules} rules and ${removed} removed`];
}

/** Nothing may be left half done. */
function restOf(home: string, works: readonly WorkRow[], outbox: readonly FinalRow[]): readonly string[] {
  const inbox = queryDaemon(home, "SELECT update_id FROM inbox WHERE state = 'new'");
  const asked = queryDaemon(home, "SELECT id FROM approvals WHERE state = 'asked'");
  return [
    ...inbox.map((row) => `an update is not done: ${JSON.stringify(row)}`),
    ...asked.map((row) => `an approval is still asked: ${JSON.stringify(row)}`),
    ...works
      .filter(({ state, reserved_micro_usd: reserved }) => !ENDED.includes(state) || reserved !== 0)
      .map(({ id, state, reserved_micro_usd: reserved }) => `work ${id} is ${state}, reserved ${reserved}`),
    ...outbox
      .filter(({ state }) => state === "queued" || state === "sending")
      .map(({ id, state }) => `outbox row ${id} is ${state}`),
    ...outbox
      .filter(({ state, final_of: of }) => state === "failed" && of !== null)
      .map(({ id, act }) => `a part of an answer was given up: row ${id}, ${act.slice(0, 200)}`),
  ];
}

interface ButtonRow {
  readonly nonce: string;
  readonly group_key: string;
}
interface Tables {
  readonly works: readonly WorkRow[];
  readonly buttons: readonly ButtonRow[];
  readonly outbox: readonly FinalRow[];
}

/** A message ran once and was answered, or is offered to be run again, or was dropped or stopped by its person. */
function faultsOfPrompt(
  evidence: Evidence,
  prompt: SentPrompt,
  { works, outbox, buttons }: Tables,
): readonly string[] {
  const { api, runs, ambiguous } = evidence;
  const { tag, chatId, updateId } = prompt;
  const own = works.filter(({ dedupe_key: key }) => key === `telegram:${updateId}`);
  if (own.length !== 1) return [`${tag}: ${own.length} works`];
  const all = works.filter(({ text }) => new RegExp(`${tag}: \\w+$`).test(text));
  const messages = api.messages(chatId).filter(({ isFromBot, isDeleted }) => isFromBot && !isDeleted);
  const copies = messages.filter(({ text }) => text.includes(answerTo(tag))).length;
  const isDone = all.some(({ state }) => state === "done");
  const finals = outbox.filter(({ final_of: of, act }) => {
    return all.some(({ id }) => id === of) && act.includes(answerTo(tag));
  });
  const extra = finals.filter(({ id, attempts }) => ambiguous.has(id) || attempts > 1).length;
  const isUnoffered = ({ id, state }: WorkRow): boolean => {
    const nonces = buttons.filter(({ group_key: group }) => group === `recover:${id}`);
    const wasShown = outbox.some(
      ({ state: sent, act }) => sent === "sent" && nonces.some(({ nonce }) => act.includes(nonce)),
    );
    return state === "interrupted" && !wasShown;
  };
  const ran = runs.filter((run) => run.tag === tag).length;
  return [
    ...(isDone && copies === 0 ? [`${tag}: done, and its answer is nowhere`] : []),
    ...(copies > finals.length + extra ? [`${tag}: ${copies} copies of ${finals.length} answers`] : []),
    ...(isDone && ran === 0 ? [`${tag}: done, and never ran`] : []),
    ...all.filter(isUnoffered).map(({ id }) => `${tag}: work ${id} was cut off, and is not offered again`),
  ];
}

/** No prompt runs more often than it was asked for: once for its message, once for each press that asks for it again. */
function faultsOfRuns({ runs, sent, reruns }: Evidence, works: readonly WorkRow[]): readonly string[] {
  const byTag = Map.groupBy(runs, ({ tag }) => tag);
  const tooOften = sent
    .map(({ tag }) => ({
      tag,
      ran: byTag.get(tag)?.length ?? 0,
      works: works.filter(({ text }) => new RegExp(`${tag}: \\w+$`).test(text)).length,
    }))
    .filter(({ ran, works: allowed }) => ran > allowed)
    .map(({ tag, ran, works: allowed }) => `${tag}: ran ${ran} times in ${allowed} works`);
  const overtaken = [...Map.groupBy(sent, ({ chatId }) => chatId).values()].flatMap((prompts) => {
    const order = prompts.map(({ tag }) => runs.findIndex((run) => run.tag === tag)).filter((at) => at >= 0);
    return order.some((at, index) => at < (order[index - 1] ?? 0))
      ? [`chat ${prompts[0]?.chatId}: out of order`]
      : [];
  });
  const again = works.filter(({ dedupe_key: key }) => /^(again|continue):/.test(key)).length;
  const unasked = again > reruns ? [`${again} works run again for ${reruns} presses`] : [];
  return [...tooOften, ...overtaken, ...unasked];
}

/** Audit and ledger tell one story, and the chain of the audit holds. */
function faultsOfBooks(home: string, works: readonly WorkRow[]): readonly string[] {
  using reader = openAuditReader(homePaths(home).database);
  const chain = verifyChain(reader.rows(), { after: reader.anchor() });
  const settled = auditIn(home, "cost.settled");
  const costs = queryDaemon(home, "SELECT work_id, cost_micro_usd FROM costs") as readonly {
    readonly work_id: number;
    readonly cost_micro_usd: number;
  }[];
  const turns = auditIn(home, "turn.");
  const admitted = Map.groupBy(auditIn(home, "request."), ({ dedupeKey }) => dedupeKey);
  const asked = auditIn(home, "tool.asked");
  const answered = auditIn(home, "tool.answered");
  return [
    ...(chain.kind !== "broken" ? [] : [`the audit is broken at ${chain.id}: ${chain.reason}`]),
    ...costs
      .filter(({ work_id: id, cost_micro_usd: cost }) => {
        const rows = settled.filter(({ workId }) => workId === id);
        return rows.length !== 1 || rows[0]?.costMicroUsd !== cost;
      })
      .map(({ work_id: id }) => `work ${id} is charged otherwise than recorded`),
    ...(settled.length === costs.length ? [] : [`${settled.length} records of ${costs.length} charges`]),
    ...works.flatMap(({ id }) => {
      const mine = turns.filter(({ workId }) => workId === id).map(({ type }) => type);
      const begun = mine.filter((type) => type === "turn.started").length;
      const ended = mine.length - begun;
      const isCharged = costs.some(({ work_id: charged }) => charged === id);
      return [
        ...(begun > 1 ? [`work ${id} is recorded to have begun ${begun} times`] : []),
        ...(ended > 1 || (begun === 1 && ended === 0)
          ? [`work ${id} is recorded as ${mine.join(", ")}`]
          : []),
        ...(begun === 1 && !isCharged ? [`work ${id} began and was not charged`] : []),
      ];
    }),
    ...[...admitted].filter(([, rows]) => rows.length > 1).map(([key]) => `${String(key)} is recorded twice`),
    ...asked
      .filter(({ toolUseId }) => answered.filter((row) => row.toolUseId === toolUseId).length !== 1)
      .map(({ toolUseId }) => `the call ${String(toolUseId)} was asked about and not answered once`),
  ];
}

/** No message says for ever that something is being done (H41), but for one that nobody knows whether it came. */
function faultsOfScreen({ api, sent, ambiguous }: Evidence, outbox: readonly FinalRow[]): readonly string[] {
  const doubtful = outbox.filter(
    ({ id, state, attempts }) => ambiguous.has(id) || attempts > 1 || state === "failed",
  );
  const frozen = [...new Set(sent.map(({ chatId }) => chatId))].flatMap((chatId) =>
    api
      .messages(chatId)
      .filter(({ isFromBot, isDeleted, text }) => isFromBot && !isDeleted && text === "Working…"),
  );
  return frozen.length > doubtful.length ? [`${frozen.length} messages say "Working…" for ever`] : [];
}
