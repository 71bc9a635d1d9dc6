import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Jail, JailedProcess, JailLoss } from "../../src/jail/jail.ts";
import { lookThrough } from "../../src/jail/look-through.ts";
import { newEntries } from "../../src/jail/project-entries.ts";
import { moveOut } from "../../src/jail/quarantine-files.ts";
import type { Attack } from "./attack.ts";
import type { BareCli } from "./cli.ts";
import { ANEW } from "./made-anew.ts";
import type { World } from "./world.ts";

/** A jail, and what was seen of it. */
export interface ObservedJail {
  readonly jail: Jail;
  readonly losses: readonly JailLoss[];
  readonly last: () => JailedProcess | undefined;
}

/** Keeps what the jail tells of its processes; `onLoss` shuts the way out of one that no longer holds. */
export function observe(jail: Jail, onLoss: () => void): ObservedJail {
  const losses: JailLoss[] = [];
  let last: JailedProcess | undefined;
  return {
    losses,
    last: () => last,
    jail: {
      ...jail,
      start: async (request) => {
        last = await jail.start({
          ...request,
          onLoss: (loss) => {
            losses.push(loss);
            onLoss();
            request.onLoss?.(loss);
          },
        });
        return last;
      },
    },
  };
}

/** As the daemon does after a turn: what the attacks of `made-anew` left goes to the quarantine. */
export async function takeOut({ project, root }: World, { baseline }: JailedProcess): Promise<void> {
  const made = newEntries(baseline, await lookThrough(project));
  const theirs = made.filter(({ path }) => path.startsWith(`${ANEW}/`));
  for (const [index, entry] of theirs.entries()) {
    await moveOut({ ...entry, root: project, folder: join(root, "quarantine", String(index)) });
  }
}

/**
 * Runs an attack's own session. True when what it waits for happened. The CLI may end before its result only when its jail
 * was lost.
 */
export async function runMidway(
  cli: BareCli,
  { begun, happen }: NonNullable<Attack["midway"]>,
  { losses }: ObservedJail,
): Promise<boolean> {
  const before = losses.length;
  const over = new AbortController();
  const turn = cli
    .prompt("ATTACK NOW")
    .catch((error: unknown) => {
      if (losses.length === before) throw error;
    })
    .finally(() => over.abort());
  while (!over.signal.aborted && !existsSync(begun)) await delay(10);
  const hasBegun = existsSync(begun);
  if (hasBegun) happen();
  await turn;
  await cli.close();
  return hasBegun;
}
