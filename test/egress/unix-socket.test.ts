import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, lstat, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listenOnSocket } from "../../src/egress/unix-socket.ts";

let folder: string;
const servers: Server[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sock-"));
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  await rm(folder, { recursive: true, force: true });
});

function newServer(): Server {
  const server = createServer();
  servers.push(server);
  return server;
}

const modeOf = async (path: string) => (await lstat(path)).mode & 0o777;

test("the socket is 0600 in a folder 0700, which is made when missing", async () => {
  const path = join(folder, "a", "b", "api.sock");
  await listenOnSocket(newServer(), path);
  expect(await modeOf(path)).toBe(0o600);
  expect(await modeOf(join(folder, "a", "b"))).toBe(0o700);
});

test("a folder that others may enter is refused, with what to do", async () => {
  await chmod(folder, 0o755);
  await expect(listenOnSocket(newServer(), join(folder, "api.sock"))).rejects.toMatchObject({
    code: "config_invalid",
    message: expect.stringContaining("chmod 700"),
  });
});

test("the socket of a daemon that was killed is replaced", async () => {
  const path = join(folder, "api.sock");
  const child = spawn(process.execPath, [
    "-e",
    `require("node:net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`,
  ]);
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "close");
  expect((await lstat(path)).isSocket()).toBe(true);
  await listenOnSocket(newServer(), path);
  expect(await modeOf(path)).toBe(0o600);
});

test("H82: the socket of a daemon that lives is left alone", async () => {
  const path = join(folder, "api.sock");
  await listenOnSocket(newServer(), path);
  await expect(listenOnSocket(newServer(), path)).rejects.toMatchObject({ code: "already_running" });
  expect((await lstat(path)).isSocket()).toBe(true);
});

test("a file in the socket's place is not removed", async () => {
  const path = join(folder, "api.sock");
  await writeFile(path, "mine");
  await expect(listenOnSocket(newServer(), path)).rejects.toMatchObject({ code: "config_invalid" });
  expect((await lstat(path)).isFile()).toBe(true);
});

test("103 bytes of path are listened on, 104 are refused and said", async () => {
  const fill = (bytes: number) => join(folder, "x".repeat(bytes - Buffer.byteLength(folder) - 1));
  await listenOnSocket(newServer(), fill(103));
  await expect(listenOnSocket(newServer(), fill(104))).rejects.toMatchObject({
    code: "config_invalid",
    message: expect.stringContaining("got 104"),
  });
});
