import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { membersOf, parsePs } from "../../src/jail/kill-tree.ts";
import { parseStat, readProcess, readProcesses } from "../../src/jail/process-table.ts";
import { parseMountinfo } from "../../src/jail/verify-mounts.ts";

test("a mount point is read with its blanks, its newlines and its own options", () => {
  const text = [
    "65 42 0:40 / / ro,nosuid - tmpfs tmpfs rw",
    "80 79 254:0 /x /with\\040blank\\012line\\134back ro,nodev,relatime shared:1 master:2 - ext4 /dev/vda rw",
    "81 79 254:0 /x /writable rw,nodev - ext4 /dev/vda ro",
    "",
  ].join("\n");
  expect(parseMountinfo(text)).toEqual([
    { path: "/", isReadonly: true },
    { path: "/with blank\nline\\back", isReadonly: true },
    { path: "/writable", isReadonly: false },
  ]);
});

test("no text makes the reader of mounts throw", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseMountinfo(text)));
});

test("a process is read whatever its name is", () => {
  const rest = `S 7 8 9 ${"0 ".repeat(15)}4242 0`;
  expect(parseStat(`12 (a) b (c)) ${rest}`)).toEqual({
    pid: 12,
    parent: 7,
    group: 8,
    session: 9,
    isZombie: false,
    startedAt: "4242",
  });
  expect(parseStat("")).toBeNull();
  expect(parseStat("12 (a) S 7")).toBeNull();
  fc.assert(fc.property(fc.string(), (text) => void parseStat(text)));
});

describe.runIf(process.platform === "linux")("on Linux", () => {
  test("the own process is among all, with its parent", async () => {
    const own = await readProcess(process.pid);
    expect(own).toMatchObject({ pid: process.pid, parent: process.ppid, isZombie: false });
    expect((await readProcesses()).map(({ pid }) => pid)).toContain(process.pid);
    expect(await readProcess(2 ** 30)).toBeNull();
  });
});

describe("the members of a tree", () => {
  const row = (pid: number, parent: number, group = pid, isMarked = false) => ({
    pid,
    parent,
    group,
    isMarked,
  });

  test("are the root's group, marked ones, and all their descendants", () => {
    const rows = [
      row(10, 1),
      row(11, 10),
      row(12, 11),
      row(13, 1, 10),
      row(14, 1, 14, true),
      row(15, 14),
      row(20, 1),
    ];
    expect(new Set(membersOf(rows, { root: 10, known: new Set([10]) }))).toEqual(
      new Set([10, 11, 12, 13, 14, 15]),
    );
  });

  test("include children of one that has gone since", () => {
    expect(membersOf([row(12, 11)], { root: 10, known: new Set([10, 11]) })).toEqual([12]);
  });

  test("never include the daemon itself, or the first process", () => {
    const rows = [row(1, 0, 10), row(process.pid, 10, 10, true)];
    expect(membersOf(rows, { root: 10, known: new Set([10]) })).toEqual([]);
  });
});

test("ps of macOS is read, zombies left out, the mark found in the environment", () => {
  const text = [
    "    1     0     1 Ss   /sbin/launchd",
    "  300     1   299 S    sleep 5 SALLYPORT_JAIL=abc HOME=/x",
    "  301     1   299 Z    (sleep) SALLYPORT_JAIL=abc",
    "  302     1   302 S+   grep xSALLYPORT_JAIL=abcd",
    "garbage",
    "",
  ].join("\n");
  expect(parsePs(text, "SALLYPORT_JAIL=abc")).toEqual([
    { pid: 1, parent: 0, group: 1, isMarked: false },
    { pid: 300, parent: 1, group: 299, isMarked: true },
    { pid: 302, parent: 1, group: 302, isMarked: false },
  ]);
});
