import { randomUUID } from "node:crypto";
import { createClaudeRunner } from "../../src/claude/runner.ts";
import type { ClaudeSession } from "../../src/claude/types.ts";
import { createPriceTable } from "../../src/egress/prices.ts";
import { BARE_WORKSHOP, type Jail } from "../../src/jail/jail.ts";
import type { Logger } from "../../src/log/logger.ts";
import { startTurn } from "../claude/house.ts";
import type { TestProxy } from "../claude/test-proxy.ts";
import { type BareCli, POLICY, SETTINGS } from "./cli.ts";
import type { World } from "./world.ts";

interface ProductDeps {
  readonly world: World;
  readonly jail: Jail;
  readonly apiSocket: string;
  readonly proxy: TestProxy;
  readonly log: Logger;
}

/** The CLI as the daemon itself runs it, for a person who allows whatever he is asked about. */
export function startProduct({ world, jail, apiSocket, proxy, log }: ProductDeps): BareCli {
  const runner = createClaudeRunner({
    jail,
    settings: SETTINGS,
    policy: POLICY,
    apiSocket,
    priceOf: createPriceTable().priceOf,
    netPort: null,
    netSocket: apiSocket, // leads nowhere: the way out has tests of its own
    localPorts: [],
    openLease: proxy.openLease,
    log,
    now: Date.now,
  });
  const session: ClaudeSession = {
    conversationKey: "7:0",
    userId: 1,
    project: world.project,
    configDir: world.configDir,
    workshop: BARE_WORKSHOP,
    sessionId: randomUUID(),
    isResume: false,
  };
  return {
    prompt: async (text) => {
      const turn = startTurn(runner, session, text, {
        decide: async ({ input }) => ({ kind: "allow", input }),
      });
      const { end } = await turn.done;
      if (end.outcome.kind !== "completed") throw new Error(`The turn ended: ${JSON.stringify(end.outcome)}`);
    },
    close: runner.close,
  };
}
