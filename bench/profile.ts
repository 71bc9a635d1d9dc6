import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openChannel } from "./harness/channel.ts";
import { type CpuProfile, dearest } from "./harness/cpu-profile.ts";
import { startStandInDaemon } from "./harness/daemon.ts";
import { sendPaced, settled, warmUp } from "./harness/prompts.ts";
import { createStage } from "./harness/stage.ts";

const PEOPLE = 16;
const PACE = { count: 600, gapMs: 50, word: "ping" } as const;
const PLACES = 20;

/** Profiles the daemon while prompts come and are answered at a steady pace; gives the dearest functions as a table. */
export async function profileHotPath(path?: string): Promise<string> {
  await using stage = await createStage({ people: PEOPLE, env: { CLAUDE_MAX_PROCESSES: String(PEOPLE) } });
  await using daemon = await startStandInDaemon(stage);
  const channel = openChannel(daemon);
  await warmUp(stage);
  await channel.startProfile();
  await sendPaced([stage], PACE);
  await settled(stage);
  const file = path ?? join(stage.folder, "hot-path.cpuprofile");
  await channel.endProfile(file);
  const profile: CpuProfile = JSON.parse(readFileSync(file, "utf8"));
  const rows = dearest(profile, PLACES).map(
    ({ place, selfMs, share }) =>
      `| ${place} | ${((selfMs * 1000) / PACE.count).toFixed(0)} | ${(share * 100).toFixed(1)} |`,
  );
  return ["| where | us a prompt | % of the busy time |", "| --- | --- | --- |", ...rows].join("\n");
}
