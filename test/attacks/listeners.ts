import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer, type ListenOptions, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

/** Where somebody listens who must not be reached. What was sent to any of them is kept. */
export interface FarListeners {
  readonly loopbackPort: number;
  /** An address of this machine beside loopback, with its port; null where there is none. */
  readonly outside: { readonly host: string; readonly port: number } | null;
  readonly udpPort: number;
  readonly unixPath: string;
  /** Without the leading NUL. */
  readonly abstractName: string;
  readonly heard: () => string;
  readonly close: () => Promise<void>;
}

/** Listens everywhere; the unix socket lies in `folder`. */
export async function listenAll(folder: string): Promise<FarListeners> {
  let heard = "";
  const servers: Server[] = [];
  const listen = async (at: ListenOptions) => {
    const server = createServer((socket) =>
      socket
        .on("error", () => undefined)
        .on("data", (chunk) => {
          heard += `${chunk.toString()}\n`;
        }),
    );
    servers.push(server);
    server.listen(at);
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" ? (address?.port ?? 0) : 0;
  };
  const unixPath = join(folder, "run/daemon.sock");
  mkdirSync(join(folder, "run"), { recursive: true, mode: 0o700 });
  const abstractName = `attacks-${process.pid}-${folder.replaceAll("/", "-")}`.slice(0, 90);
  const host = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === "IPv4" && !one.internal)?.address;
  const udp = createSocket("udp4").on("message", (data) => {
    heard += `${data.toString()}\n`;
  });
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  await listen({ path: unixPath });
  await listen({ path: `\0${abstractName}` });
  return {
    loopbackPort: await listen({ host: "127.0.0.1", port: 0 }),
    outside: host === undefined ? null : { host, port: await listen({ host, port: 0 }) },
    udpPort: udp.address().port,
    unixPath,
    abstractName,
    heard: () => heard,
    close: async () => {
      udp.close();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}
