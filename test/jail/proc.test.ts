import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { membersOf, orphansOf } from "../../src/jail/kill-tree.ts";
import { parsePs } from "../../src/jail/list-processes.ts";
import { createMarks } from "../../src/jail/mark.ts";
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

const row = (pid: number, parent: number, group = pid, isMarked = false) => ({
  pid,
  parent,
  group,
  isMarked,
});

describe("the members of a tree", () => {
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

describe("the orphans of an earlier life", () => {
  const marked = (pid: number, parent: number) => row(pid, parent, pid, true);

  test("are the marked ones with all their descendants, and nobody else", () => {
    const rows = [
      row(1, 0),
      marked(10, 1),
      row(11, 10),
      row(12, 11),
      row(20, 1),
      row(21, 20),
      marked(30, 20),
    ];
    expect(orphansOf(rows, 99)).toEqual([10, 30, 11, 12]);
  });

  test("are neither the daemon, nor what it was started from, nor what it has started", () => {
    // A daemon that was started from inside a jail of the life before bears that life's mark itself.
    const rows = [marked(1, 0), marked(10, 1), marked(11, 10), marked(99, 11), row(100, 99), marked(12, 10)];
    expect(orphansOf(rows, 99)).toEqual([12]);
  });
});

describe("a mark", () => {
  const home = createMarks("/home/u/.sallyport/jail");
  const entryOf = ({ env }: { readonly env: Readonly<Record<string, string>> }) =>
    Object.entries(env).map(([name, value]) => `${name}=${value}`)[0] ?? "";

  test("is its home's, another one for every jail, and is known to a later life", () => {
    const [one, two] = [home.next(), home.next()];
    expect([one.isIn(entryOf(one)), one.isIn(entryOf(two))]).toEqual([true, false]);
    const later = createMarks("/home/u/.sallyport/jail");
    expect([one, two].map((mark) => later.isIn(entryOf(mark)))).toEqual([true, true]);
    expect(createMarks("/home/v/.sallyport/jail").isIn(entryOf(one))).toBe(false);
  });

  test("is not what only looks like one", () => {
    const entry = entryOf(home.next());
    const likes = [
      entry.slice(0, -1),
      `${entry}0`,
      entry.slice(0, entry.indexOf(":")),
      entry.slice(0, entry.indexOf(":") + 1),
      `X${entry}`,
      `X=${entry}`,
      entry.toUpperCase(),
      ` ${entry}`,
      `${entry}\n`,
    ];
    expect(likes.filter(home.isIn)).toEqual([]);
  });
});

describe("ps of macOS", () => {
  const isIn = (entry: string) => entry === "SALLYPORT_JAIL=abc";
  const plain = [
    "    1     0     1     0 Ss   /sbin/launchd",
    "  300     1   299   501 S    sleep 5",
    "  301     1   299   501 Z    (sleep)",
    "  302     1   302   501 S+   grep SALLYPORT_JAIL=abc",
    "  303     1   303   502 S    sleep 6",
    "  304     1   304   501 S    sh",
    "garbage",
    "",
  ];
  const full = [
    "    1     0     1     0 Ss   /sbin/launchd",
    "  300     1   299   501 S    sleep 5 HOME=/x SALLYPORT_JAIL=abc PATH=/bin",
    "  301     1   299   501 Z    (sleep) SALLYPORT_JAIL=abc",
    "  302     1   302   501 S+   grep SALLYPORT_JAIL=abc HOME=/x XSALLYPORT_JAIL=abc SALLYPORT_JAIL=abcd",
    "  303     1   303   502 S    sleep 6 SALLYPORT_JAIL=abc",
    "  304     1   304   501 S    sleep 9 SALLYPORT_JAIL=abc",
    "  305     1   305   501 S    sleep 9 SALLYPORT_JAIL=abc",
    "garbage",
    "",
  ];
  const listing = { plain: plain.join("\n"), full: full.join("\n") };
  const markedIn = (uid: number | null) =>
    parsePs(listing, { isIn, uid })
      .filter(({ isMarked }) => isMarked)
      .map(({ pid }) => pid);

  test("is read, zombies left out, the mark found in the environment alone", () => {
    expect(parsePs(listing, { isIn, uid: null })[1]).toEqual({
      pid: 300,
      parent: 1,
      group: 299,
      isMarked: true,
    });
    expect(parsePs(listing, { isIn, uid: null }).map(({ pid }) => pid)).toEqual([1, 300, 302, 303, 304, 305]);
    expect(markedIn(null)).toEqual([300, 303]);
  });

  test("shows whose a process is", () => {
    expect(markedIn(501)).toEqual([300]);
  });

  test("never makes its reader throw", () => {
    const text = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(text, text, (one, two) => void parsePs({ plain: one, full: two }, { isIn, uid: 0 })),
    );
  });
});
