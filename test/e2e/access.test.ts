import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { reply } from "../../src/demo/messages-api/scripts.ts";
import { createStage, type Stage } from "../support/daemon.ts";

/** Bits of a folder, given back when the test is over so that it can be removed. */
function shut(path: string, mode: number): void {
  chmodSync(path, mode);
  onTestFinished(() => chmodSync(path, 0o700));
}

const prompts = (stage: Stage): number =>
  stage.model.requests.filter(({ method }) => method === "POST").length;

test("a project that may not be entered is neither chosen nor worked in, and the line that mends it is told", async () => {
  const stage = await createStage({ script: () => reply("Done.") });
  mkdirSync(join(stage.approved, "other"));
  await stage.start();
  shut(stage.project, 0o000);
  const refused = await stage.ask("/repo demo", "demo: I may not list it");
  expect(refused.text).toContain(`chmod u+r '${stage.project}'`);
  await stage.ask("/status", "none chosen");

  chmodSync(stage.project, 0o700);
  await stage.ask("/repo demo", "Working in demo.");
  await stage.ask("first", "Done.");
  const before = prompts(stage);
  shut(stage.project, 0o600);
  const failed = await stage.ask("second", "The project's folder is closed to me, so nothing was run.");
  expect(failed.text).toContain(`chmod u+x '${stage.project}'`);
  expect(prompts(stage)).toBe(before);

  chmodSync(stage.project, 0o700);
  await stage.ask("third", "Done.");
});

test("a project that may not be written is worked in, and that is told at /repo and as a session begins", async () => {
  const stage = await createStage({ script: () => reply("Read.") });
  await stage.start();
  shut(stage.project, 0o500);
  await stage.ask("/repo demo", "Working in demo.\n\ndemo: I may not write in it.");
  stage.chat.send("look");
  await stage.waitFor(({ text }) => text.startsWith("demo: I may not write in it."));
  await stage.waitFor(({ text }) => text.includes("Read."));
});
