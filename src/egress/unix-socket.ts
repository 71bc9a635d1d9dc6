import { chmod, lstat, mkdir, unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";
import { AppError, isErrno } from "../domain/errors.ts";

/** Addresses of unix sockets hold 104 bytes on macOS and 108 on Linux, the closing zero included. */
const MAX_PATH_BYTES = 103;

/**
 * Makes the server listen on a unix socket that only this user can reach: file 0600 in a folder 0700, which is made when
 * missing. A socket file that nobody listens on any more is replaced. Rejects with `config_invalid` when the path is too
 * long, is taken by something else or lies in a folder that others may enter, and with `already_running` when somebody answers on it.
 */
export async function listenOnSocket(server: Server, socketPath: string): Promise<void> {
  const bytes = Buffer.byteLength(socketPath);
  if (bytes > MAX_PATH_BYTES) {
    throw new AppError(
      "config_invalid",
      `Expected a socket path of at most ${MAX_PATH_BYTES} bytes, got ${bytes}: choose a shorter SALLYPORT_HOME`,
    );
  }
  await checkFolder(dirname(socketPath));
  await removeStale(socketPath);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, () => {
      server.off("error", reject);
      resolve();
    });
  });
  await chmod(socketPath, 0o600);
}

async function checkFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = await lstat(folder);
  const isOurs = process.getuid === undefined || uid === process.getuid();
  if ((mode & 0o077) === 0 && isOurs) return;
  throw new AppError(
    "config_invalid",
    `Expected the socket's folder ${folder} to be this user's with mode 0700, got mode ${(mode & 0o777).toString(8)}: run chmod 700 on it`,
  );
}

async function removeStale(socketPath: string): Promise<void> {
  const stats = await lstat(socketPath).catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return null; // nothing there: the usual case
    throw error;
  });
  if (stats === null) return;
  if (!stats.isSocket()) {
    throw new AppError(
      "config_invalid",
      `Expected nothing or an old socket at ${socketPath}, found a file: move it away`,
    );
  }
  if (await isAnswered(socketPath)) {
    throw new AppError(
      "already_running",
      `Somebody is listening on ${socketPath}: stop the other daemon first`,
    );
  }
  await unlink(socketPath);
}

function isAnswered(socketPath: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => {
      if (isErrno(error, "ECONNREFUSED") || isErrno(error, "ENOENT")) resolve(false);
      else reject(error);
    });
  });
}
