import type { Owners } from "../../src/domain/person.ts";
import type { Admission } from "../../src/turns/expel.ts";

/** The owners are these and nobody else. */
export function ownersOf(...ids: readonly number[]): Owners {
  return { has: (userId) => ids.includes(userId), all: () => ids };
}

/** Everybody may come in, for ever. */
export const EVERYBODY: Admission = {
  isAdmitted: () => true,
  all: () => [],
  canChange: false,
  isOverdue: () => false,
  sweep: () => () => undefined,
};
