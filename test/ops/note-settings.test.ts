import { createHmac } from "node:crypto";
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { AuditEvent } from "../../src/domain/audit-event.ts";
import { readHomeKey } from "../../src/ops/home-key.ts";
import { noteSettings } from "../../src/ops/note-settings.ts";
import { testStore } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

function createStarts() {
  const store = testStore();
  const keyFile = join(tempDir(), "settings.key");
  const start = (settings: Readonly<Record<string, string>>): readonly AuditEvent[] => {
    const events: AuditEvent[] = [];
    const digestsBy = (key: string) =>
      Object.fromEntries(
        Object.entries(settings).map(([name, text]) => [
          name,
          createHmac("sha256", key).update(text).digest("hex"),
        ]),
      );
    noteSettings({ store, digestsBy, key: readHomeKey(keyFile), record: (event) => events.push(event) });
    return events;
  };
  return { store, keyFile, start };
}

test("a start with other settings than the last one is on record with their names, and the next one like it is not", () => {
  const { start } = createStarts();
  expect(start({ A: "1", B: "2" })).toEqual([]);
  expect(start({ B: "2", A: "1" })).toEqual([]);
  expect(start({ A: "1", B: "3", C: "4" })).toEqual([{ type: "config.changed", keys: ["B", "C"] }]);
  expect(start({ A: "1", B: "3", C: "4" })).toEqual([]);
  expect(start({ C: "4" })).toEqual([{ type: "config.changed", keys: ["A", "B"] }]);
});

test("the key of the settings is readable by its owner alone; without it, or with a broken one, nothing is compared and nothing claimed", () => {
  const { start, keyFile } = createStarts();
  start({ A: "1" });
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  const key = readFileSync(keyFile, "utf8");
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  rmSync(keyFile);
  expect(start({ A: "2" })).toEqual([]);
  expect(start({ A: "3" })).toEqual([{ type: "config.changed", keys: ["A"] }]);
  writeFileSync(keyFile, "");
  chmodSync(keyFile, 0o600);
  expect(start({ A: "4" })).toEqual([]);
  expect(start({ A: "5" })).toEqual([{ type: "config.changed", keys: ["A"] }]);
});

test("when the change cannot be put on record it is noted nowhere, and told at the next start", () => {
  const { store, keyFile, start } = createStarts();
  start({ A: "1" });
  const digestsBy = () => ({ A: "other" });
  const record = () => {
    throw new Error("disk full");
  };
  expect(() => noteSettings({ store, digestsBy, key: readHomeKey(keyFile), record })).toThrow("disk full");
  expect(start({ A: "2" })).toEqual([{ type: "config.changed", keys: ["A"] }]);
});
