import type { NetPolicy, NetVerdict } from "../domain/net.ts";

/** A policy that counts who waits for its verdicts: that is waiting for a person, and no silence of the CLI's. */
export interface WaitingNet {
  readonly policy: NetPolicy;
  readonly count: () => number;
}

/** `onChange` is called after each change of the count. */
export function countWaiting(policy: NetPolicy, onChange: () => void): WaitingNet {
  let waiting = 0;

  async function counted(verdict: Promise<NetVerdict>): Promise<NetVerdict> {
    waiting += 1;
    onChange();
    try {
      return await verdict;
    } finally {
      waiting -= 1;
      onChange();
    }
  }

  return {
    count: () => waiting,
    policy: {
      mayConnect: (target, signal) => counted(policy.mayConnect(target, signal)),
      mayFetch: (remote, signal) => counted(policy.mayFetch(remote, signal)),
      mayPush: (remote, updates, signal) => counted(policy.mayPush(remote, updates, signal)),
      onTunnel: policy.onTunnel,
      onRefused: policy.onRefused,
      onPushed: policy.onPushed,
    },
  };
}
