import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { homePaths, prepareHome } from "../../src/store/home.ts";
import { openStore } from "../../src/store/store.ts";
import { launch } from "../support/daemon.ts";
import { auditIn, queryDaemon } from "../support/daemon-database.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

const DAY = 86_400_000;

test("the running daemon forgets what is past the days of its settings, and backs itself up", async () => {
  const folder = tempDir("sp-");
  const [approved, home] = [join(folder, "projects"), join(folder, "home")];
  mkdirSync(join(approved, "demo"), { recursive: true });
  let now = Date.now() - 12 * DAY;
  const old = openStore(prepareHome(home).database, () => now);
  const at = { chatId: 1001, threadId: null };
  const submit = (dedupeKey: string): number => {
    const draft = { uuid: dedupeKey, dedupeKey, conversationId: old.conversations.at(at).id, userId: 1001 };
    const work = old.work.submit({ ...draft, project: "demo", text: `a prompt ${dedupeKey}`, messageId: 1 });
    old.work.end(work?.id ?? 0, "done");
    old.audit.append({
      at: now,
      risk: "low",
      userId: 1001,
      conversation: at,
      event: { type: "command.run", name: dedupeKey },
    });
    return work?.id ?? 0;
  };
  submit("of 12 days ago");
  now += 8 * DAY;
  const fourDays = submit("of 4 days ago");
  now += 3 * DAY;
  const oneDay = submit("of yesterday");
  old[Symbol.dispose]();

  const env = {
    PATH: process.env.PATH ?? "",
    HOME: folder,
    SALLYPORT_HOME: home,
    TELEGRAM_BOT_TOKEN: "123456:test-token-of-thirty-characters-or-more",
    TELEGRAM_API_ROOT: "http://127.0.0.1:9",
    APPROVED_DIRECTORY: approved,
    ALLOWED_USERS: "1001",
    CLAUDE_AUTH: "api-key",
    ANTHROPIC_API_KEY: "sk-ant-api03-the-real-key-that-never-enters-the-jail",
    ANTHROPIC_BASE_URL: "http://127.0.0.1:9",
    CLAUDE_CLI_PATH: join(import.meta.dirname, "../../node_modules/.bin/claude"),
    CONTENT_RETENTION_DAYS: "3",
    AUDIT_RETENTION_DAYS: "10",
    TEST_HOUSEKEEPING_MS: "50",
  };
  const entry = join(import.meta.dirname, "../durability/daemon.fixture.ts");
  const life = launch([], env, { entry });
  await until(() => life.log.some(({ event }) => event === "backup.done"), "a backup", 200_000); // its child waits for whatever else runs
  expect((await life.kill("SIGTERM")).code).toBe(0);

  expect(queryDaemon(home, "SELECT id, text FROM work ORDER BY id")).toEqual([
    { id: fourDays, text: "" },
    { id: oneDay, text: "a prompt of yesterday" },
  ]);
  expect(auditIn(home, "command.run").map(({ name }) => name)).toEqual(["of 4 days ago", "of yesterday"]);
  expect(auditIn(home, "audit.trimmed")).toHaveLength(1);
  expect(readdirSync(homePaths(home).backups)).toEqual([
    expect.stringMatching(/^sallyport-nightly-.*Z\.db$/),
  ]);
}, 240_000);
