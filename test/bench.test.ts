import { expect, test } from "vitest";
import { dearest } from "../bench/harness/cpu-profile.ts";
import { type Figure, latencyFigures, meets, repeat } from "../bench/harness/figure.ts";
import { median, medianOfPairs, percentile } from "../bench/harness/statistics.ts";
import { markdownTable } from "../bench/harness/table.ts";

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

test("a percentile is the nearest rank, whatever the order of the values", () => {
  expect(percentile(hundred, 50)).toBe(50);
  expect(percentile(hundred, 99)).toBe(99);
  expect(percentile(hundred, 100)).toBe(100);
  expect(percentile([7], 1)).toBe(7);
  expect(percentile([1, 2, 3], 99)).toBe(3);
  expect(percentile([], 50)).toBeNaN();
});

test("a median of an even number of values lies between the two in the middle", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});

test("difference and ratio are taken within each run, so that a slow run does not skew them", () => {
  const runs = [
    { ours: 12, bare: 10 },
    { ours: 220, bare: 200 },
    { ours: 11, bare: 10 },
  ];
  expect(medianOfPairs(runs)).toEqual({ ours: 12, bare: 10, difference: 2, ratio: 1.1 });
  expect(medianOfPairs([{ ours: 3, bare: null }])).toEqual({
    ours: 3,
    bare: null,
    difference: null,
    ratio: null,
  });
});

test("samples that never came make a figure that meets no aim", () => {
  const [p50] = latencyFigures({
    bench: "b",
    name: "n",
    bare: "echo",
    runs: [{ ours: [1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], bare: [1, 1] }],
    aims: [
      { of: "difference", atMost: 3 },
      { of: "difference", atMost: 12 },
    ],
  });
  expect(p50?.name).toBe("n, p50");
  expect(meets(p50?.aim, medianOfPairs(p50?.runs ?? []))).toBe(false);
});

test("an aim is met at its edge, and not beyond it", () => {
  const medians = { ours: 500, bare: 400, difference: 100, ratio: 1.25 };
  expect(meets({ of: "ours", atLeast: 500 }, medians)).toBe(true);
  expect(meets({ of: "ours", atLeast: 501 }, medians)).toBe(false);
  expect(meets({ of: "difference", atMost: 100 }, medians)).toBe(true);
  expect(meets({ of: "ratio", atMost: 1.2 }, medians)).toBe(false);
  expect(meets({ of: "ratio", atMost: 1.2 }, { ...medians, ratio: null })).toBeNull();
  expect(meets(undefined, medians)).toBeNull();
});

test("the table has a line a figure, with the aim and whether it is met", () => {
  const figures: Figure[] = [
    {
      bench: "latency",
      name: "update → stdin, p50",
      unit: "ms",
      bare: "bare echo",
      runs: [{ ours: 11.04, bare: 2 }],
      aim: { of: "difference", atMost: 3 },
    },
    {
      bench: "throughput",
      name: "handled",
      unit: "/s",
      bare: null,
      runs: [{ ours: 812.4, bare: null }],
      aim: { of: "ours", atLeast: 500 },
    },
    { bench: "idle", name: "memory", unit: "MB", bare: "bare node", runs: [{ ours: 0.1234, bare: 0.1 }] },
  ];
  const cells = markdownTable(figures)
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()));
  expect(cells.map((row) => row.length)).toEqual([10, 10, 10, 10, 10]);
  expect(cells[2]?.slice(1, 9)).toEqual([
    "update → stdin, p50",
    "11.0 ms",
    "2.00 ms",
    "+9.04 ms",
    "5.52 x",
    "<= +3 ms",
    "NO",
    "bare echo",
  ]);
  expect(cells[3]?.slice(1, 9)).toEqual(["handled", "812 /s", "", "", "", ">= 500 /s", "yes", ""]);
  expect(cells[4]?.slice(2, 8)).toEqual(["0.123 MB", "0.100 MB", "+0.023 MB", "1.23 x", "", ""]);
});

test("a bench is repeated as often as asked for, one run after the other", async () => {
  const told: string[] = [];
  let running = 0;
  const results = await repeat(
    { runs: 3, isLong: false, say: (line) => told.push(line) },
    "b",
    async (run) => {
      running += 1;
      expect(running).toBe(1);
      await Promise.resolve();
      running -= 1;
      return run;
    },
  );
  expect(results).toEqual([1, 2, 3]);
  expect(told).toEqual(["b: run 1 of 3", "b: run 2 of 3", "b: run 3 of 3"]);
});

test("of a profile the functions count by their own time, and idle time by nothing", () => {
  const frame = (functionName: string, url = "", lineNumber = 0) => ({ functionName, url, lineNumber });
  const profile = {
    nodes: [
      { id: 1, callFrame: frame("(idle)") },
      { id: 2, callFrame: frame("parse", "file:///x/dist/claude/parse-message.js", 9) },
      { id: 3, callFrame: frame("", "file:///x/dist/main.js", 4) },
      { id: 4, callFrame: frame("parse", "file:///x/dist/claude/parse-message.js", 9) },
      { id: 5, callFrame: frame("run") },
    ],
    samples: [1, 2, 3, 4, 5],
    timeDeltas: [1000, 30, 10, 30, 30],
  };
  expect(dearest(profile, 2)).toEqual([
    { place: "parse claude/parse-message.js:10", selfMs: 0.06, share: 0.6 },
    { place: "run", selfMs: 0.03, share: 0.3 },
  ]);
  expect(dearest(profile, 9).map(({ place }) => place)).toContain("(anonymous) dist/main.js:5");
});
