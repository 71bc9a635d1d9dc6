import { expect, test } from "vitest";
import { factsIn, factsText } from "../../src/security/audit-text.ts";

const text = (facts: unknown, maxLength = 200): string =>
  factsText({ data: JSON.stringify(facts) }, maxLength);

test("what an event says is name=value, lists by commas, without what is not there or nobody reads", () => {
  const facts = { path: "a/b", count: 2, isResumed: false, refs: ["x", "y"], failure: null };
  expect(text({ ...facts, dedupeKey: "k", toolUseId: "t" })).toBe(
    "path=a/b count=2 isResumed=false refs=x,y",
  );
  expect(text({})).toBe("");
});

test("it is one line of a length, without what nobody sees and without secrets", () => {
  expect(text({ path: "a\nb\u202e" })).not.toMatch(/[\n\u202e]/);
  expect(text({ path: "x".repeat(300) }, 50)).toHaveLength(50);
  const token = `ghp_${"aB3dE5fG7hJ9".repeat(3)}`;
  expect(text({ path: token })).toBe("path=[redacted]");
  expect(factsText({ data: JSON.stringify({ path: token }) }, 99, (whole) => whole)).toBe(`path=${token}`);
});

test("what a login that failed says is no secret", () => {
  expect(text({ reason: "token_used", unrecorded: 0 })).toBe("reason=token_used unrecorded=0");
});

test("what is no object in JSON is one text", () => {
  for (const data of ["{no", "7", "null", '"text"', ""]) expect(factsIn(data)).toEqual({ unreadable: data });
  expect(factsIn('{"a":1}')).toEqual({ a: 1 });
});
