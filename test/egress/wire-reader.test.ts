import { expect, onTestFinished, test } from "vitest";
import { createWireReader } from "../../src/egress/wire-reader.ts";
import { readWireRequest } from "../../src/egress/wire-request.ts";

const LARGE = 24 * 1024 * 1024;

function reader() {
  const made = createWireReader();
  onTestFinished(() => made.close());
  return made;
}

function bodyOf(request: object, size: number): Buffer {
  return Buffer.from(
    JSON.stringify({
      model: "m",
      max_tokens: 1,
      messages: [{ role: "user", content: "x".repeat(size) }],
      ...request,
    }),
  );
}

test.each([
  ["a small body", {}, 10],
  ["a large body", {}, 2_000_000],
  ["a large body that is refused", { container: "c" }, 2_000_000],
])("%s is read as it is anywhere else", async (_, request, size) => {
  const bytes = bodyOf(request, size);
  const expected = readWireRequest(bytes);
  expect(await reader().read(bytes)).toEqual(expected);
});

test("a body of the largest size, made to be slow, does not hold up the daemon", async () => {
  const hostile = Buffer.from(
    `{"model":"m","messages":[${'{"content":"x"},'.repeat(LARGE / 16)}{"content":"x"}]}`,
  );
  const { read } = reader();
  let turns = 0;
  let ticking = true;
  const tick = (): void => {
    turns += 1;
    if (ticking) setImmediate(tick);
  };
  setImmediate(tick);
  const reading = read(hostile);
  expect((await reading).kind).toBe("read");
  ticking = false;
  expect(turns, "turns of the event loop while the body was read").toBeGreaterThan(10);
});

test("whoever waits is told when the thread ends", async () => {
  const made = reader();
  const reading = made.read(bodyOf({}, LARGE));
  await made.close();
  await expect(reading).rejects.toThrow("the thread that reads requests ended");
});
