import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { createServer } from "node:net";
import * as fc from "fast-check";
import { Api, BotError, GrammyError, HttpError } from "grammy";
import { describe, expect, test } from "vitest";
import { captureLog } from "./support.ts";

const TOKEN = `123456789:${"AAExample-bot_token".padEnd(35, "x")}`;
const LOGGER = new URL("../../src/log/logger.ts", import.meta.url).href;

/** The error that grammY ends with when nobody listens: its inner message holds the URL with the token. */
async function realHttpError(options: { sensitiveLogs: boolean }): Promise<HttpError> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  const port = typeof address === "object" && address ? address.port : 0;
  const api = new Api(TOKEN, { apiRoot: `http://127.0.0.1:${port}`, ...options });
  const error: unknown = await api.getMe().then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof HttpError)) throw new Error("expected grammY's HttpError");
  return error;
}

test("a line is JSON with ISO time, the level by name, the fields and a constant message", () => {
  const { log, lines, text } = captureLog();
  const security = { security: true, event: "auth.denied", userId: 7, risk: "medium", violationType: null };
  log.child({ room: "security" }).warn(security, "refused sender");
  expect(lines()).toEqual([
    {
      level: "warn",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      pid: process.pid,
      room: "security",
      ...security,
      msg: "refused sender",
    },
  ]);
  expect(text()).toMatch(/^\{.*\}\n$/);
});

test("lines below the level are not written", () => {
  const { log, lines } = captureLog({ level: "warn" });
  log.info({}, "less");
  log.error({}, "more");
  expect(lines().map(({ msg }) => msg)).toEqual(["more"]);
});

describe("H23: the bot token does not reach the log", () => {
  test.each([true, false])(
    "in a real HttpError of grammY (sensitiveLogs %s), known or not",
    async (sensitiveLogs) => {
      const error = await realHttpError({ sensitiveLogs });
      expect(error.error).toMatchObject({ message: expect.stringContaining(TOKEN) });
      for (const secretValues of [[TOKEN], []]) {
        const { log, text, lines } = captureLog({ secretValues });
        log.error({ err: error }, "sending failed");
        log.error(error);
        log.error(
          { nested: { deep: [error, String(error.error)] }, error, cause: error.error },
          `failed: ${String(error.error)}`,
        );
        log.child({ err: error, url: `https://api.telegram.org/bot${TOKEN}/getMe` }).info("child");
        log.info("%s and %o", TOKEN, { token: TOKEN });
        log.info({ [TOKEN]: 1, stack: new Error(TOKEN).stack });
        expect(text()).not.toContain("AAExample");
        expect(lines()).toHaveLength(6);
        expect(lines()[0]).toMatchObject({
          msg: "sending failed",
          err: {
            type: "HttpError",
            cause: {
              type: "FetchError",
              code: "ECONNREFUSED",
              message: expect.stringContaining("[redacted]"),
            },
          },
        });
      }
    },
  );

  test("in errors that cause each other, and in what an AggregateError holds", () => {
    const { log, text, lines } = captureLog();
    const inner = new Error(`GET /bot${TOKEN}/getMe`);
    const outer: Error & { cause?: unknown } = new Error("outer", {
      cause: new AggregateError([inner], "several", { cause: inner }),
    });
    inner.cause = outer;
    log.error({ err: outer }, "failed");
    expect(lines()[0]).toMatchObject({
      err: {
        message: "outer",
        cause: { message: "several", together: [{ message: "GET /bot[redacted]/getMe" }] },
      },
    });
    expect(text()).not.toContain("AAExample");
  });

  test("a secret stays hidden whatever surrounds it, and the line stays JSON", () => {
    const secrets = ["nSecret-Value", "u0041bcdefgh", 'quo"te\\back', "secret value"];
    const { log, last } = captureLog({ secretValues: secrets });
    const piece = fc.oneof(
      fc.constantFrom(...secrets, "\n", "\\", '"', "\\u"),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.array(piece), (message, field) => {
        log.info({ field: field.join(""), [`key ${field.join("")}`]: [message.join("")] }, message.join(""));
        const shown = JSON.stringify(last());
        expect(secrets.filter((secret) => shown.includes(JSON.stringify(secret).slice(1, -1)))).toEqual([]);
      }),
    );
  });

  test("a secret at the place where a long text is cut is hidden whole", () => {
    const { log, lines, text } = captureLog({ secretValues: [TOKEN] });
    for (const room of [8150, 8170, 8185, 8191])
      log.info({ long: `${"x ".repeat(room / 2)}${TOKEN}${"y".repeat(9000)}` });
    expect(text()).not.toContain("AAEx");
    expect(text()).not.toContain("123456");
    for (const { long } of lines()) expect(String(long).length).toBeLessThan(8250);
  });
});

describe("prompts, answers and output stay out of what is logged about an error", () => {
  test("grammY's payload and context", () => {
    const { log, lines, text } = captureLog();
    const failure = {
      ok: false,
      error_code: 400,
      description: "Bad Request: too long",
      parameters: {},
    } as const;
    const error = new GrammyError("Call to 'sendMessage' failed!", failure, "sendMessage", {
      text: "the answer",
    });
    const context = { update: { message: { text: "the prompt" } } };
    log.error({ err: Reflect.construct(BotError, [error, context]) }, "middleware failed");
    expect(text()).not.toMatch(/the answer|the prompt/);
    expect(lines()[0]).toMatchObject({
      err: { type: "BotError", cause: { type: "GrammyError", method: "sendMessage", error_code: 400 } },
    });
  });

  test("a command's output, which execa puts in message and stack", () => {
    const { log, lines, text } = captureLog();
    const error = Object.assign(new Error("Command failed: x\nthe output\n    more"), {
      shortMessage: "Command failed: x",
      stdout: "the output",
      exitCode: 3,
    });
    log.warn({ err: error }, "ended");
    log.warn({ err: error });
    log.warn(error);
    expect(text()).not.toContain("the output");
    expect(lines().map(({ msg }) => msg)).toEqual(["ended", "Command failed: x", "Command failed: x"]);
    expect(lines()[0]).toMatchObject({
      err: { exitCode: 3, stack: expect.stringMatching(/^\s+at .*logger\.test/) },
    });
  });
});

test("what a terminal would act upon is made visible", () => {
  const { log, lines } = captureLog();
  log.info({ name: "a\u001b[2J\u202eb\u009b\u0007\u{e0041}", keep: "x\n\ty é 😀" });
  expect(lines()[0]).toMatchObject({
    name: "a<U+001B>[2J<U+202E>b<U+009B><U+0007><U+E0041>",
    keep: "x\n\ty é 😀",
  });
});

describe("formats", () => {
  test("pretty is one readable line, without secrets and without colour off a terminal", () => {
    const { log, text } = captureLog({ format: "pretty", secretValues: ["hush-hush-hush"] });
    log.info({ event: "daemon.started", key: "hush-hush-hush\u001b[2J" }, "started");
    expect(text()).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: started\n/);
    expect(text()).toContain('event: "daemon.started"');
    expect(text()).toContain("[redacted]");
    expect(text()).not.toContain("\u001b");
    expect(text()).not.toContain("hush-hush-hush");
  });

  test("auto is pretty on a terminal and JSON elsewhere", () => {
    for (const [isTTY, isJson] of [
      [true, false],
      [false, true],
    ] as const) {
      const written: string[] = [];
      const { log } = captureLog({
        format: "auto",
        destination: { isTTY, write: (text) => written.push(text) },
      });
      log.info("started");
      expect(written.join("").startsWith("{")).toBe(isJson);
    }
  });
});

describe("standard output", () => {
  const start = (stdout: "pipe" | number, code: string) =>
    spawn(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `import { createLogger } from ${JSON.stringify(LOGGER)};
         const log = createLogger({ level: "info", format: "auto", secretValues: [] });
         ${code}`,
      ],
      { stdio: ["pipe", stdout, "pipe"] },
    );

  test("has every line when the process ends at once", async () => {
    const child = start(
      "pipe",
      `for (let n = 0; n < 2000; n += 1) log.info({ n }, "line"); process.exit(5);`,
    );
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    const [code] = await once(child, "close");
    expect(code).toBe(5);
    expect(
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).n),
    ).toEqual(Array.from({ length: 2000 }, (_, n) => n));
  });

  test.runIf(process.platform === "linux")(
    "that takes nothing, a full disk, does not end the process",
    async () => {
      const child = start(
        openSync("/dev/full", "w"),
        `for (let n = 0; n < 800; n += 1) log.info({ n, text: "x".repeat(8000) }, "line");
       setImmediate(() => process.exit(process.memoryUsage.rss() < 300e6 ? 6 : 7));`,
      );
      const [code] = await once(child, "close");
      expect(code).toBe(6);
    },
  );

  test("whose reader has gone does not end the process", async () => {
    const child = start(
      "pipe",
      `process.stdin.on("data", () => { for (let n = 0; n < 100; n += 1) log.info({ n }, "line"); setImmediate(() => process.exit(6)); });
       log.info("ready");`,
    );
    if (child.stdout) await once(child.stdout, "data");
    child.stdout?.destroy();
    child.stdin?.write("go\n");
    const [code] = await once(child, "close");
    expect(code).toBe(6);
  });
});
