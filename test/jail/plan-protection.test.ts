import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createIsSecret } from "../../src/domain/secret-files.ts";
import { planProtection } from "../../src/jail/plan-protection.ts";
import { createPlan, identify } from "../../src/jail/protection.ts";
import { hostReading } from "../support/reading.ts";

let project: string;
beforeEach(async () => {
  project = await realpath(await mkdtemp(join(tmpdir(), "plan-")));
});
afterEach(() => rm(project, { recursive: true }));

async function put(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(project, name)), { recursive: true });
    await writeFile(join(project, name), "");
  }
}

/** The plan with paths relative to the project. */
async function planned(): Promise<Record<string, string>> {
  const { kinds } = await planProtection(project, { run: hostReading });
  return Object.fromEntries([...kinds].map(([path, kind]) => [path.slice(project.length + 1), kind]));
}

test.each([".env", ".ENV", ".env.local", ".envrc", ".env.example.bak", ".environment"])(
  "%s is a secret",
  (name) => {
    expect(createIsSecret()(name)).toBe(true);
  },
);

test.each([".env.example", "cacert.pem", "pip/_vendor/certifi/cacert.pem", "env", "a.env", ".venv", ""])(
  "%j is no secret",
  (name) => {
    expect(createIsSecret()(name)).toBe(false);
  },
);

test("secrets are masked, settings read-only with their parents pinned, installed packages left alone", async () => {
  await put(".env", "a/.env", "a/b/.vscode/x", ".mcp.json", "node_modules/m/.env", "plain");
  await put(".venv/lib/python3.11/site-packages/m/a.pem", "dist-packages/.vscode/x", "cacert.pem");
  expect(await planned()).toEqual({
    ".env": "mask",
    ".mcp.json": "readonly",
    a: "pin",
    "a/.env": "mask",
    "a/b": "pin",
    "a/b/.vscode": "readonly",
  });
});

test("nothing inside a read-only folder is pinned, which would make it writable; secrets there are still masked", async () => {
  await put(".claude/x/.vscode/y", ".claude/x/.git/config", ".claude/x/.env");
  expect(await planned()).toEqual({ ".claude": "readonly", ".claude/x/.env": "mask" });
});

test("a pin below a folder that is found to be read-only later is dropped", () => {
  const plan = createPlan("/p");
  plan.protect("/p/a/b/c");
  plan.protect("/p/a");
  expect([...plan.build().kinds]).toEqual([
    ["/p/a", "readonly"],
    ["/p/a/b/c", "readonly"],
  ]);
});

test("links to folders are not followed, not even in a circle", async () => {
  await put("real/.env");
  await symlink("..", join(project, "real/up"));
  await symlink("/", join(project, "root"));
  expect(await planned()).toEqual({ "real/.env": "mask" });
});

test("all that lies in a folder whose name is on the list is masked, but for a virtual environment", async () => {
  await put(".envs/.production/.postgres", "keys.key/a", "keys.key/node_modules/m/b", "plain/c");
  await put(".env/pyvenv.cfg", ".env/lib/a.py", ".env/lib/b.key");
  expect(await planned()).toEqual({
    ".envs/.production/.postgres": "mask",
    "keys.key/a": "mask",
    ".env/lib/b.key": "mask",
  });
});

test("a tree too large to be looked through is refused", async () => {
  await put("a", "b", "c");
  await expect(planProtection(project, { run: hostReading, maxEntries: 3 })).resolves.toBeDefined();
  await expect(planProtection(project, { run: hostReading, maxEntries: 2 })).rejects.toThrow(
    /more than 2 files/,
  );
});

test("a folder whose name is no UTF-8 is refused rather than passed over", async () => {
  await mkdir(Buffer.concat([Buffer.from(`${project}/caf`), Buffer.from([0xe9])]));
  await expect(planProtection(project, { run: hostReading })).rejects.toMatchObject({ code: "path_invalid" });
});

test("more paths than a jail can mount are refused", async () => {
  const plan = createPlan(project);
  for (let index = 0; index <= 1000; index += 1) plan.mask(join(project, `.env.${index}`));
  await expect(identify(plan.build())).rejects.toThrow(/1001 files and folders to protect/);
});

test("what is gone by the time it is looked up is left out", async () => {
  await put(".env");
  const plan = await planProtection(project, { run: hostReading });
  await rm(join(project, ".env"));
  expect(await identify(plan)).toEqual([]);
});

test("repositories in node_modules and bare ones are protected as others are", async () => {
  await put("node_modules/m/.git/config", "bare.git/HEAD", "bare.git/objects/x", "bare.git/refs/x");
  expect(await planned()).toMatchObject({
    "node_modules/m/.git": "pin",
    "node_modules/m/.git/config": "readonly",
    "bare.git": "pin",
    "bare.git/config": "readonly",
    "bare.git/commondir": "readonly",
  });
});
