import { execFileSync } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { ClaudeTurn } from "../../src/claude/types.ts";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import { createHouse, type House, startTurn } from "./house.ts";

let house: House | null = null;
afterEach(() => house?.dispose());

test.runIf(process.platform === "linux" && process.getuid?.() === 0)(
  "the real CLI of a root daemon works as the owner of the project, and is resumed as him",
  async () => {
    const command = (text: string) => callTool("Bash", { command: text, description: "look" });
    const turns = [command("id -u > who; id -u"), reply("First."), command("id -g >> who"), reply("Second.")];
    house = await createHouse({ script: createQueueScript(turns) });
    execFileSync("chown", ["54321:54322", house.project]);
    const session = house.session();
    const decide: ClaudeTurn["decide"] = async ({ input }) => ({ kind: "allow", input });
    const first = await house.run(session, "Who are you?", { decide });
    expect(first.end.outcome).toMatchObject({ kind: "completed" });
    await house.runner.close();
    const again = house.another();
    const second = await startTurn(again, { ...session, isResume: true }, "And your group?", { decide }).done;
    expect(second.end.outcome).toMatchObject({ kind: "completed" });
    expect(await readFile(join(house.project, "who"), "utf8")).toBe("54321\n54322\n");
    expect(await stat(join(house.project, "who"))).toMatchObject({ uid: 54_321, gid: 54_322 });
  },
);
