import { expect, test } from "vitest";
import { turnsBench } from "../support/turns.ts";

const at = (n: number) => ({ host: `h${n}.example.com`, port: 443 });

test("a program that gives up each name and takes the next is asked about only so often in a turn", async () => {
  const { asked, events, submit } = turnsBench();
  submit("go");
  const { net, end } = await asked();
  for (let n = 0; n < 200; n += 1) {
    const gone = new AbortController();
    const verdict = net.mayConnect(at(n), gone.signal);
    gone.abort();
    expect((await verdict).kind).toBe("deny");
  }
  expect(events.filter(({ type }) => type === "tool.asked")).toHaveLength(40);
  expect(events.filter(({ type }) => type === "net.refused")).toHaveLength(100);
  end();
});
