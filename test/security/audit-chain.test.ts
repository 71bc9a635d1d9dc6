import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type AuditRow, auditRowHash, GENESIS_HASH, verifyChain } from "../../src/domain/audit-chain.ts";
import { auditDataOf } from "../../src/domain/audit-event.ts";

function chainOf(count: number): AuditRow[] {
  const rows: AuditRow[] = [];
  let previousHash = GENESIS_HASH;
  for (let id = 1; id <= count; id += 1) {
    const body = {
      id,
      at: id * 10,
      type: "command.run",
      risk: "low",
      userId: 7,
      chat: "7:0",
      data: `{"n":${id}}`,
    };
    const hash = auditRowHash(previousHash, body);
    rows.push({ ...body, previousHash, hash });
    previousHash = hash;
  }
  return rows;
}

function at(rows: readonly AuditRow[], index: number): AuditRow {
  const row = rows[index];
  if (!row) throw new Error(`no row at ${index}`);
  return row;
}

function headOf(rows: readonly AuditRow[]) {
  const { id, hash } = at(rows, rows.length - 1);
  return { id, hash };
}

/** Gives every row its right hash again, as one would who knows the recipe. */
function rehash(rows: readonly AuditRow[], from = 0): AuditRow[] {
  let previousHash = rows[from - 1]?.hash ?? GENESIS_HASH;
  return rows.map((row, at) => {
    if (at < from) return row;
    const hash = auditRowHash(previousHash, row);
    const mended = { ...row, previousHash, hash };
    previousHash = hash;
    return mended;
  });
}

test("a whole chain holds, and so does an empty one", () => {
  const rows = chainOf(5);
  expect(verifyChain(rows)).toEqual({ kind: "ok", count: 5, head: headOf(rows) });
  expect(verifyChain([])).toEqual({ kind: "ok", count: 0, head: { id: 0, hash: GENESIS_HASH } });
});

test("a change of any field of any row is found and the row named", () => {
  const changes: Partial<AuditRow>[] = [
    { at: 1 },
    { type: "auth.login" },
    { risk: "high" },
    { userId: null },
    { userId: 8 },
    { chat: null },
    { data: "{}" },
    { hash: "0".repeat(64) },
    { previousHash: "f".repeat(64) },
  ];
  for (const change of changes)
    for (let index = 0; index < 4; index += 1) {
      const rows = chainOf(4);
      rows[index] = { ...at(rows, index), ...change };
      expect(verifyChain(rows), JSON.stringify(change)).toEqual({
        kind: "broken",
        id: index + 1,
        reason: "changed",
      });
    }
});

test("a row changed together with its hash is found at the next row", () => {
  const rows = chainOf(4);
  const forged = { ...at(rows, 1), data: "{}" };
  rows[1] = { ...forged, hash: auditRowHash(forged.previousHash, forged) };
  expect(verifyChain(rows)).toEqual({ kind: "broken", id: 3, reason: "unlinked" });
});

test("a removed row is found, the first as well, and named", () => {
  for (let at = 0; at < 3; at += 1)
    expect(verifyChain(chainOf(4).toSpliced(at, 1))).toEqual({
      kind: "broken",
      id: at + 1,
      reason: "missing",
    });
});

test("a removed row whose followers were renumbered is found", () => {
  const rows = chainOf(4)
    .toSpliced(1, 1)
    .map((row, at) => ({ ...row, id: at + 1 }));
  expect(verifyChain(rows)).toEqual({ kind: "broken", id: 2, reason: "changed" });
});

test("an inserted row is found, with an id of its own or with a taken one", () => {
  const rows = chainOf(4);
  const stranger = { ...at(rows, 1), id: 3, previousHash: at(rows, 1).hash };
  const inserted = { ...stranger, hash: auditRowHash(stranger.previousHash, stranger) };
  expect(verifyChain(rows.toSpliced(2, 0, inserted))).toEqual({
    kind: "broken",
    id: 3,
    reason: "disordered",
  });
  const shifted = rows.toSpliced(2, 2, inserted, { ...at(rows, 2), id: 4 });
  expect(verifyChain(shifted)).toEqual({ kind: "broken", id: 4, reason: "changed" });
});

test("rows that changed places are found", () => {
  const rows = chainOf(4);
  expect(verifyChain([at(rows, 0), at(rows, 2), at(rows, 1), at(rows, 3)])).toEqual({
    kind: "broken",
    id: 2,
    reason: "missing",
  });
  const contents = rows.map((row, index) => ({ ...at(rows, [0, 2, 1, 3][index] ?? 0), id: row.id }));
  expect(verifyChain(contents)).toEqual({ kind: "broken", id: 2, reason: "changed" });
});

test("the removal of the last rows is seen by a remembered head, of now or of earlier, and only by it", () => {
  const rows = chainOf(5);
  const head = headOf(rows);
  expect(verifyChain(rows.slice(0, 4)).kind).toBe("ok");
  expect(verifyChain(rows.slice(0, 4), { expectedHead: head })).toEqual({
    kind: "broken",
    id: 5,
    reason: "head_lost",
  });
  expect(verifyChain(rows, { expectedHead: head }).kind).toBe("ok");
  expect(verifyChain(chainOf(9), { expectedHead: head }).kind).toBe("ok");
});

test("a chain that was rewritten whole is seen by a remembered head", () => {
  const rows = chainOf(5);
  const rewritten = rehash(rows.map((row) => (row.id === 2 ? { ...row, data: "{}" } : row)));
  expect(verifyChain(rewritten).kind).toBe("ok");
  expect(verifyChain(rewritten, { expectedHead: headOf(rows) })).toEqual({
    kind: "broken",
    id: 5,
    reason: "head_lost",
  });
});

/** The chain continued by the row that says that all up to `upTo` was given up. */
function trimmed(rows: readonly AuditRow[], upTo: { id: number; hash: string }): AuditRow[] {
  const previous = headOf(rows);
  const data = auditDataOf({ type: "audit.trimmed", ...upTo });
  const row = {
    ...at(rows, 0),
    id: previous.id + 1,
    type: "audit.trimmed",
    data,
    previousHash: previous.hash,
  };
  return [...rows, { ...row, hash: auditRowHash(row.previousHash, row) }];
}

test("a chain whose beginning was given up by retention holds from there, and nothing more may be missing", () => {
  const whole = chainOf(5);
  const after = headOf(whole.slice(0, 2));
  const rows = trimmed(whole, after);
  expect(verifyChain(rows.slice(2), { after })).toEqual({ kind: "ok", count: 4, head: headOf(rows) });
  expect(verifyChain(rows.slice(2))).toEqual({ kind: "broken", id: 1, reason: "missing" });
  expect(verifyChain(rows.slice(3), { after })).toEqual({ kind: "broken", id: 3, reason: "missing" });
  expect(verifyChain(rows.slice(2), { after: { id: 2, hash: GENESIS_HASH } })).toEqual({
    kind: "broken",
    id: 3,
    reason: "unlinked",
  });
});

test("a beginning that was cut off and that no row says was given up is found, as is an anchor that was moved by hand", () => {
  const rows = chainOf(5);
  const after = headOf(rows.slice(0, 2));
  expect(verifyChain(rows.slice(2), { after })).toEqual({ kind: "broken", id: 2, reason: "untold" });
  const told = trimmed(rows, after);
  const further = headOf(rows.slice(0, 3));
  expect(verifyChain(told.slice(3), { after: further })).toEqual({ kind: "broken", id: 3, reason: "untold" });
  expect(verifyChain(told)).toEqual({ kind: "broken", id: 0, reason: "untold" });
  expect(verifyChain(trimmed(told, further).slice(3), { after: further }).kind).toBe("ok");
});

test("a remembered head from before what is kept is no break, and shows nothing", () => {
  const whole = chainOf(5);
  const after = headOf(whole.slice(0, 2));
  const rows = trimmed(whole, after);
  const kept = (expectedHead: { id: number; hash: string }) =>
    verifyChain(rows.slice(2), { after, expectedHead });
  expect(kept(headOf(whole.slice(0, 1)))).toEqual({ kind: "older", count: 4, head: headOf(rows) });
  expect(kept(after).kind).toBe("ok");
  expect(kept(headOf(whole)).kind).toBe("ok");
  expect(kept({ ...after, hash: GENESIS_HASH })).toEqual({ kind: "broken", id: 2, reason: "head_lost" });
});

test("no two different rows have the same hash, lone surrogates and shifted borders included", () => {
  const text = fc.string({ maxLength: 4 });
  const row = fc.record({
    id: fc.integer({ min: 1, max: 3 }),
    at: fc.nat(3),
    type: fc.oneof(text, fc.constantFrom("\uD800", "\uD801", "\uFFFD", '"', ",", "null")),
    risk: fc.constantFrom("low", "high"),
    userId: fc.option(fc.nat(3)),
    chat: fc.option(fc.oneof(text, fc.constantFrom("null", "1"))),
    data: text,
  });
  fc.assert(
    fc.property(row, row, (one, other) => {
      const isSame = JSON.stringify(one) === JSON.stringify(other);
      expect(auditRowHash(GENESIS_HASH, one) === auditRowHash(GENESIS_HASH, other)).toBe(isSame);
    }),
  );
  const surrogate = { id: 1, at: 1, type: "\uD800", risk: "low", userId: null, chat: null, data: "" };
  expect(auditRowHash("", surrogate)).not.toBe(auditRowHash("", { ...surrogate, type: "\uFFFD" }));
});

test("any one edit of a chain is found, however long it is", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 12 }),
      fc.nat(),
      fc.constantFrom("drop", "swap", "edit", "copy"),
      (n, pick, edit) => {
        const rows = chainOf(n);
        const index = pick % (n - 1);
        const [one, two] = [at(rows, index), at(rows, index + 1)];
        if (edit === "drop") rows.splice(index, 1);
        if (edit === "swap") rows.splice(index, 2, two, one);
        if (edit === "edit") rows[index] = { ...one, data: `${one.data} ` };
        if (edit === "copy") rows.splice(index, 0, one);
        expect(verifyChain(rows).kind).toBe("broken");
      },
    ),
  );
});
