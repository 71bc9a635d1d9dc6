import { setTimeout as sleep } from "node:timers/promises";
import { openStore } from "../../src/store/store.ts";

// Puts argv[4] rows of the person argv[3] into the audit of the database argv[2], once it is told to begin, and is never more than
// 20 rows ahead of the writer for the person argv[5]: else a machine that stalls one of them lets the other write all alone.
const [path = "", userId = "", count = "", otherId = ""] = process.argv.slice(2);
using store = openStore(path, Date.now);
process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.once("data", resolve));
for (let n = 0; n < Number(count); n += 1) {
  while (Number(store.facts.get(`writer ${otherId}`) ?? -1) < n - 20) await sleep(1);
  const write = n % 2 === 0 ? store.transaction : store.lightly;
  write(() => {
    const event = { type: "command.run", name: `row ${n}` } as const;
    store.audit.append({ at: Date.now(), risk: "low", userId: Number(userId), conversation: null, event });
    store.facts.set(`writer ${userId}`, String(n));
  });
  await sleep(1); // between two acts everybody has a chance at the lock
}
process.exit(0);
