import { AppError } from "../domain/errors.ts";
import type { JailLog } from "./jail.ts";
import { endOrphans, type Orphans } from "./kill-tree.ts";

/**
 * Ends what a killed daemon left running where no namespace ended it, and logs how many processes that were.
 * @throws AppError `orphans_left` when some do not end: they would work in a project beside the turns to come.
 */
export async function reap({ log, ...orphans }: Orphans & { readonly log: JailLog }): Promise<void> {
  const { found, left } = await endOrphans(orphans);
  if (left.length > 0) {
    throw new AppError(
      "orphans_left",
      `Processes of an earlier life do not end: stop them by hand, then start again (${left.join(", ")})`,
    );
  }
  if (found > 0) log.warn({ event: "jail.reaped", count: found }, "ended what an earlier life left running");
}
