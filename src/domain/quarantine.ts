import type { ProjectEntry } from "./finding.ts";
import type { ConversationRef } from "./request.ts";

/**
 * `moving`: it is being taken out of the project. `held`: it lies in the quarantine and waits for an owner's word. `accepting`:
 * he took it, and it is put back as soon as nothing runs in the project. `accepted`: it is back. `dropped`: left out.
 */
export type QuarantineState = "moving" | "held" | "accepting" | "accepted" | "dropped";

/** A message that tells of things in quarantine; `hasKeys` where an owner can press. */
export interface QuarantineNotice {
  readonly outboxId: number;
  readonly conversation: ConversationRef;
  readonly hasKeys: boolean;
}

/** Something that was made in a project, that git or a tool would obey, and that was taken out of it. */
export interface Quarantined extends ProjectEntry {
  readonly id: number;
  /** The project, absolute. */
  readonly root: string;
  /** The last work that ran in the project; null when it is not known. */
  readonly workId: number | null;
  readonly state: QuarantineState;
  readonly notices: readonly QuarantineNotice[];
}
