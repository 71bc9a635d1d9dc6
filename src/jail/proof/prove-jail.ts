import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Now } from "../../domain/clock.ts";
import { AppError, messageOf } from "../../domain/errors.ts";
import { type Identity, STRANGER } from "../identity.ts";
import type { Jail } from "../jail.ts";
import { type Arena, createArena } from "./arena.ts";
import { type Attempt, commonAttempts } from "./attempts.ts";
import { attemptsOfSystem } from "./attempts-of-system.ts";
import { type Act, type Answer, attempt } from "./probe.ts";

const PROBE = join(import.meta.dirname, `probe${extname(import.meta.filename)}`);
const DEADLINE_MS = 20_000;
const NO_ANSWER: Answer = { isDone: false, code: "no answer" };

/**
 * What became of an attempt. `held`: it succeeds without the jail, and not in it. `through`: it succeeded in the jail.
 * `unproved`: nothing is known, which counts like through. `untried`: this machine or user cannot do it anyway.
 */
export interface ProofLine {
  readonly name: string;
  readonly outcome: "held" | "works" | "through" | "unproved" | "untried";
  /** Why it is not held; empty when it is. */
  readonly why: string;
}

/** What the self-test is run with. */
export interface ProofDeps {
  readonly jail: Pick<Jail, "start" | "dropsRoot">;
  /** SALLYPORT_HOME; the throw-away project is made in it. */
  readonly home: string;
  readonly platform: NodeJS.Platform;
  readonly now: Now;
  /** Aborted = the daemon ends: what is left unanswered then says nothing. */
  readonly signal: AbortSignal;
}

/**
 * The escape self-test: tries to get out of the jail in every way that is known, in a project of its own, and shows of each
 * that it succeeds without the jail, since else it would prove nothing. A jail that drops root is proved twice: as it is in
 * root's own projects, and in those of somebody else. Never reaches a machine outside. Does not throw
 * for what it finds, but for a jail that does not start.
 * @throws AppError `sandbox_broken`, and `sandbox_missing` with its mend.
 */
export async function proveJail(deps: ProofDeps): Promise<readonly ProofLine[]> {
  const own = await proveAs(null, deps);
  if (deps.jail.dropsRoot !== true) return own;
  const dropped = await proveAs(STRANGER, deps);
  return [...own, ...dropped.map((line) => ({ ...line, name: `${line.name}, as another user` }))];
}

async function proveAs(
  owner: Identity | null,
  { jail, home, platform, now, signal }: ProofDeps,
): Promise<readonly ProofLine[]> {
  await using arena = await createArena({ folder: join(home, "proof"), platform, now, owner });
  const attempts = [...commonAttempts(arena, home), ...attemptsOfSystem(arena, platform)];
  const [controls, answers] = await Promise.all([
    Promise.all(attempts.map(({ act }) => attempt(act(arena.control)))),
    answersInJail({ jail, arena, attempts, signal }),
  ]);
  return [
    lineOfWayIn(answers.apiSocket, arena),
    ...attempts.map((each, index) =>
      judge(each, arena, { control: controls[index] ?? NO_ANSWER, answer: answers.acts[index] ?? NO_ANSWER }),
    ),
  ];
}

/**
 * Says that a jail is proved.
 * @throws AppError `sandbox_broken` that names what is not held, first what got through.
 */
export function assertProved(lines: readonly ProofLine[]): void {
  const broken = lines.filter(({ outcome }) => outcome === "through" || outcome === "unproved");
  const [first] = broken.toSorted((a, b) => a.outcome.localeCompare(b.outcome));
  if (first === undefined) return;
  const more = broken.length === 1 ? "" : ` (and ${broken.length - 1} more)`;
  throw new AppError(
    "sandbox_broken",
    `The sandbox does not hold: ${first.name}: ${first.why}${more}. Nothing was run. See them all with: sallyport self-test`,
  );
}

function judge(
  { name, wanted, control, isThrough }: Attempt,
  { jailed, control: twin }: Arena,
  seen: { readonly control: Answer; readonly answer: Answer },
): ProofLine {
  const isShown = isThrough({ answer: seen.control, control: seen.control, side: twin });
  if (!isShown && control === "where possible") {
    return { name, outcome: "untried", why: "it does not succeed without the sandbox either" };
  }
  if (!isShown)
    return { name, outcome: "unproved", why: `it fails without the sandbox too (${codeOf(seen.control)})` };
  if (isThrough({ ...seen, side: jailed })) {
    return wanted === "done"
      ? { name, outcome: "works", why: "" }
      : { name, outcome: "through", why: "it succeeded" };
  }
  if (wanted === "done")
    return { name, outcome: "unproved", why: `it fails in the sandbox (${codeOf(seen.answer)})` };
  if (seen.answer === NO_ANSWER)
    return { name, outcome: "unproved", why: "the sandbox ended before it answered" };
  return { name, outcome: "held", why: "" };
}

function lineOfWayIn(answer: Answer, { token }: Arena): ProofLine {
  const name = "reach the socket that the jail is given";
  if (answer.isDone && answer.text === token) return { name, outcome: "works", why: "" };
  return { name, outcome: "unproved", why: `it fails in the sandbox (${codeOf(answer)})` };
}

function codeOf(answer: Answer): string {
  return answer.isDone ? "without effect" : answer.code;
}

interface JailAnswers {
  readonly acts: readonly (Answer | undefined)[];
  readonly apiSocket: Answer;
}

interface JailedActs extends Pick<ProofDeps, "jail" | "signal"> {
  readonly arena: Arena;
  readonly attempts: readonly Attempt[];
}

/** Has the acts done in the jail; what the program did not answer is undefined. Resolves when the jail is gone. */
async function answersInJail({ jail, arena, attempts, signal }: JailedActs): Promise<JailAnswers> {
  const { jailed, configDir, apiSocket } = arena;
  let socketInside = apiSocket;
  const process = await jail
    .start({
      project: jailed.project,
      program: PROBE,
      configDir,
      apiSocket,
      args: (inside) => {
        socketInside = inside.apiSocket;
        return [];
      },
      env: () => ({}),
    })
    .catch((error: unknown) => {
      if (error instanceof AppError && error.code === "sandbox_missing") throw error;
      throw new AppError("sandbox_broken", `The sandbox's self-test could not begin: ${messageOf(error)}`, {
        cause: error,
      });
    });
  const kill = (): void => void process.kill();
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
  if (deadline.aborted) kill();
  else deadline.addEventListener("abort", kill, { once: true });
  const acts: readonly Act[] = [
    { kind: "connect", to: socketInside },
    ...attempts.map(({ act }) => act(jailed)),
  ];
  const answers: Answer[] = [];
  process.stderr.resume();
  // Killing takes a moment, in which the program that was begun must be given nothing to do.
  process.stdin.end(deadline.aborted ? "" : JSON.stringify(acts));
  for await (const line of createInterface({ input: process.stdout })) {
    const [index, answer]: [number, Answer] = JSON.parse(line);
    answers[index] = answer;
  }
  await process.exited;
  deadline.removeEventListener("abort", kill);
  const [own = NO_ANSWER, ...rest] = Array.from(answers);
  return { apiSocket: own, acts: rest };
}
