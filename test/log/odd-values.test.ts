import { execa } from "execa";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { captureLog } from "./support.ts";

const TOKEN = `123456789:${"AAExample-bot_token".padEnd(35, "x")}`;
const VALUE = "Tr0ub4dor-and-3-horses";

const throws = (): never => {
  throw new Error(`read ${TOKEN}`);
};

/** Things that hold the secret in a way of their own, and how each is logged. */
function oddValues(): Readonly<Record<string, readonly [unknown, unknown]>> {
  const cycle: Record<string, unknown> = { name: VALUE };
  cycle.self = cycle;
  const deep = Array.from({ length: 40 }).reduce<unknown>((inner) => ({ inner }), VALUE);
  return {
    buffer: [Buffer.from(VALUE), `<${VALUE.length} bytes>`],
    bytes: [{ raw: new Uint8Array(Buffer.from(VALUE)).buffer }, { raw: `<${VALUE.length} bytes>` }],
    map: [
      new Map<unknown, unknown>([
        [VALUE, { [VALUE]: VALUE }],
        [{}, 1],
      ]),
      { "[redacted]": { "[redacted]": "[redacted]" }, "[object]": 1 },
    ],
    set: [new Set([VALUE, 2]), ["[redacted]", 2]],
    getter: [
      Object.defineProperty({ kept: 1 }, "bad", { get: throws, enumerable: true }),
      { kept: 1, bad: "[unreadable]" },
    ],
    json: [{ toJSON: () => ({ said: VALUE }) }, { said: "[redacted]" }],
    badJson: [{ toJSON: throws }, "[unreadable]"],
    proxy: [new Proxy({}, { ownKeys: throws, get: throws, getPrototypeOf: throws }), "[proxy]"],
    cycle: [cycle, { name: "[redacted]", self: "[circular]" }],
    deep: [deep, expect.anything()],
    bigint: [{ n: 12n }, { n: "12" }],
    error: [
      { in: [new Error(`in ${VALUE}`)] },
      { in: [expect.objectContaining({ type: "Error", message: "in [redacted]" })] },
    ],
    date: [new Date(0), "1970-01-01T00:00:00.000Z"],
    badDate: [new Date(Number.NaN), null],
    url: [new URL(`https://x.yy/?a=${VALUE}`), "https://x.yy/?a=[redacted]"],
  };
}

describe("H23: whatever is logged, by whatever way it holds a secret, the line is written and holds none", () => {
  test.each(Object.keys(oddValues()))("as a field, in a list, as an argument and in a child: %s", (name) => {
    const [value, shown] = oddValues()[name] ?? [];
    const { log, lines, text } = captureLog({ secretValues: [VALUE, TOKEN] });
    log.info({ value }, "said");
    log.info({ list: [value] }, "%o", value as object);
    log.child({ value }).info("child");
    expect(lines()).toHaveLength(3);
    expect(lines()[0]).toMatchObject({ value: shown, msg: "said" });
    expect(lines()[2]).toMatchObject({ value: shown });
    expect(text()).not.toMatch(/Tr0ub4dor|AAExample|horses/);
    expect(text()).not.toContain(Array.from(Buffer.from(VALUE)).slice(0, 4).join(","));
  });

  test("fields that throw when they are read, errors that do, and errors that are none", () => {
    const { log, lines, text } = captureLog({ secretValues: [TOKEN] });
    const liar = new Error("x");
    for (const key of ["name", "message", "stack", "cause", "code"])
      Object.defineProperty(liar, key, { get: throws });
    log.error({ err: liar }, "first");
    log.error(liar);
    log.error(
      {
        get err(): Error {
          return throws();
        },
      },
      "second",
    );
    log.error({ err: TOKEN }, "third");
    log.error({ err: { message: TOKEN, stack: [TOKEN] } }, "fourth");
    expect(lines().map(({ msg }) => msg)).toEqual(["first", "", "second", "third", "fourth"]);
    expect(text()).not.toContain("AAExample");
  });

  test("causes, errors of many and what libraries put into theirs", async () => {
    const { log, lines, text } = captureLog({ secretValues: [TOKEN, VALUE] });
    const ended = await execa(process.execPath, [
      "-e",
      "console.error(process.argv[1]); process.exit(3)",
      VALUE,
    ]).catch((error: unknown) => error);
    expect(ended).toMatchObject({ exitCode: 3, stderr: VALUE }); // it does hold it, more than once
    const issues = z.object({ [VALUE]: z.literal(TOKEN) }).safeParse({ [VALUE]: "other" }).error;
    expect(issues?.message).toContain(TOKEN);
    const many = new AggregateError([ended, issues, new Error(VALUE)], VALUE, {
      cause: new Error(TOKEN, { cause: VALUE }),
    });
    for (const err of [ended, issues, many]) log.error({ err }, "failed");
    expect(lines()).toHaveLength(3);
    expect(lines()[0]).toMatchObject({
      err: { exitCode: 3, message: expect.stringContaining("[redacted]") },
    });
    expect(lines()[2]).toMatchObject({
      err: {
        cause: { message: "[redacted]", cause: "[redacted]" },
        together: [{ exitCode: 3 }, {}, { message: "[redacted]" }],
      },
    });
    expect(text()).not.toMatch(/AAExample|Tr0ub4dor/);
  });

  test("any value at all", () => {
    const { log, lines, text } = captureLog({ secretValues: [VALUE] });
    const value = fc.anything({
      key: fc.oneof(fc.string(), fc.constant(VALUE)),
      values: [fc.string(), fc.constant(VALUE), fc.integer()],
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      withSparseArray: true,
      withObjectString: true,
      withBoxedValues: true,
    });
    let written = 0;
    fc.assert(
      fc.property(value, value, (one, other) => {
        log.info({ one }, "%o", other as object);
        written += 1;
      }),
      { numRuns: 500 },
    );
    expect(lines()).toHaveLength(written);
    expect(text()).not.toContain(VALUE);
  });
});

test("of a text of any length only its beginning is looked through and shown", () => {
  const { log, lines } = captureLog({ secretValues: [VALUE] });
  const timeOf = (length: number): number => {
    const text = `${VALUE} `.repeat(Math.ceil(length / (VALUE.length + 1)));
    const before = process.cpuUsage();
    log.info({ text }, "long");
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
  timeOf(1_000_000);
  const [short, long] = [timeOf(1_000_000), timeOf(64_000_000)];
  expect(long, `${short} ms for a megabyte`).toBeLessThan(20 * short + 200); // 64 times as much would be looked at
  for (const { text } of lines()) expect(String(text).length).toBeLessThan(8_300);
});
