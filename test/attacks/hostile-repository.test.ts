import { readdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import { createMessagesApi } from "../../src/demo/messages-api/server.ts";
import { openJail } from "../../src/jail/open-jail.ts";
import { createStage, hasButton, type Stage } from "../support/daemon.ts";
import { hostGit, memoryLog } from "../support/git-project.ts";
import { openPipe, startCli } from "./cli.ts";
import {
  GIT_COMMANDS,
  insideOf,
  ORDER,
  PLANTED,
  plantEverything,
  RUN_BY_CLI,
  RUN_BY_GIT,
} from "./hostile-repository.ts";
import type { Layer } from "./layers.ts";
import { createWorld } from "./world.ts";

const LIMIT_MS = 90_000;
const namesIn = (folder: string): readonly string[] => readdirSync(folder).sort();

describe.runIf(process.platform === "linux")("a repository that runs whatever it can", () => {
  test("H18 H22: opened and prompted in, it runs nothing at all; the model's git runs it in the jail and nowhere else", {
    timeout: LIMIT_MS,
  }, async () => {
    const commands = GIT_COMMANDS.map((args) => `git ${args.join(" ")}`).join("; ");
    const stage = await createStage({
      script: createQueueScript([
        reply("Nothing to do."),
        callTool("Bash", {
          command: `export GIT_AUTHOR_NAME=b GIT_AUTHOR_EMAIL=b@x.test GIT_COMMITTER_NAME=b GIT_COMMITTER_EMAIL=b@x.test; ${commands}`,
        }),
        reply("I looked round."),
      ]),
    });
    const project = realpathSync(stage.project);
    const ran = join(stage.home, "../ran");
    await plantEverything({ project, ran });
    const life = await stage.start();
    await stage.ask("what is this?", "Nothing to do.");
    expect({ host: namesIn(ran), jail: namesIn(insideOf(project)) }).toEqual({ host: [], jail: [] });

    stage.chat.send("look round with git");
    await answered(stage, "I looked round.");
    expect(namesIn(ran)).toEqual([]);
    // That much of it is alive, where it can do no harm; commits of the model's run the hooks too.
    // A bare repository's guard takes away the setting that makes it a work tree.
    expect(namesIn(insideOf(project))).toEqual(RUN_BY_GIT.filter((name) => name !== "bare").sort());
    expect(JSON.stringify(stage.model.requests.map(({ body }) => body))).not.toContain(ORDER);

    await life.kill("SIGTERM");
    await ownersGit(project); // the control: the same on the host
    expect(namesIn(ran)).toEqual([...RUN_BY_GIT].sort());
  });

  /** Two prompts, one of them a command of the repository's, and a tool call. Gives what ran, and what the API was sent. */
  async function prompted(layers: readonly Layer[]) {
    await using world = await createWorld();
    await plantEverything(world);
    const api = createMessagesApi({
      script: ({ lastUserText, toolResults, isAuxiliary }) =>
        !isAuxiliary && lastUserText.includes("read") && toolResults.length === 0
          ? callTool("Read", { file_path: join(world.project, "file.txt") })
          : reply("ok"),
    });
    const pipe = await openPipe(world, await api.listen());
    const jail = await openJail({
      sandbox: "off",
      platform: process.platform,
      scratchDir: join(world.root, "sallyport/jail"),
      log: memoryLog(),
    });
    const cli = await startCli({ world, jail, layers: new Set(layers), apiSocket: pipe.path, token: "t" });
    await cli.prompt("/evil-command");
    await cli.prompt("read");
    await cli.close();
    const sent = JSON.stringify(api.requests.map(({ body }) => body));
    const ran = namesIn(world.ran);
    await jail.close();
    await pipe.close();
    await api.close();
    return { ran: PLANTED.filter((name) => ran.includes(name)), sent };
  }

  test("H22: the CLI as it is launched runs nothing of it and reads no orders, without any jail", async () => {
    const { ran, sent } = await prompted(["launch"]);
    expect(ran).toEqual([]);
    expect(sent).not.toContain(ORDER);
  });

  test("the control: a CLI without those flags runs all that is planted for it, unasked, and reads the orders", async () => {
    const { ran, sent } = await prompted(["ask"]);
    expect(ran.filter((name) => RUN_BY_CLI.includes(name))).toEqual(RUN_BY_CLI);
    expect(sent).toContain(ORDER);
  });
});

async function answered(stage: Stage, text: string): Promise<void> {
  const first = await stage.waitFor(
    (message) => hasButton("Allow once")(message) || message.text.includes(text),
  );
  if (hasButton("Allow once")(first)) stage.chat.press(first.messageId, "Allow once");
  await stage.waitFor((message) => message.text.includes(text));
}

async function ownersGit(project: string): Promise<void> {
  writeFileSync(join(project, "file.txt"), "the owner's\n");
  for (const args of GIT_COMMANDS) await hostGit(project, ...args).catch(() => "");
}
