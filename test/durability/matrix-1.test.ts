import { expect, test } from "vitest";
import { TRANSITIONS } from "../../src/domain/fault-point.ts";
import { ACTS } from "./acts.ts";
import { testKills } from "./matrix.ts";

testKills(0, 4);

test("every transition is one of an act, before and after which the daemon is killed", () => {
  const reached = new Set(ACTS.flatMap(({ reaches }) => reaches.map((name) => name.replace(/#\d+$/, ""))));
  expect(TRANSITIONS.filter((transition) => !reached.has(transition))).toEqual([]);
});
