import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { PassThrough } from "node:stream";
import type { Jail } from "../../src/jail/jail.ts";

/** A line of the protocol. */
export type Line = Readonly<Record<string, unknown>>;

/** What becomes of the lines between the daemon and the real CLI; null is a line that is lost. */
export interface Wire {
  readonly toCli?: (line: Line) => Line | null;
  readonly fromCli?: (line: Line) => Line | null;
  /** Further arguments of the CLI's. */
  readonly args?: readonly string[];
}

/** A jail on whose wire lines are changed or lost. */
export function wired(jail: Jail, { toCli = same, fromCli = same, args = [] }: Wire): Jail {
  return {
    ...jail,
    start: async (request) => {
      const started = await jail.start({
        ...request,
        args: (inside) => [...request.args(inside), ...args],
      });
      const stdin = new PassThrough();
      const stdout = new PassThrough();
      const isIn = relay(stdin, toCli, (line) => started.stdin.write(line));
      const isOut = relay(started.stdout, fromCli, (line) => stdout.write(line));
      void isIn.then(() => started.stdin.end());
      void isOut.then(() => stdout.end());
      return { ...started, stdin, stdout };
    },
  };
}

/** A field of a line that is an object; an empty one when it is not. */
export function part(line: Line, field: string): Line {
  const value = line[field];
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** Resolves when all was passed on. */
function relay(
  from: Readable,
  change: (line: Line) => Line | null,
  write: (line: string) => void,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  createInterface({ input: from })
    .on("line", (text) => {
      const line = change(JSON.parse(text));
      if (line !== null) write(`${JSON.stringify(line)}\n`);
    })
    .on("close", resolve);
  return promise;
}

function same(line: Line): Line {
  return line;
}
