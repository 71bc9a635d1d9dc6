import { randomBytes } from "node:crypto";
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ApprovedPath } from "../../src/domain/approved-path.ts";
import type { UnpackLimits, UnpackReport } from "../../src/domain/unpack.ts";
import type { Jail, Sift } from "../../src/jail/jail.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import { unpackArchive } from "../../src/workspace/unpack.ts";
import { tar, tgz, zip } from "../support/archives.ts";
import { createWorld, type JailWorld, memoryLog } from "../support/git-project.ts";
import { canMount, smallDisk } from "../support/small-disk.ts";
import { HOSTILE } from "./hostile-archives.ts";

let world: JailWorld;
let jail: Jail;
let noJail: Jail;
let count = 0;

beforeAll(async () => {
  world = await createWorld();
  const deps = { platform: process.platform, log: memoryLog() };
  jail = await openJail({ ...deps, sandbox: "require", scratchDir: world.scratchDir });
  noJail = await openJail({ ...deps, sandbox: "off", scratchDir: join(world.root, "scratch-off") });
});
afterAll(async () => {
  await Promise.all([jail.close(), noJail.close()]);
  await world[Symbol.asyncDispose]();
});

interface Unpacked {
  readonly report: UnpackReport;
  /** What is left, below the folder; folders end in a slash. */
  readonly left: readonly string[];
  readonly target: string;
}

/** Unpacks bytes as the daemon does. */
async function unpack(
  bytes: Buffer,
  {
    container = "zip",
    limits = {},
    sift = jail.sift,
    target: at,
  }: {
    container?: "zip" | "gzip" | "tar";
    limits?: Partial<UnpackLimits>;
    sift?: Sift;
    target?: string;
  } = {},
): Promise<Unpacked> {
  count += 1;
  const folder = join(world.root, `staging-${count}`);
  mkdirSync(folder, { mode: 0o700 });
  const [file, target] = [join(folder, "file"), at ?? join(folder, "out")];
  writeFileSync(file, bytes, { mode: 0o600 });
  const { signal } = new AbortController();
  const deps = { sift, limits: { maxBytes: 50 * 1024 * 1024, ...limits }, secretFiles: ["*.vault"] };
  const report = await unpackArchive(deps, { file, target, container, project: world.project, signal });
  return { report, left: existsSync(target) ? listing(target) : [], target };
}

function listing(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map(
      (entry) =>
        `${join(entry.parentPath, entry.name).slice(folder.length + 1)}${entry.isDirectory() ? "/" : ""}`,
    )
    .sort();
}

describe.runIf(process.platform === "linux")("archives in the jail", () => {
  test("the corpus has at least 25 archives", () => expect(HOSTILE.length).toBeGreaterThanOrEqual(25));

  test.concurrent.each(HOSTILE)(
    "H16: $name: nothing of it is left",
    async ({ bytes, container, fault, limits, ...rest }) => {
      const { controlLimits } = rest;
      const [{ report, target }, control] = await Promise.all([
        unpack(bytes, { container, ...(limits ? { limits } : {}) }),
        unpack(rest.control, { container, ...(controlLimits ? { limits: controlLimits } : {}) }),
      ]);
      expect(report).toMatchObject({ kind: "refused", fault });
      expect(existsSync(target)).toBe(false);

      expect(control.report).toMatchObject({ kind: "unpacked" });
      expect(control.left.length).toBeGreaterThan(0);
    },
  );

  test("files and folders come out as they went in, and nothing of them may be run", async () => {
    const entries = [
      { name: "src/", mode: 0o040777 },
      { name: "src/run.sh", content: "#!/bin/sh\n", mode: 0o104755 },
      { name: "données/été.txt", content: "chaud" },
    ];
    const { report, left, target } = await unpack(zip(entries));
    expect(report).toMatchObject({ kind: "unpacked", files: 2, bytes: 15, leftOut: [] });
    expect(left).toEqual(["données/", "données/été.txt", "src/", "src/run.sh"]);
    expect(readFileSync(join(target, "données/été.txt"), "utf8")).toBe("chaud");
    expect(lstatSync(join(target, "src/run.sh")).mode & 0o7777).toBe(0o600);
    expect(lstatSync(join(target, "src")).mode & 0o7777).toBe(0o700);

    const packed = await unpack(tar([{ name: "./bin/tool", content: "x", mode: 0o6755 }]), {
      container: "tar",
    });
    expect(packed.left).toEqual(["bin/", "bin/tool"]);
    expect(lstatSync(join(packed.target, "bin/tool")).mode & 0o7777).toBe(0o600);
  });

  test.concurrent.each([
    ["with the mark of UTF-8", "\u3042/na\u00efve \u{1F389}.md", 0x800],
    ["without it, as makers on Linux and macOS leave it out", "\u3042/na\u00efve \u{1F389}.md", 0],
    ["in the code page of old zips", Buffer.from([0x61, 0x82, 0x2e, 0x6d, 0x64]), 0],
  ])("a name of a zip is read as it was meant: %s", async (_, name, flags) => {
    const { left } = await unpack(zip([{ name, content: "x", flags }]));
    expect(left.at(-1)).toBe(typeof name === "string" ? name : "a\u00e9.md");
  });

  test("names that honest makers write are taken, without the marks that nobody sees", async () => {
    const names = [
      ["notes/\u{1F469}\u200D\u{1F4BB} work.md", "notes/\u{1F469}\u{1F4BB} work.md"],
      ["\u06A9\u062A\u0627\u0628\u200C\u0647\u0627/a.md", "\u06A9\u062A\u0627\u0628\u0647\u0627/a.md"],
      ["\u200Echat.txt", "chat.txt"],
      ["Q: why.md", "Q: why.md"],
      ["\u65E5".repeat(85), "\u65E5".repeat(85)],
    ] as const;
    const entries = names.map(([name], index) => ({ name, content: `${index}` }));
    for (const [bytes, container] of [
      [zip(entries), "zip"],
      [tar(entries.slice(0, -1)), "tar"],
    ] as const) {
      const { report, target } = await unpack(bytes, { container });
      expect(report.kind).toBe("unpacked");
      for (const [index, [, path]] of names.slice(0, container === "zip" ? 5 : 4).entries())
        expect(readFileSync(join(target, path), "utf8")).toBe(`${index}`);
    }
    const hidden = await unpack(
      zip([
        { name: ".g\u200Dit/config", content: "x" },
        { name: "a", content: "x" },
      ]),
    );
    expect(hidden.left).toEqual(["a"]);
  });

  test("the label of a volume is no part of a tar's files", async () => {
    const bytes = tar([
      { name: "backup", type: "V", magic: "" },
      { name: "a/b.txt", content: "x" },
    ]);
    for (const [packed, container] of [
      [bytes, "tar"],
      [gzipSync(bytes), "gzip"],
    ] as const) {
      const { left, report } = await unpack(packed, { container });
      expect(report).toMatchObject({ kind: "unpacked", files: 1 });
      expect(left).toEqual(["a/", "a/b.txt"]);
    }
    const alone = await unpack(tar([{ name: "backup", type: "V", magic: "" }]), { container: "tar" });
    expect(alone.report).toMatchObject({ kind: "refused", fault: "empty" });
  });

  test("a way out in UTF-8 is seen whether or not the zip marks it", async () => {
    for (const flags of [0, 0x800]) {
      const { report } = await unpack(zip([{ name: "\u3042/../../up.md", content: "x", flags }]));
      expect(report).toMatchObject({ kind: "refused", fault: "dot_dot" });
    }
  });

  test("a disk that is full is no fault of the archive's, and nothing of it is left", async ({ skip }) => {
    if (!canMount()) skip("this user may not mount a small disk");
    const small = join(world.root, "small");
    smallDisk(small, 1);
    const entries = [{ name: "a/b.bin", content: randomBytes(2_000_000) }];
    for (const [bytes, container] of [
      [zip(entries), "zip"],
      [tar(entries), "tar"],
      [tgz(entries), "gzip"],
    ] as const) {
      const target = join(small, "out");
      const full = unpack(bytes, { container, target });
      await expect(full).rejects.toMatchObject({ name: "DiskError", code: "ENOSPC" });
      expect(existsSync(target)).toBe(false);
      const control = await unpack(bytes, { container });
      expect(control.report.kind).toBe("unpacked");
    }
  });

  test("H16: links, secrets and settings that run code are left out and told; archives in it stay packed", async () => {
    const { report, left } = await unpack(
      tar([
        { name: "app/main.js", content: "1" },
        { name: "app/.env", content: "KEY=1" },
        { name: "app/.ssh/id_rsa", content: "key" },
        { name: "app/own.vault", content: "key" },
        { name: "app/.git/hooks/post-checkout", content: "#!/bin/sh\n", mode: 0o755 },
        { name: "app/.VSCode/tasks.json", content: "{}" },
        { name: "app/.claude/settings.json", content: "{}" },
        { name: "app/link", type: "2", linkname: "/etc/passwd" },
        { name: "app/hard", type: "1", linkname: "app/main.js" },
        { name: "app/inner.zip", content: zip([{ name: "../x", content: "x" }]) },
      ]),
      { container: "tar" },
    );
    expect(left).toEqual(["app/", "app/inner.zip", "app/main.js"]);
    expect(report).toMatchObject({
      counts: { secret: 3, settings: 3, link: 2 },
      nested: ["app/inner.zip"],
      nestedCount: 1,
    });
  });

  test("what comes out is looked at again from outside: a link, a second name, or more than was told is not taken", async () => {
    const told = { code: 0, stdout: "" };
    const answer = (report: object) => ({ ...told, stdout: JSON.stringify(report) });
    const honest = { kind: "unpacked", files: 1, bytes: 1, leftOut: [], nested: [], nestedCount: 0 };
    const counts = { link: 0, secret: 0, settings: 0 };
    const faked =
      (act: (target: string) => void, report: object = { ...honest, counts }): Sift =>
      async ({ target }) => {
        act(target ?? "");
        return answer(report);
      };
    const bytes = zip([{ name: "a", content: "x" }]);
    const fine = await unpack(bytes, { sift: faked((target) => writeFileSync(join(target, "a"), "x")) });
    expect(fine.report.kind).toBe("unpacked");

    const acts: readonly ((target: string) => void)[] = [
      (target) => symlinkSync("/etc/passwd", join(target, "a")),
      (target) => {
        writeFileSync(join(target, "a"), "x");
        writeFileSync(join(target, "b"), "x");
      },
      (target) => writeFileSync(join(target, "a"), Buffer.alloc(51 * 1024 * 1024)),
    ];
    for (const act of acts) {
      const { report, target } = await unpack(bytes, { sift: faked(act) });
      expect(report).toEqual({ kind: "refused", fault: "broken", path: null });
      expect(existsSync(target)).toBe(false);
    }
    for (const stdout of ["", "{", '{"kind":"unpacked"}']) {
      const { report } = await unpack(bytes, { sift: async () => ({ code: 0, stdout }) });
      expect(report).toMatchObject({ kind: "refused", fault: "broken" });
    }
    const killed = await unpack(bytes, {
      sift: async () => ({ ...answer({ ...honest, counts }), code: 137 }),
    });
    expect(killed.report).toMatchObject({ kind: "refused" });
  });

  test.runIf(process.getuid?.() === 0)(
    "a root daemon's jail of an archive is the project's owner's, and so is what comes out",
    async () => {
      const project = join(world.root, "owned");
      mkdirSync(project);
      chownSync(project, 4321, 4321);
      const sift: Sift = (request) => jail.sift({ ...request, project: project as ApprovedPath });
      const { left, target } = await unpack(zip([{ name: "a/b", content: "x" }]), { sift });
      expect(left).toEqual(["a/", "a/b"]);
      expect(["", "a", "a/b"].map((path) => lstatSync(join(target, path)).uid)).toEqual([4321, 4321, 4321]);
    },
  );

  test("without a sandbox the same program has the same limits", async () => {
    const bomb = HOSTILE.find(({ name }) => name === "a bomb of zeros in a zip");
    const refused = await unpack(bomb?.bytes ?? Buffer.alloc(0), { sift: noJail.sift });
    expect(refused.report).toMatchObject({ kind: "refused", fault: "ratio" });
    const taken = await unpack(zip([{ name: "a/b", content: "x" }]), { sift: noJail.sift });
    expect(taken.left).toEqual(["a/", "a/b"]);
  });
});
