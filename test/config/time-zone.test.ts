import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { createWorld } from "./support.ts";

const SOURCE = resolve(import.meta.dirname, "../../src/config/environment.ts");
/** Noon of a summer's day by UTC. */
const NOON = "2026-07-01T12:00:00Z";

/** What a process with that `TZ` takes for its zone, and what it then tells times by. */
function adopted(tz: string | undefined, setting: string | null) {
  const script = `const { adoptTimeZone } = await import(process.argv[1]);
    const zone = adoptTimeZone(JSON.parse(process.argv[2]));
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    new Intl.DateTimeFormat("en", { timeZone }).format();
    const hour = new Date("${NOON}").getHours();
    console.log(JSON.stringify({ ...zone, timeZone, hour }));`;
  const { TZ: _, ...env } = process.env;
  const output = execFileSync(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      "--input-type=module",
      "-e",
      script,
      SOURCE,
      JSON.stringify(setting),
    ],
    { encoding: "utf8", env: tz === undefined ? env : { ...env, TZ: tz } },
  );
  return JSON.parse(output);
}

test.each(["", "Factory", ":/etc/localtime", "UTC+3", "Nowhere/Never"])(
  "a system whose TZ is %j has a zone by which times can be told",
  (tz) => {
    const { name, timeZone } = adopted(tz, null);
    expect(timeZone).toBe(name);
    expect(name).toMatch(/^[A-Z]\w+(?:\/\w+)*$/);
  },
);

test("the setting wins over the system's, and a good TZ over none", () => {
  expect(adopted("", "Asia/Tokyo")).toMatchObject({
    name: "Asia/Tokyo",
    isMadeUp: false,
    timeZone: "Asia/Tokyo",
  });
  expect(adopted("Europe/Berlin", null)).toMatchObject({ name: "Europe/Berlin", isMadeUp: false });
  expect(adopted("Europe/Berlin", "Asia/Tokyo").timeZone).toBe("Asia/Tokyo");
});

test.each(["europe/berlin", "GMT", "us/pacific"])(
  "a TZ of %s is the zone of that name, in any case",
  (tz) => {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: tz }).resolvedOptions();
    expect(adopted(tz, null)).toMatchObject({ name: timeZone, isMadeUp: false, timeZone });
  },
);

describe("TIMEZONE", () => {
  test.each(["+02:00", "-07:00", "+02", "-0730", "UTC+3", "Z", "Berlin", "Factory"])(
    "%s is refused: it is an offset, or no name",
    (zone) => {
      expect(createWorld().faults({ TIMEZONE: zone }).slice(1)).toEqual([
        `  TIMEZONE: expected a time zone's IANA name, such as Europe/Berlin, and no offset such as +02:00, got "${zone}" from the environment`,
      ]);
    },
  );

  test.each([
    ["Europe/Berlin", 14],
    ["europe/berlin", 14],
    ["AMERICA/NEW_YORK", 8],
    ["America/Argentina/Buenos_Aires", 9],
    ["us/pacific", 5],
    ["Asia/Kolkata", 17],
    ["Etc/GMT+5", 7],
    ["utc", 12],
    ["GMT", 12],
  ])("%s, in whatever case, is what the process then tells the hour by", (zone, hour) => {
    const { timeZone } = createWorld().load({ TIMEZONE: zone }).config;
    expect(timeZone).not.toBeNull();
    expect(adopted("Asia/Tokyo", timeZone)).toEqual({ name: timeZone, isMadeUp: false, timeZone, hour });
  });

  test("every name that Intl knows is told by under the name that is kept", () => {
    const script = `const { zoneNameOf } = await import(process.argv[1]);
      const told = (timeZone) => new Date("${NOON}").toLocaleString("en", timeZone ? { timeZone } : {});
      const wrong = [...Intl.supportedValuesOf("timeZone"), "UTC"].filter((zone) => {
        process.env.TZ = zoneNameOf(zone.toLowerCase());
        return Intl.DateTimeFormat().resolvedOptions().timeZone !== process.env.TZ || told() !== told(zone);
      });
      console.log(JSON.stringify(wrong));`;
    const values = resolve(SOURCE, "../values.ts");
    const args = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script, values];
    expect(JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }))).toEqual([]);
  });
});
