import { expect, test } from "vitest";
import { createThrottledLog } from "../../src/egress/throttled-log.ts";
import { createLogger } from "../../src/log/logger.ts";

test("the same event is logged once in ten seconds, then with the number left out; others and a clock set back are not held up", () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  const log = createLogger({ level: "warn", format: "json", secretValues: [], destination });
  let at = 1_000_000;
  const warn = createThrottledLog(log, () => at);
  const warnAt = (time: number, event = "a.b") => {
    at = time;
    warn({ event }, "said");
    return lines.length;
  };
  expect(warnAt(1_000_000)).toBe(1);
  expect(warnAt(1_000_001)).toBe(1);
  expect(warnAt(1_009_999)).toBe(1);
  expect(warnAt(1_009_999, "c.d")).toBe(2);
  expect(warnAt(1_010_000)).toBe(3);
  expect(warnAt(500_000)).toBe(4);
  const counts = lines.map((line) => JSON.parse(line)).map(({ event, suppressed }) => [event, suppressed]);
  expect(counts).toEqual([
    ["a.b", 0],
    ["c.d", 0],
    ["a.b", 2],
    ["a.b", 0],
  ]);
});
