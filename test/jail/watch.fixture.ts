import { createInterface } from "node:readline";
import { AppError } from "../../src/domain/errors.ts";
import { planProtection } from "../../src/jail/plan-protection.ts";
import { createSecretWatcher } from "../../src/jail/secret-watch.ts";
import { hostReading } from "../support/reading.ts";

/**
 * Plans and watches the project of its second argument, with the scratch folder of its first; says a JSON line for what comes
 * of it and for every loss, and `settled` for every line it is sent.
 */
const [, , scratchDir = "", project = ""] = process.argv;
const say = (fact: object): void => void process.stdout.write(`${JSON.stringify(fact)}\n`);
const messageOf = (error: unknown): string => (error instanceof AppError ? error.message : String(error));

const watcher = createSecretWatcher(scratchDir, []);
await planProtection(project, { run: hostReading }).then(
  () => say({ plan: "made" }),
  (error: unknown) => say({ plan: messageOf(error) }),
);
const watched = watcher.watch({ project, protectedPaths: [], exposed: [], onLoss: (loss) => say({ loss }) });
await watched.opened.then(
  () => say({ watch: "open" }),
  (error: unknown) => say({ watch: messageOf(error) }),
);
for await (const _line of createInterface({ input: process.stdin })) {
  await watched.settle();
  say({ settled: true });
}
await watcher.close();
