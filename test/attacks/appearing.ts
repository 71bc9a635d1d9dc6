import { linkSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Attack, bash } from "./attack.ts";
import type { World } from "./world.ts";

/** How the owner's own tools make a secret appear in the project while a turn runs: from a file outside, at its place. */
const WAYS: Readonly<Record<string, (world: World, from: string, to: string) => void>> = {
  "Bash loop, made": (world, _from, to) => world.put(to, SECRET),
  "Bash loop, renamed in": (_world, from, to) => renameSync(from, to),
  "Bash loop, linked in": (_world, from, to) => linkSync(from, to),
};
const SECRET = "CANARY-of-the-secret-that-appears\n";

/** A secret that was not there when the jail began, read by one command in a loop as soon as it is there (H32). */
export function appearing(world: World): readonly Attack[] {
  return Object.entries(WAYS).map(([route, appear], index): Attack => {
    const path = join(world.project, `late/${index}/server.key`);
    const begun = join(dirname(path), "begun");
    const from = join(world.root, `elsewhere/late-${index}`);
    world.put(join(dirname(path), "file"), "x\n");
    world.put(from, SECRET);
    const program = `$f = "${path.slice(0, -2)}" . "ey"; open B, ">", "${begun}"; close B; for (1..3000) { if (-s $f) { open F, $f; print <F>; last } select undef, undef, undef, 0.005 }`;
    return {
      asset: "secret that appears",
      route,
      calls: [bash(`perl -e '${program}'`)],
      midway: { begun, happen: () => appear(world, from, path) },
      isThrough: ({ prompted }) => prompted.includes(SECRET.trim()),
    };
  });
}
