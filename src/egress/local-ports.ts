import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { listenOnSocket } from "./unix-socket.ts";

const MAX_CONNECTIONS = 128;

/** Loopback ports of this machine, each behind a unix socket that can be bound into a jail. */
export interface LocalPorts {
  readonly ports: readonly { readonly port: number; readonly socket: string }[];
  /** Ends all connections and removes the sockets. */
  readonly close: () => Promise<void>;
}

/**
 * Opens a unix socket in `folder` for each port, which leads to 127.0.0.1 at that port and nowhere else. A raw port bears no
 * token: whoever has the socket, which is any jail, reaches it, also between turns. Rejects as `listenOnSocket`.
 */
export async function openLocalPorts(folder: string, ports: readonly number[]): Promise<LocalPorts> {
  const servers: Server[] = [];
  const open = new Set<Socket>();
  const opened = [];
  for (const port of ports) {
    const socket = join(folder, `port-${port}.sock`);
    const server = createServer({ allowHalfOpen: true }, (client) => void carry(client, port));
    server.maxConnections = MAX_CONNECTIONS;
    servers.push(server);
    await listenOnSocket(server, socket);
    opened.push({ port, socket });
  }

  async function carry(client: Socket, port: number): Promise<void> {
    const service = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    for (const side of [client, service]) open.add(side);
    await Promise.allSettled([pipeline(client, service), pipeline(service, client)]);
    for (const side of [client, service]) {
      side.destroy();
      open.delete(side);
    }
  }

  return {
    ports: opened,
    close: async () => {
      const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      for (const side of open) side.destroy();
      await Promise.all(closed);
    },
  };
}
