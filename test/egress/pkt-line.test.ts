import { array, assert, constantFrom, integer, property, string, tuple, uint8Array } from "fast-check";
import { expect, test } from "vitest";
import type { RefUpdate } from "../../src/domain/net.ts";
import { parsePushHead, refusalReport } from "../../src/egress/pkt-line.ts";

const CAPABILITIES = "report-status side-band-64k agent=git/2";
const line = (text: string): string => (Buffer.byteLength(text) + 4).toString(16).padStart(4, "0") + text;
const id = (sign: string): string => sign.repeat(40);

function headOf(updates: readonly RefUpdate[], capabilities = CAPABILITIES): string {
  const lines = updates.map(({ oldId, newId, ref }, index) =>
    line(`${oldId} ${newId} ${ref}${index === 0 ? `\0 ${capabilities}` : ""}`),
  );
  return `${lines.join("")}0000`;
}

const oid = array(
  integer({ min: 0, max: 15 }).map((digit) => digit.toString(16)),
  { minLength: 40, maxLength: 40 },
).map((signs) => signs.join(""));
const update = tuple(
  oid,
  oid,
  constantFrom("refs/heads/claude/a", "refs/heads/main", "refs/tags/v1", "refs/heads/ü"),
).map(([oldId, newId, ref]): RefUpdate => ({ oldId, newId, ref }));

test("whatever pieces it comes in, a head is read when it is whole, and its pack is not touched", () => {
  assert(
    property(
      array(update, { minLength: 1, maxLength: 5 }),
      string(),
      integer({ min: 0 }),
      (updates, pack, cut) => {
        const head = Buffer.from(headOf(updates));
        const bytes = Buffer.concat([head, Buffer.from(pack)]);
        const part = bytes.subarray(0, cut % head.length);
        expect(parsePushHead(part)).toEqual({ kind: "more" });
        expect(parsePushHead(bytes)).toEqual({
          kind: "head",
          head: { updates, hasReport: true, hasSideBand: true },
          bytes: head.length,
        });
      },
    ),
  );
});

test("no bytes make it throw, and nothing but refs in git's own form is taken for an update", () => {
  assert(
    property(uint8Array({ maxLength: 300 }), string(), (bytes, text) => {
      for (const given of [Buffer.from(bytes), Buffer.from(line(text)), Buffer.from(`${line(text)}0000`)]) {
        const parsed = parsePushHead(given);
        const updates = parsed.kind === "head" ? parsed.head.updates : [];
        for (const { ref } of updates) expect(ref).toMatch(/^refs\/[^\s~^:?*[\\]+$/);
      }
    }),
  );
});

test("git's probe changes nothing, and shallow lines are passed over", () => {
  expect(parsePushHead(Buffer.from("0000"))).toMatchObject({ kind: "head", head: { updates: [] }, bytes: 4 });
  const updates = [{ oldId: id("0"), newId: id("a"), ref: "refs/heads/claude/x" }];
  const shallow = Buffer.from(line(`shallow ${id("b")}`) + headOf(updates));
  expect(parsePushHead(shallow)).toMatchObject({ kind: "head", head: { updates } });
});

test.each([
  ["a signed push", line("push-cert\0report-status")],
  ["a ref outside refs/", line(`${id("0")} ${id("a")} HEAD`)],
  ["a ref with a newline in it", line(`${id("0")} ${id("a")} refs/heads/a\nb`)],
  ["an id that is none", line(`${"z".repeat(40)} ${id("a")} refs/heads/a`)],
  ["a length that is none", "zzzz"],
  ["a special packet", "0001"],
  ["a head without an end", line("x".repeat(60_000)).repeat(6)],
])("%s is refused", (_what, bytes) => {
  expect(parsePushHead(Buffer.from(bytes)).kind).toBe("invalid");
});

test("more refs than a person could look through are refused", () => {
  const updates = Array.from({ length: 101 }, (_, n) => ({
    oldId: id("0"),
    newId: id("a"),
    ref: `refs/heads/b${n}`,
  }));
  expect(parsePushHead(Buffer.from(headOf(updates)))).toMatchObject({ kind: "invalid" });
});

test("a refusal names every ref, in the band that the client asked for, and holds no line of somebody else's", () => {
  const updates = [{ oldId: id("0"), newId: id("a"), ref: "refs/heads/x" }];
  const bare = refusalReport({ updates, hasReport: true, hasSideBand: false }, "no\nok refs/heads/x");
  expect(String(bare)).toBe(`${line("unpack ok\n")}${line("ng refs/heads/x no?ok refs/heads/x\n")}0000`);
  const band = refusalReport({ updates, hasReport: true, hasSideBand: true }, "no");
  const inner = `${line("unpack ok\n")}${line("ng refs/heads/x no\n")}0000`;
  expect(String(band)).toBe(`${line(`\x01${inner}`)}0000`);
});
