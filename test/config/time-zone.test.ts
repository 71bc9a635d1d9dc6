import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const SOURCE = resolve(import.meta.dirname, "../../src/config/environment.ts");

/** What a process with that `TZ` takes for its zone, and what it then tells times by. */
function adopted(tz: string | undefined, setting: string | null) {
  const script = `const { adoptTimeZone } = await import(process.argv[1]);
    const zone = adoptTimeZone(JSON.parse(process.argv[2]));
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    new Intl.DateTimeFormat("en", { timeZone }).format();
    console.log(JSON.stringify({ ...zone, timeZone }));`;
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
  expect(adopted("", "Asia/Tokyo")).toEqual({ name: "Asia/Tokyo", isMadeUp: false, timeZone: "Asia/Tokyo" });
  expect(adopted("Europe/Berlin", null)).toMatchObject({ name: "Europe/Berlin", isMadeUp: false });
  expect(adopted("Europe/Berlin", "Asia/Tokyo").timeZone).toBe("Asia/Tokyo");
});
