import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const FIXTURE = join(import.meta.dirname, "watch.fixture.ts");
const NOBODY = 65534;
const IS_ROOT = process.getuid?.() === 0;
const AS_NOBODY = IS_ROOT ? ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"] : [];
/** A user namespace with fifty watches of its own. */
const FEW_WATCHES = [
  ...AS_NOBODY,
  "unshare",
  "-Ur",
  "sh",
  "-c",
  'echo 50 > /proc/sys/user/max_inotify_watches && exec "$0" "$@"',
];

let root: string;
let project: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  root = realpathSync(mkdtempSync("/var/tmp/watch-"));
  project = join(root, "project");
  make("project");
  make("scratch");
  if (IS_ROOT) chownSync(root, NOBODY, NOBODY);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill();
  rmSync(root, { recursive: true, force: true });
});

/** A folder of the ordinary user's. */
function make(path: string, mode = 0o755): void {
  mkdirSync(join(root, path));
  chmodSync(join(root, path), mode);
  if (IS_ROOT) chownSync(join(root, path), NOBODY, NOBODY);
}

/** Starts the fixture; gives what it says, line by line. */
function startWatch(wrapper: readonly string[]) {
  const argv = [process.execPath, FIXTURE, join(root, "scratch"), project];
  const [file = "", ...args]: readonly string[] = [...wrapper, ...argv];
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"], cwd: "/" });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value));
  const losses = async (): Promise<readonly unknown[]> => {
    child.stdin.write("\n");
    const told: unknown[] = [];
    for (;;) {
      const said = await next();
      if (JSON.stringify(said) === '{"settled":true}') return told;
      told.push(said);
    }
  };
  return { next, losses };
}

const lossOf = (path: string, kind = "unwatched") => ({ loss: { kind, path: join(root, path) } });

describe.runIf(process.platform === "linux")("H32: what cannot be watched is not run beside", () => {
  test("a project of more folders than the system has watches is refused, with the line to mend it", async ({
    skip,
  }) => {
    if (!canUnshare() || !canRead(FIXTURE)) skip("no user namespaces, or a checkout that nobody may read");
    for (let n = 0; n < 60; n += 1) make(`project/d${n}`);
    const { next } = startWatch(FEW_WATCHES);
    expect(await next()).toEqual({ plan: "made" });
    expect(await next()).toMatchObject({ loss: { kind: "unwatched" } });
    expect(await next()).toEqual({
      watch: expect.stringContaining("sudo sysctl -w fs.inotify.max_user_watches="),
    });
  });

  test("watches that are used up while a jail lives are a loss", async ({ skip }) => {
    if (!canUnshare() || !canRead(FIXTURE)) skip("no user namespaces, or a checkout that nobody may read");
    for (let n = 0; n < 30; n += 1) make(`project/d${n}`);
    const { next, losses } = startWatch(FEW_WATCHES);
    expect([await next(), await next()]).toEqual([{ plan: "made" }, { watch: "open" }]);
    expect(await losses()).toEqual([]);
    for (let n = 0; n < 30; n += 1) make(`project/d0/e${n}`);
    expect(await losses()).toMatchObject([{ loss: { kind: "unwatched" } }]);
  });

  describe.runIf(canRead(FIXTURE))("for an ordinary user", () => {
    const started = async () => {
      const watch = startWatch(AS_NOBODY);
      expect([await watch.next(), await watch.next()]).toEqual([{ plan: "made" }, { watch: "open" }]);
      return watch;
    };

    test.each([
      ["made", "project/d", () => make("project/d", 0o311)],
      ["that was watched", "project/was", () => chmodSync(join(project, "was"), 0o311)],
      ["that is the project", "project", () => chmodSync(project, 0o311)],
    ])("a folder %s that can be entered and not listed ends the jail", async (_what, path, act) => {
      make("project/was");
      const { losses } = await started();
      act();
      expect(await losses()).toEqual([lossOf(path)]);
    });

    test.runIf(IS_ROOT)("a folder that is shut is left alone until it opens", async () => {
      const { losses } = await started();
      make("project/shut", 0);
      writeFileSync(join(project, "shut/.env"), "SECRET"); // as root may
      expect(await losses()).toEqual([]);
      chmodSync(join(project, "shut"), 0o755);
      expect(await losses()).toEqual([lossOf("project/shut/.env", "secret")]);
    });

    test("a folder that can be entered and not listed is refused at the start, its own or another's", async () => {
      make("project/d", 0o311);
      const own = await startWatch(AS_NOBODY).next();
      expect(own).toEqual({ plan: expect.stringMatching(/Cannot look into .*project\/d/) });
      if (!IS_ROOT) return;
      chownSync(join(project, "d"), 0, 0);
      const foreign = await startWatch(AS_NOBODY).next();
      expect(foreign).toEqual({ plan: expect.stringMatching(/Cannot look into .*project\/d/) });
      chmodSync(join(project, "d"), 0o700);
      expect(await startWatch(AS_NOBODY).next()).toEqual({ plan: "made" });
    });
  });
});

function canUnshare(): boolean {
  return succeeds([...AS_NOBODY, "unshare", "-Ur", "true"]);
}

/** The ordinary user may read this checkout. */
function canRead(path: string): boolean {
  return succeeds([...AS_NOBODY, "test", "-r", path]);
}

function succeeds([file = "", ...args]: readonly string[]): boolean {
  try {
    execFileSync(file, args, { stdio: "ignore" });
    return true;
  } catch {
    return false; // the answer asked for
  }
}
