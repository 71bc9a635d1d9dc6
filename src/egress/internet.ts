import { lookup } from "node:dns/promises";
import { connect } from "node:net";
import type { Internet } from "../domain/net.ts";

/** The real one: the system's resolver and its network. */
export const systemInternet: Internet = {
  lookup: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  connect: ({ address, port }) => connect({ host: address, port, allowHalfOpen: true }),
};
