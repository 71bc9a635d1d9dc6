/** The daemon as it is, which once it runs meets a fault of the kind that TEST_CRASH names, with the bot token in it. */
const token = process.env.TELEGRAM_BOT_TOKEN ?? "";
const address = `https://api.telegram.org/bot${token}/getMe`;

const faults: Readonly<Record<string, () => void>> = {
  thrown: () => {
    throw new TypeError(`request to ${address} failed`, { cause: new Error(token) });
  },
  rejected: () => void Promise.reject(new AggregateError([new Error(address)], token)),
  "no error": () => {
    throw `a text: ${token}`;
  },
  unreadable: () => {
    throw Object.defineProperty(new Error("x"), "stack", {
      get: () => {
        throw new Error(token);
      },
    });
  },
  "in a stack": () => {
    const named = { [token]: () => Reflect.apply(Array.prototype.map, null, []) }[token];
    named?.();
  },
};

const timer = setInterval(() => {
  if (process.listenerCount("uncaughtException") === 0) return;
  clearInterval(timer);
  faults[process.env.TEST_CRASH ?? ""]?.();
}, 10);

await import("../../src/cli.ts");
