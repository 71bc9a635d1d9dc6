import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { callTool, createQueueScript, type QueueStep, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelRequest } from "../../src/demo/messages-api/types.ts";
import { createStage, hasButton, says, USER } from "../support/daemon.ts";
import { auditIn } from "../support/daemon-database.ts";
import { hostGit } from "../support/git-project.ts";
import { createGitServer } from "../support/git-server.ts";
import { withInternet } from "../support/internet.ts";
import { WAIT_MS } from "../support/wait-ms.ts";

const HOST = "git.example.com";
const REPOSITORY = "acme/shop";
const TOKEN = "ghp_the-token-that-never-enters-the-jail";
const MEMBER = 2002;

const shell = (command: string): QueueStep =>
  callTool("Bash", { command: `${command} 2>&1; echo "[end $?]"` });
const sayResult = ({ toolResults }: ModelRequest) => reply(`got: ${toolResults[0]?.text}`);
const IDENTITY =
  "export GIT_AUTHOR_NAME=c GIT_AUTHOR_EMAIL=c@x.example GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@x.example";
const commit = (name: string): string =>
  `${IDENTITY}; echo ${name} > ${name}; git add ${name}; git commit -qm "Add ${name}"`;

/** The daemon, a git host, and a project cloned from it by its owner. */
async function openStage(
  steps: readonly QueueStep[],
  env: Record<string, string> = {},
  remote = `https://${HOST}/${REPOSITORY}.git`,
) {
  const server = await createGitServer(HOST, TOKEN);
  const bare = await server.create(REPOSITORY);
  const internet = withInternet({ hosts: { [HOST]: server.port }, extraCa: server.ca });
  const stage = await createStage({
    script: createQueueScript(steps),
    entry: internet.entry,
    env: { ...internet.env, CLAUDE_PERMISSION_MODE: "ask", GIT_TOKEN_GIT_EXAMPLE_COM: TOKEN, ...env },
  });
  const { project } = stage;
  await hostGit(project, "init", "-q", "-b", "main");
  await hostGit(project, "add", ".");
  await hostGit(project, "commit", "-q", "-m", "First");
  await hostGit(project, "push", "-q", bare, "main");
  await hostGit(project, "remote", "add", "origin", remote);
  await hostGit(project, "update-ref", "refs/remotes/origin/main", "HEAD");
  await stage.start();
  /** Sends a prompt whose model calls Bash, and lets it. */
  async function go(prompt: string): Promise<void> {
    const { messageId } = stage.chat.send(prompt);
    const asked = await stage.waitFor(
      (message) => hasButton("Allow once")(message) && message.messageId > messageId,
      "the ask for Bash",
    );
    stage.chat.press(asked.messageId, "Allow once");
  }
  const question = (text: string, button: string) =>
    stage.waitFor(
      (message) => hasButton(button)(message) && message.text.includes(text),
      `the question: ${text}`,
    );
  const accept = async () => {
    const { messageId } = await question(`wants to use ${HOST}/${REPOSITORY}`, "Accept for this project");
    stage.chat.press(messageId, "Accept for this project");
  };
  const result = (after: number) =>
    stage.waitFor(({ text, messageId }) => text.includes("got:") && messageId > after, "the result");
  return { ...stage, server, go, question, accept, result };
}

test("git fetches over the daemon from the remote that an owner accepted, and pushes when a person has seen refs and commits", async () => {
  const stage = await openStage([
    shell("git fetch origin && git rev-parse origin/main"),
    sayResult,
    shell(
      `git checkout -qb claude/fix; ${commit("one")}; ${commit("two")}; git push origin claude/fix; env | grep -c ghp_`,
    ),
    sayResult,
  ]);
  await stage.go("fetch");
  await stage.accept();
  const fetched = await stage.waitFor(({ text }) => text.includes("got:"));
  expect(fetched.text).toContain(await stage.server.git(REPOSITORY, "rev-parse", "main"));

  await stage.go("push");
  const push = await stage.question("git in the sandbox wants to push", "Allow once");
  expect(push.text).toContain(`${HOST}/${REPOSITORY}`);
  expect(push.text).toContain("new refs/heads/claude/fix at ");
  expect(push.text).toMatch(/c: Add two\n\w+ c: Add one/);
  expect(await stage.server.git(REPOSITORY, "branch", "--list")).toBe("* main");
  stage.chat.press(push.messageId, "Allow once");
  const pushed = await stage.waitFor(({ text }) => text.includes("[new branch]"));
  expect(pushed.text).toContain("claude/fix -> claude/fix");
  expect(await stage.server.git(REPOSITORY, "log", "--format=%s", "claude/fix")).toBe(
    "Add two\nAdd one\nFirst",
  );
  expect(auditIn(stage.home, "git.pushed")).toMatchObject([
    { refs: ["refs/heads/claude/fix"], userId: USER },
  ]);
  const told = JSON.stringify([stage.botTexts(), stage.model.requests.map(({ body }) => body)]);
  expect(told).not.toContain(TOKEN);
});

test("a push that is denied is told by git, with our words, and changes nothing", async () => {
  const stage = await openStage([
    shell(`git checkout -qb claude/no; ${commit("one")}; git push origin claude/no`),
    sayResult,
  ]);
  await stage.go("push");
  await stage.accept();
  const push = await stage.question("git in the sandbox wants to push", "Allow once");
  stage.chat.press(push.messageId, "Deny");
  const { text } = await stage.waitFor((message) => message.text.includes("got:"));
  expect(text).toContain("[remote rejected] claude/no -> claude/no (the person does not allow this push)");
  expect(auditIn(stage.home, "net.refused")).toMatchObject([
    { host: `${HOST}/${REPOSITORY}`, reason: "denied" },
  ]);
  expect(await stage.server.git(REPOSITORY, "branch", "--list")).toBe("* main");
});

test("another repository of the same host is refused in words, and so is a push without a token", async () => {
  const stage = await openStage(
    [shell(`git ls-remote https://${HOST}/acme/other.git; git push origin HEAD:claude/x`), sayResult],
    { GIT_TOKEN_GIT_EXAMPLE_COM: "" },
  );
  await stage.go("look");
  await stage.accept();
  const { text } = await stage.waitFor((message) => message.text.includes("got:"));
  expect(text).toContain(`${HOST}/acme/other is no remote of this project`);
  expect(text).toContain("there is no GIT_TOKEN_GIT_EXAMPLE_COM in the daemon's settings to push with");
  expect(auditIn(stage.home, "net.refused").map(({ reason }) => reason)).toEqual(["no_remote", "no_token"]);
  expect(stage.server.requests).toEqual([]);
});

test("what overwrites, deletes or leaves Claude's own branches says so, and only an owner is asked at all", async () => {
  const stage = await openStage(
    [
      shell(`${commit("one")}; git push origin HEAD:main :gone`),
      sayResult,
      shell(`git commit -q --amend -m Other; git push --force origin HEAD:main`),
      sayResult,
      shell(`git push origin HEAD:refs/heads/release`),
      sayResult,
    ],
    { ALLOWED_USERS: `${USER},${MEMBER}` },
    `git@${HOST}:${REPOSITORY}.git`,
  );
  await stage.server.git(REPOSITORY, "branch", "gone", "main");
  await hostGit(stage.project, "config", "user.email", "c@x.example");
  await hostGit(stage.project, "config", "user.name", "c");
  await stage.go("push main");
  await stage.accept();
  const push = await stage.question("refs/heads/main from ", "Allow once");
  expect(push.text).toContain("DELETE refs/heads/gone (was ");
  stage.chat.press(push.messageId, "Allow once");
  await stage.waitFor(({ text }) => text.includes("[deleted]"));
  expect(await stage.server.git(REPOSITORY, "branch", "--list")).toBe("* main");

  await stage.go("overwrite");
  const forced = await stage.question("FORCE refs/heads/main from ", "Allow once");
  stage.chat.press(forced.messageId, "Allow once");
  await stage.waitFor(({ text }) => text.includes("(forced update)"));

  const chat = stage.api.user({ id: MEMBER, firstName: "Bob" }).chat();
  chat.open();
  const seen = (text: string) =>
    stage.api.waitForMessage(MEMBER, says(text), {
      what: text,
      timeoutMs: WAIT_MS,
    });
  chat.send("push release");
  chat.press((await seen("Claude wants to use Bash")).messageId, "Allow once");
  const refused = await seen("got:");
  expect(refused.text).toContain("this push changes refs/heads/release, which is for owners");
  expect(auditIn(stage.home, "net.refused").map(({ reason }) => reason)).toEqual(["for_owners"]);
  expect(await stage.server.git(REPOSITORY, "branch", "--list")).toBe("* main");
});

test("a large push passes whole, and a stop while it waits leaves nothing behind", async () => {
  const stage = await openStage([
    shell(
      `git checkout -qb claude/big; head -c 3000000 /dev/urandom > big; git add big; ${commit("one")}; git push origin claude/big`,
    ),
    sayResult,
    shell(`git push origin HEAD:claude/never`),
    sayResult,
  ]);
  writeFileSync(join(stage.project, ".gitattributes"), "");
  await stage.go("push much");
  await stage.accept();
  const push = await stage.question("new refs/heads/claude/big at ", "Allow once");
  stage.chat.press(push.messageId, "Allow once");
  await stage.waitFor(({ text }) => text.includes("claude/big -> claude/big"));
  expect(await stage.server.git(REPOSITORY, "cat-file", "-s", "claude/big:big")).toBe("3000000");

  await stage.go("and again");
  const waiting = await stage.question("new refs/heads/claude/never at ", "Allow once");
  stage.chat.send("/stop");
  await stage.waitFor(({ text }) => text.includes("⏹ Stopped."));
  await stage.waitFor(
    ({ messageId, text }) => messageId === waiting.messageId && text.includes("before anybody answered"),
  );
  expect(await stage.server.git(REPOSITORY, "branch", "--list")).toContain("claude/big");
  expect(await stage.server.git(REPOSITORY, "branch", "--list")).not.toContain("never");
});
