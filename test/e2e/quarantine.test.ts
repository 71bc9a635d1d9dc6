import { access, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelReply, ModelRequest } from "../../src/demo/messages-api/types.ts";
import { createStage, hasButton, type Stage, showsProgress, USER } from "../support/daemon.ts";
import { auditIn, queryDaemon } from "../support/daemon-database.ts";
import { hostGit, writeCanary } from "../support/git-project.ts";
import { hang } from "../support/hang.ts";
import { until } from "../support/until.ts";

const OWNER = 2002;
const tellResults = ({ toolResults }: ModelRequest): ModelReply =>
  reply(`The tool said: ${toolResults.map(({ text }) => text).join()}`);
const bash = (command: string): ModelReply =>
  callTool("Bash", {
    command: `export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b; ${command}`,
  });

async function allow(stage: Stage, text: string): Promise<void> {
  const ask = await stage.waitFor(
    (message) => hasButton("Allow once")(message) && message.text.includes(text),
  );
  stage.chat.press(ask.messageId, "Allow once");
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

test("H31: a repository that a turn made is told before its answer and gone; the host's git runs nothing of it; accepted, it is back and protected", async () => {
  const stage = await createStage({
    script: createQueueScript([
      bash(
        'git init -q vendor && cd vendor && git commit -q --allow-empty -m x && cd .. && git add vendor 2>/dev/null && git -C vendor config core.fsmonitor "$PWD/canary.sh"; echo made',
      ),
      tellResults,
      bash("git -C vendor status -sb; git -C vendor config a.b c || echo refused"),
      tellResults,
    ]),
  });
  const canary = join(stage.home, "canary");
  await hostGit(stage.project, "init", "-q", "-b", "main");
  await writeCanary(stage.project, canary);
  const life = await stage.start();
  stage.chat.send("make a repository");
  await allow(stage, "git init");
  const told = await stage.waitFor(({ text }) => text.includes("vendor/.git"), "what was found");
  const answer = await stage.waitFor(({ text }) => text.includes("The tool said: made"));
  expect(told.text).toContain("a repository; git obeys commands that stand in its config");
  expect(told.text).toContain("Claude finds it gone until an owner accepts it.");
  const shown = stage.api.log
    .map(({ payload }) => payload)
    .filter((payload) => !showsProgress(payload))
    .map((payload) => JSON.stringify(payload));
  expect(shown.findIndex((text) => text.includes("vendor/.git:"))).toBeLessThan(
    shown.findIndex((text) => text.includes("The tool said: made")),
  );
  expect(answer.messageId).toBeGreaterThan(0);
  await hostGit(stage.project, "status").catch(() => "");
  await hostGit(stage.project, "diff").catch(() => "");
  expect(await isThere(canary)).toBe(false);
  expect(await isThere(join(stage.project, "vendor/.git"))).toBe(false);
  expect(auditIn(stage.home, "project.quarantined")).toMatchObject([{ count: 1, paths: ["vendor/.git"] }]);

  await life.kill();
  await stage.start();
  stage.chat.press(told.messageId, "Accept");
  await stage.waitFor(({ text }) => text.includes("accepted, and back in its place"));
  expect(await isThere(join(stage.project, "vendor/.git/HEAD"))).toBe(true);
  expect(auditIn(stage.home, "project.accepted")).toMatchObject([{ path: "vendor/.git", userId: USER }]);
  const seen = stage.api.messages(USER).find(({ messageId }) => messageId === told.messageId);
  expect(seen?.keyboard).toBeNull();

  stage.chat.send("go on");
  await allow(stage, "status -sb");
  await stage.waitFor(({ text }) => text.includes("refused"));
  expect(stage.botTexts().filter((text) => text.includes("I took it out"))).toHaveLength(1);
});

test("H31: an owner is told of what a member's turn made, and left out it stays away, in the quarantine", async () => {
  const stage = await createStage({
    script: createQueueScript([bash("git init -q one; git init -q two; echo made"), tellResults]),
    env: { ALLOWED_USERS: `${USER},${OWNER}`, OWNER_USERS: String(OWNER) },
  });
  const owner = stage.api.user({ id: OWNER, firstName: "Olga" }).chat();
  owner.open();
  await stage.start();
  stage.chat.send("make two");
  await allow(stage, "git init");
  const told = await stage.waitFor(({ text }) => text.includes("1. one/.git: a repository"));
  expect(told.keyboard).toBeNull();
  expect(told.text).toContain("an owner has to do");
  const asked = await stage.api.waitForMessage(OWNER, (message) => hasButton("Leave all 2 out")(message));
  owner.press(asked.messageId, "Leave it out: 1");
  await stage.api.waitForMessage(
    OWNER,
    (message) => message.text.includes("left out") && !hasButton("Accept all 2")(message),
  );
  await stage.waitFor(({ text }) => text.includes("left out"));
  expect([await readdir(join(stage.project, "one")), await readdir(join(stage.project, "two"))]).toEqual([
    [],
    [],
  ]);
  expect(queryDaemon(stage.home, "SELECT path, state FROM quarantine ORDER BY path")).toEqual([
    { path: "one/.git", state: "dropped" },
    { path: "two/.git", state: "held" },
  ]);
});

test("H31: what a turn made that a crash of the daemon cut off is told and taken out at the next start", async () => {
  const stage = await createStage({
    script: createQueueScript([bash("git init -q vendor"), hang]),
  });
  const life = await stage.start();
  stage.chat.send("make a repository");
  await allow(stage, "git init");
  await stage.waitForProgress(({ text }) => text.includes("Let me think"));
  expect(await isThere(join(stage.project, "vendor/.git"))).toBe(true);
  await life.kill();
  await stage.start();
  await stage.waitFor(({ text }) => text.includes("vendor/.git: a repository"));
  expect(await isThere(join(stage.project, "vendor/.git"))).toBe(false);
});

test("H31: what a stopped turn made is taken out as well, and ordinary work is told of nowhere", async () => {
  const stage = await createStage({
    script: createQueueScript([
      bash("mkdir a; git init -q; echo done"),
      hang,
      bash("echo a > a/b; echo ordinary"),
      tellResults,
    ]),
  });
  await stage.start();
  stage.chat.send("make a repository");
  await allow(stage, "git init");
  await stage.waitForProgress(({ text }) => text.includes("Let me think"));
  stage.chat.send("/stop");
  const told = await stage.waitFor(({ text }) => text.includes("1. .git: a repository"));
  await until(() => stage.botTexts().some((text) => text.includes("Stopped")), "the stop");
  stage.chat.press(told.messageId, "Leave it out");
  stage.chat.send("work on");
  await allow(stage, "ordinary");
  await stage.waitFor(({ text }) => text.includes("The tool said: ordinary"));
  expect(stage.botTexts().filter((text) => text.includes("I took it out"))).toHaveLength(1);
});

test("a project that cannot be looked into runs nothing until it is mended", async () => {
  const stage = await createStage({
    env: { CLAUDE_PERMISSION_MODE: "jail" },
    script: createQueueScript([
      bash("git init -q vendor; i=0; while [ $i -lt 110 ]; do mkdir d; cd d; i=$((i+1)); done; echo made"),
      tellResults,
      reply("I run."),
    ]),
  });
  await stage.start();
  stage.chat.send("go deep");
  await stage.waitFor(({ text }) => text.includes("vendor/.git"), "what was found");
  await stage.waitFor(({ text }) => text.includes("folders more than 100 deep"), "what could not be seen");
  await stage.waitFor(({ text }) => text.includes("The tool said: made"));
  expect(await isThere(join(stage.project, "vendor/.git"))).toBe(false);

  const refused = await stage.ask("and now?", "folders more than 100 deep");
  expect(refused.text).not.toContain("I run.");
  await rm(join(stage.project, "d"), { recursive: true });
  await stage.ask("and now?", "I run.");
});

test("H31: what a process makes that an earlier turn left behind is taken out after the next turn, whatever that turn does", async () => {
  const stage = await createStage({
    env: { CLAUDE_PERMISSION_MODE: "jail" },
    script: createQueueScript([
      bash("(while [ ! -e go ]; do sleep 0.1; done; git init -q late) >/dev/null 2>&1 & echo begun"),
      tellResults,
      reply("Only words."),
    ]),
  });
  await stage.start();
  await stage.ask("leave something", "The tool said: begun");
  await writeFile(join(stage.project, "go"), "");
  await until(() => isThere(join(stage.project, "late/.git/HEAD")), "it is made");
  stage.chat.send("just talk");
  await stage.waitFor(({ text }) => text.includes("late/.git"), "what was found");
  await stage.waitFor(({ text }) => text.includes("Only words."));
  expect(await isThere(join(stage.project, "late/.git"))).toBe(false);
});
