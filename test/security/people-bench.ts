import type { Config } from "../../src/config/config.ts";
import type { AuditEvent } from "../../src/domain/audit-event.ts";
import { type Access, createAccess } from "../../src/security/invitations.ts";
import { createPeople, type People } from "../../src/security/people.ts";
import type { Store } from "../../src/store/store.ts";
import { testClock, testStore } from "../support/store.ts";

export const HOUR_MS = 3_600_000;
export const SECRET = "a-secret-of-thirty-two-characters";

/** The people of some settings, with their logins in a database of their own. */
export interface PeopleBench {
  readonly people: People;
  readonly access: Access;
  readonly store: Store;
  readonly clock: ReturnType<typeof testClock>;
  readonly events: AuditEvent[];
  /** The same events, with whose they are. */
  readonly records: { readonly event: AuditEvent; readonly who: object }[];
  /** The same people by the settings of another start. */
  readonly restart: (
    settings: Partial<Config["access"]>,
    secret?: string | null,
  ) => Omit<PeopleBench, "restart">;
}

export function peopleBy(settings: Partial<Config["access"]>, secret: string | null = SECRET): PeopleBench {
  const clock = testClock();
  const store = testStore(clock);
  const events: AuditEvent[] = [];
  const records: PeopleBench["records"] = [];

  function start(changed: Partial<Config["access"]>, key: string | null) {
    const access: Config["access"] = {
      allowedUsers: [],
      ownerUsers: [],
      allowedChats: [],
      takesTokens: false,
      needsToken: false,
      sessionMs: 168 * HOUR_MS,
      ...changed,
    };
    const people = createPeople({ access, logins: store.logins, now: clock });
    const record = (event: AuditEvent, who: object): void => {
      events.push(event);
      records.push({ event, who });
    };
    return {
      people,
      access: createAccess({ access, secret: key, store, people, record, now: clock }),
      store,
      clock,
      events,
      records,
    };
  }

  return { ...start(settings, secret), restart: (changed, key = secret) => start(changed, key) };
}
