import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createFetchFile } from "../../src/telegram/fetch-file.ts";
import { canMount, smallDisk } from "../support/small-disk.ts";
import { tempDir } from "../support/temp.ts";

const TOKEN = "123456:test-token-of-thirty-characters-or-more";
const MAX = 1024 * 1024;

interface FarSide {
  readonly path?: string | undefined;
  readonly size?: number | undefined;
  readonly serve?: (out: ServerResponse, attempt: number) => void;
  /** Where the file goes, in place of a folder of its own. */
  readonly place?: string;
  /** Is given each address that is asked for. */
  readonly asked?: string[];
}

/** Fetches one file from a server that does as it likes. */
async function fetchFrom(
  {
    path = "documents/file_1.txt",
    size,
    serve = (out) => out.end("content"),
    place = join(tempDir(), "file"),
    asked = [],
  }: FarSide,
  signal = new AbortController().signal,
) {
  const server = createServer((request, out) => {
    asked.push(request.url ?? "");
    serve(out, asked.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const apiRoot = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  const fetchFile = createFetchFile({
    getFile: async () => ({ file_path: path, file_size: size }),
    apiRoot,
    token: TOKEN,
    timeoutMs: 2_000,
  });
  const end = await fetchFile("f", { place, maxBytes: MAX, signal });
  return { end, asked, place };
}

test("a file is written whole, for its owner's eyes only, with its digest", async () => {
  const content = randomBytes(300_000);
  const { end, asked, place } = await fetchFrom({ size: content.length, serve: (out) => out.end(content) });
  const sha256 = createHash("sha256").update(content).digest("hex");
  expect(end).toEqual({ kind: "fetched", bytes: 300_000, sha256 });
  expect(readFileSync(place)).toEqual(content);
  expect(statSync(place).mode & 0o777).toBe(0o600);
  expect(asked).toEqual([`/file/bot${TOKEN}/documents/file_1.txt`]);
});

test("H16: what is larger than it may be is cut off as it comes, whatever was declared", async () => {
  const endless = (out: ServerResponse): void => {
    out.writeHead(200);
    const more = (): void => {
      while (!out.destroyed && out.write(Buffer.alloc(65_536)));
      if (!out.destroyed) out.once("drain", more);
    };
    more();
  };
  for (const far of [
    { serve: endless },
    { size: 10, serve: endless },
    { size: MAX + 1 },
    { serve: (out: ServerResponse) => void out.writeHead(200, { "content-length": MAX + 1 }).write("x") },
  ]) {
    const { end, place } = await fetchFrom(far);
    expect(end).toEqual({ kind: "too_large" });
    expect(existsSync(place)).toBe(false);
  }
});

test("a file that comes in another size than was said, or is cut off, is tried again, and then a failure that names no token", async () => {
  const short = await fetchFrom({
    size: 100,
    serve: (out, attempt) => out.end("x".repeat(attempt === 2 ? 100 : 9)),
  });
  expect(short.end).toMatchObject({ kind: "fetched", bytes: 100 });
  expect(short.asked).toHaveLength(2);

  const cut = await fetchFrom({
    serve: (out) => out.writeHead(200, { "content-length": 50 }).write("half", () => out.destroy()),
  });
  expect(cut.end.kind).toBe("failed");
  expect(cut.asked).toHaveLength(3);
  expect(existsSync(cut.place)).toBe(false);
  expect(JSON.stringify(cut.end)).not.toContain("test-token");

  const refused = await fetchFrom({ serve: (out) => out.writeHead(404).end() });
  expect(refused).toMatchObject({ end: { kind: "failed", cause: "HTTP 404" }, asked: { length: 1 } });
});

test("a disk that does not take a file is told as what it is, is not tried again, and keeps nothing of it", async ({
  skip,
}) => {
  if (!canMount()) skip("this user may not mount a small disk");
  const folder = tempDir();
  const { fill, makeRoom } = smallDisk(folder, 1);
  fill();
  const asked: string[] = [];
  const place = join(folder, "file");
  const full = fetchFrom({ serve: (out) => out.end(randomBytes(300_000)), asked, place });
  await expect(full).rejects.toMatchObject({ name: "DiskError", code: "ENOSPC" });
  expect(asked).toHaveLength(1);
  expect(existsSync(place)).toBe(false);
  makeRoom();
  expect((await fetchFrom({ place })).end.kind).toBe("fetched");

  const nowhere = fetchFrom({ place: join(folder, "not-there", "file") });
  await expect(nowhere).rejects.toMatchObject({ name: "DiskError", code: "ENOENT" });
});

test.each(["/etc/passwd", "../secret", "documents/../../x", "https://example.com/x", "a b", ""])(
  "a path that is none of the Bot API's is not asked for: %j",
  async (path) => {
    const { end, asked } = await fetchFrom({ path });
    expect(end.kind).toBe("failed");
    expect(asked).toEqual([]);
  },
);

test("a silent server is given up, and a stop ends it at once", async () => {
  const stop = new AbortController();
  const silent = await fetchFrom({ serve: () => stop.abort() }, stop.signal);
  expect(silent.end.kind).toBe("failed");
  expect(silent.asked).toHaveLength(1);
});
