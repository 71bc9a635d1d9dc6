import { afterAll, expect, test } from "vitest";
import { ACTS, type Act } from "./acts.ts";
import { createScene, type Scene } from "./scene.ts";
import { answerTo } from "./talk.ts";

/** For a start from cold and the act, and for what the next life has left to do: seconds each on a quiet machine. */
const REACH_MS = 60_000;
const TEST_MS = 240_000;

const table: string[] = [];

/** What became of the messages, in a few words. */
function outcomeOf(scene: Scene, resent: readonly number[]): string {
  const texts = scene.stage.botTexts();
  const tags = new Set(scene.talk.runs.map(({ tag }) => tag));
  const copies = [...tags].map((tag) => texts.filter((text) => text.includes(answerTo(tag))).length);
  const again = scene.pressed().filter(({ label }) => label === "Run it again").length;
  const facts = [
    `ran ${scene.talk.runs.length}`,
    `answers ${copies.join("+") || "0"}`,
    ...(again > 0 ? [`offered and run again ${again}`] : []),
    ...(resent.length > 0 ? [`begun sends ${resent.length}`] : []),
  ];
  return facts.join(", ");
}

async function kill(act: Act, point: string): Promise<void> {
  const scene = await createScene(act);
  await act.before?.(scene);
  const life = await scene.live(point);
  // It may wait for a message that only the next life sends.
  const played = Promise.resolve(act.play(scene)).catch((error: unknown) => error);
  const end = await Promise.race([
    life.exited,
    new Promise<null>((resolve) => setTimeout(resolve, REACH_MS, null)),
  ]);
  expect(end, `${point} was not reached\n${life.output().slice(-2_000)}`).toEqual({
    code: null,
    signal: "SIGKILL",
  });
  const resent = scene.noteDeath();

  const next = await scene.live();
  await scene.settle(REACH_MS);
  expect(await played).not.toBeInstanceOf(Error);
  await scene.settle(REACH_MS);
  expect(scene.violations()).toEqual([]);
  expect(await next.kill("SIGTERM")).toEqual({ code: 0, signal: null });
  table.push(`| ${act.name} | ${point} | ${outcomeOf(scene, resent)} |`);
}

const KILLS = ACTS.flatMap((act) =>
  act.reaches.flatMap((transition) => {
    const [name, nth] = transition.split("#");
    return ["before", "after"].map((side) => ({
      act,
      name: act.name,
      point: `${name}:${side}${nth === undefined ? "" : `#${nth}`}`,
    }));
  }),
);

/**
 * Tests that kill the daemon before and after each transition that the acts reach. They are many and mostly wait: `part` of `parts`
 * files takes its share.
 */
export function testKills(part: number, parts: number): void {
  test.each(KILLS.filter((_, n) => n % parts === part))(
    "H41, H43: killed at $point of $name: nothing is lost, nothing runs twice",
    ({ act, point }) => kill(act, point),
    TEST_MS,
  );

  afterAll(() => {
    process.stdout.write(`\n| act | killed at | outcome |\n|---|---|---|\n${table.join("\n")}\n`);
  });
}
