import { readdirSync, readFileSync } from "node:fs";

/** Command lines, of all processes of this machine, that hold `mark`. */
export function processesWith(mark: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return ""; // it ended while we looked
      }
    })
    .filter((line) => line.includes(mark));
}
