import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelRequest } from "../../src/demo/messages-api/types.ts";
import { createStage, says, USER } from "../support/daemon.ts";
import { auditIn } from "../support/daemon-database.ts";

const MEMBER = 1002;
const SHOWN = "SHOWN-51d0";
const HIDDEN = "HIDDEN-77aa";

const sayResults = ({ toolResults }: ModelRequest) =>
  reply(`got: ${toolResults.map(({ text }) => text).join(" | ")}`);
const look = [callTool("Bash", { command: "cat .e?v sub/.e?v; echo end" }), sayResults] as const;

test("an owner shows one secret file, from the next turn on, and hides it again; both are on record, and no other file is shown", async () => {
  const stage = await createStage({
    env: { CLAUDE_PERMISSION_MODE: "jail", ALLOWED_USERS: `${USER},${MEMBER}` },
    script: createQueueScript([
      ...look,
      ...look,
      callTool("Read", { file_path: ".env" }),
      sayResults,
      callTool("Read", { file_path: "sub/.env" }),
      sayResults,
      ...look,
    ]),
  });
  mkdirSync(join(stage.project, "sub"));
  writeFileSync(join(stage.project, ".env"), SHOWN);
  writeFileSync(join(stage.project, "sub/.env"), HIDDEN);
  await stage.start();
  await stage.ask("look", "got: end");

  await stage.ask("/expose no/such.key", "There is no such file");
  await stage.ask("/expose README.md", "is not hidden");
  await stage.ask("/expose .env", ".env is shown to Claude from the next turn on");
  await stage.ask("/expose .env", "is shown already");
  await stage.ask("look again", `got: ${SHOWN}end`);
  const read = await stage.ask("read it", "got: ");
  expect(read.text).toContain(SHOWN);
  const refused = await stage.ask("read the other", "got: ");
  expect(refused.text).not.toMatch(/SHOWN|HIDDEN/);

  const list = await stage.ask("/expose", "• .env");
  stage.chat.press(list.messageId, "Hide .env");
  await stage.waitFor(({ text }) => text.includes(".env is hidden again"));
  await stage.ask("/expose", "read as empty in demo");
  const { text } = await stage.ask("look once more", "got: end");
  expect(text).not.toContain(SHOWN);

  const requests = JSON.stringify(stage.model.requests.map(({ body }) => body));
  expect(requests).toContain(SHOWN);
  expect(requests).not.toContain(HIDDEN);
  const facts = { project: stage.project, path: ".env", userId: USER };
  expect(auditIn(stage.home, "secret.exposed")).toMatchObject([facts]);
  expect(auditIn(stage.home, "secret.hidden")).toMatchObject([facts]);
});

test("a member may not show a secret file", async () => {
  const stage = await createStage({
    env: { ALLOWED_USERS: `${USER},${MEMBER}` },
    script: createQueueScript([]),
  });
  writeFileSync(join(stage.project, ".env"), SHOWN);
  await stage.start();
  const member = stage.api.user({ id: MEMBER, firstName: "Bob" }).chat();
  member.open();
  const toMember = (what: string) => stage.api.waitForMessage(MEMBER, says(what), { what });
  member.send("/repo demo");
  await toMember("demo");
  member.send("/expose .env");
  await toMember("Only owners may show a file");
  expect(auditIn(stage.home, "secret.exposed")).toEqual([]);
});

test("a secret file that is shown may be made anew: no sandbox ends for it", async () => {
  const stage = await createStage({
    env: { CLAUDE_PERMISSION_MODE: "jail" },
    script: createQueueScript([
      callTool("Bash", { command: `rm .env; echo ${SHOWN} > .en; mv .en .env; cat .env` }),
      sayResults,
    ]),
  });
  writeFileSync(join(stage.project, ".env"), "old");
  await stage.start();
  await stage.ask("/repo demo", "demo");
  await stage.ask("/expose .env", "is shown to Claude");
  await stage.ask("make it anew", `got: ${SHOWN}`);
  expect(auditIn(stage.home, "violation.secret_access")).toEqual([]);
});
