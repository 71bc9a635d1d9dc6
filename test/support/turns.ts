import { randomUUID } from "node:crypto";
import { onTestFinished } from "vitest";
import type { ClaudeTurn } from "../../src/claude/types.ts";
import type { ApprovedPath } from "../../src/domain/approved-path.ts";
import type { AuditEvent } from "../../src/domain/audit-event.ts";
import type { ClaudeTurnEnd } from "../../src/domain/claude-event.ts";
import type { Now } from "../../src/domain/clock.ts";
import type { TurnReport } from "../../src/domain/turn-event.ts";
import type { Work } from "../../src/domain/work.ts";
import { BARE_WORKSHOP, type Workshop } from "../../src/jail/jail.ts";
import { createLogger } from "../../src/log/logger.ts";
import type { Reservation } from "../../src/security/limit-cost.ts";
import type { Store } from "../../src/store/store.ts";
import type { CutOff, Presenter } from "../../src/turns/presenter.ts";
import { createTurns, type Turns, type TurnsDeps } from "../../src/turns/turns.ts";
import { EVERYBODY } from "./people.ts";
import { testClock, testStore } from "./store.ts";

/** A turn that the far side is asked to run, with the means to end it. */
export interface AskedTurn extends ClaudeTurn {
  readonly end: (end?: Partial<ClaudeTurnEnd>) => void;
  /** Makes the runner reject, which it never should. */
  readonly reject: (error: Error) => void;
}

export interface TurnsBench {
  readonly store: Store;
  readonly turns: Turns;
  readonly events: AuditEvent[];
  readonly shown: string[];
  readonly reports: TurnReport[];
  /** What was told with each offer of a work that was cut off. */
  readonly cutOffs: CutOff[];
  /** The next turn that Claude is asked to run. */
  readonly asked: () => Promise<AskedTurn>;
  /** Of person 7 unless another is named. */
  readonly submit: (text: string, chatId?: number, userId?: number) => Work;
  /** Waits until the condition holds. */
  readonly until: (condition: () => boolean) => Promise<void>;
}

interface BenchOptions {
  /** Runs the turns in place of the scripted far side; then `asked` gives nothing. */
  readonly claude?: TurnsDeps["claude"];
  readonly project?: ApprovedPath;
  readonly git?: TurnsDeps["git"];
  readonly allowedHosts?: TurnsDeps["allowedHosts"];
  readonly configDir?: string;
  readonly store?: Store;
  readonly reserve?: (userId: number) => Reservation;
  readonly approvalTimeoutMs?: number;
  /** A screen of its own instead of the one that notes what it is told. */
  readonly presenter?: Presenter;
  readonly now?: Now;
  readonly isLocked?: () => boolean;
  readonly files?: TurnsDeps["files"];
  readonly workshop?: Workshop;
  readonly record?: TurnsDeps["record"];
  /** Who may come in: everybody, unless given. */
  readonly admission?: TurnsDeps["admission"];
}

/** From this age on nothing runs by itself. */
export const STALE_AFTER_MS = 900_000;

const END: ClaudeTurnEnd = {
  outcome: { kind: "completed", text: "done" },
  model: "m",
  turnCostMicroUsd: 100,
  isResumable: true,
};

/** Turns on a real store, with a scripted far side in Claude's place and a screen that notes what it is told. */
export function turnsBench(options: BenchOptions = {}): TurnsBench {
  const store = options.store ?? testStore();
  const events: AuditEvent[] = [];
  const shown: string[] = [];
  const reports: TurnReport[] = [];
  const cutOffs: CutOff[] = [];
  const asked: AskedTurn[] = [];
  let outbox = 0;

  const claude: TurnsDeps["claude"] = options.claude ?? {
    run: (turn) => {
      const { promise, resolve, reject } = Promise.withResolvers<ClaudeTurnEnd>();
      turn.onPrompting(turn.session.isResume);
      turn.signal.addEventListener("abort", () =>
        resolve({ ...END, outcome: { kind: "stopped" }, turnCostMicroUsd: null }),
      );
      asked.push({ ...turn, end: (end = {}) => resolve({ ...END, ...end }), reject });
      return promise;
    },
    forget: async () => undefined,
    forgetAll: async () => void shown.push("all warm processes end"),
  };
  const note = (line: string): number => {
    shown.push(line);
    outbox += 1;
    return outbox;
  };
  const presenter: Presenter = options.presenter ?? {
    accepted: (work, { ahead, heldBy, isLocked }) =>
      note(`accepted ${work.text} ahead=${ahead} held=${heldBy?.text ?? "no"}${isLocked ? " locked" : ""}`),
    open: () => ({ show: () => undefined, finish: (report) => void reports.push(report) }),
    askTool: (_, approval) => note(`ask ${approval.toolName} ${approval.id}`),
    askQuestion: (_, approval, { question, chosen }) =>
      note(`question ${approval.id} ${question.question} [${chosen.join()}]`),
    settled: (_, approval, end) => void note(`settled ${approval.id} ${end}`),
    interrupted: (work, cutOff) => {
      note(`interrupted ${work.text}`);
      cutOffs.push(cutOff);
    },
    askAgain: (work, cutOff) => {
      note(`asked again ${work.text}`);
      cutOffs.push(cutOff);
    },
    setAside: (work) => void note(`set aside ${work.text}`),
    offer: (work, { ageMs, all }) =>
      note(`offer ${work.text} ${ageMs / 1000} s [${all.map(({ text }) => text).join()}]`),
    offerTaken: (work, choice) => void note(`taken ${work.text} ${choice}`),
    recall: (work) => void note(`recall ${work.text}`),
    accessLimited: (work) => void shown.push(`limited ${work.text}`),
    modelRefused: (_, model) => void note(`owners: ${model} refused`),
    jailLost: () => undefined,
    fileRefused: (_, { name, reason }) => void note(`file ${name} refused: ${reason}`),
    unlocked: () => void note("unlocked"),
    dropped: (work) => void note(`dropped ${work.text}`),
    waitsForMoney: (work) => void note(`waits ${work.text}`),
    quarantined: () => [],
    notReturned: () => undefined,
    unseen: () => undefined,
    unpaid: (work) => void note(`unpaid ${work.text}`),
  };
  const turns = createTurns({
    store,
    claude,
    presenter,
    watch: { during: ({ run }) => run(), decide: () => "late", recover: () => undefined },
    now: options.now ?? testClock(),
    newUuid: randomUUID,
    record: (event, who) => {
      events.push(event);
      options.record?.(event, who);
    },
    isLocked: options.isLocked ?? (() => false),
    reserve: options.reserve ?? (() => ({ kind: "ok", reservedMicroUsd: 5_000_000 })),
    accessFaults: async () => [],
    isEquivalent: false,
    resolveProject: async (name) => options.project ?? (`/projects/${name}` as ApprovedPath),
    git: options.git ?? { remotes: async () => [], commits: async () => [], isForced: async () => false },
    isOwner: (userId) => userId === 7,
    admission: options.admission ?? EVERYBODY,
    allowedHosts: options.allowedHosts ?? [],
    workshopOf: async () => options.workshop ?? BARE_WORKSHOP,
    files: options.files ?? {
      receive: async () => ({ kind: "failed", cause: "no files in this test" }),
      discard: async () => undefined,
      shownAt: async (folder) => folder,
    },
    configDirOf: async (userId, project) => options.configDir ?? `/config/${userId}/${project}`,
    summarise: (name) => name,
    approvalTimeoutMs: options.approvalTimeoutMs ?? 60_000,
    staleAfterMs: STALE_AFTER_MS,
    log: createLogger({ level: "silent", format: "json", secretValues: [] }),
  });
  onTestFinished(() => turns.close());

  const until = async (condition: () => boolean): Promise<void> => {
    const deadline = performance.now() + 5_000;
    while (!condition()) {
      if (performance.now() > deadline)
        throw new Error(`still not so after 5 s; shown:\n${shown.join("\n")}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  return {
    store,
    turns,
    events,
    shown,
    reports,
    cutOffs,
    until,
    asked: async () => {
      await until(() => asked.length > 0);
      return asked.shift() as AskedTurn;
    },
    submit: (text, chatId = 7, userId = 7) =>
      store.transaction(() => {
        const conversation = store.conversations.at({ chatId, threadId: null });
        store.conversations.setProject(conversation.id, "p");
        const dedupeKey = `test:${text}`;
        const draft = {
          dedupeKey,
          conversationId: conversation.id,
          userId,
          project: "p",
          text,
          messageId: 1,
        };
        const work = turns.submit(draft);
        if (!work) throw new Error("submitted before");
        return work;
      }),
  };
}
