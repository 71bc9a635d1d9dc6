import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { callTool, createQueueScript, reply } from "../../src/demo/messages-api/scripts.ts";
import { prepareHome } from "../../src/store/home.ts";
import { openStore } from "../../src/store/store.ts";
import { createStage, hasButton, launch } from "../support/daemon.ts";
import { tempDir } from "../support/temp.ts";
import { INJECTIONS, MARK } from "./injections.ts";

/** Given to the daemon by its settings, so that their values are what must not be seen. */
const OWN_SECRETS = {
  TELEGRAM_BOT_TOKEN: "123456:test-token-of-thirty-characters-or-more",
  ANTHROPIC_API_KEY: "sk-ant-api03-the-real-key-that-never-enters-the-jail",
  META_ACCESS_TOKEN: "EAAB-a-token-that-stands-there-for-another-program",
};

/** What a daemon that was started with all of them let through. */
interface Seen {
  /** `env` of the model's Bash and the environment of every process in its jail. */
  readonly inside: string;
  /** The environments of the daemon's own children, by the name of the program. */
  readonly children: readonly (readonly [string, string])[];
  /** Programs that ran an injected file, the daemon itself left out. */
  readonly ran: readonly string[];
}
let seen: Promise<Seen> | undefined;

test.each(INJECTIONS.map(({ name }) => name))(
  "H06 H36: %s, which the daemon was started with, reaches neither the CLI nor its Bash nor a child of the daemon",
  { timeout: 90_000 },
  async (name) => {
    seen ??= startInjected();
    const { inside, children } = await seen;
    expect(inside).toMatch(/^HOME=/m);
    expect(inside).not.toContain(MARK);
    expect(strangersIn(inside, name)).toEqual([]);
    expect(children.map(([program]) => program)).toContain("bwrap");
    for (const [program, environment] of children) {
      expect([program, environment.includes(MARK), strangersIn(environment, name)]).toEqual([
        program,
        false,
        [],
      ]);
    }
  },
);

test.each(Object.entries(OWN_SECRETS))(
  "H06 H36: the %s of the daemon is in no environment but its own",
  async (_name, value) => {
    seen ??= startInjected();
    const { inside, children } = await seen;
    expect(inside).not.toContain(value);
    expect(children.filter(([, environment]) => environment.includes(value))).toEqual([]);
  },
);

const SHELL_OR_JAIL = /bwrap|sh/;

test.each([
  [["credentials", "--scan"], /git objects/],
  [["tools"], /shown|Nothing beside/],
  [["self-test"], /The sandbox holds/],
] as const)(
  "H36: what `sallyport %j` was started with reaches no child of it, and nothing that it names is run by one",
  { timeout: 90_000 },
  async (args, expected) => {
    const { folder, ran } = plant();
    const home = join(folder, "home");
    const projects = join(folder, "projects");
    mkdirSync(projects);
    renameSync(repositoryIn(folder), join(projects, "demo"));
    // The login shell, the one child of `tools`, is over in an instant: it waits until it was seen.
    const seen = join(folder, "seen");
    writeFileSync(join(folder, ".profile"), `until [ -e '${seen}' ]; do sleep 0.01; done\n`);
    openStore(prepareHome(home).database, Date.now)[Symbol.dispose]();
    const settings = {
      PATH: process.env.PATH ?? "",
      HOME: folder,
      SALLYPORT_HOME: home,
      APPROVED_DIRECTORY: projects,
      ALLOWED_USERS: "1001",
      CLAUDE_AUTH: "api-key",
      ...OWN_SECRETS,
    };
    const injected = INJECTIONS.map(({ name, value }) => [name, value(folder)] as const);
    const life = launch(args, {
      ...settings,
      ...Object.fromEntries(injected.filter(([name]) => !(name in settings))),
    });
    const children = new Map<string, string>();
    const over = life.exited.then(() => true);
    do {
      for (const pid of descendantsOf(life.pid).filter((one) => !isStillParent(one, life.pid)))
        children.set(programOf(pid), `${children.get(programOf(pid)) ?? ""}${environmentOf(pid)}\n`);
      if (SHELL_OR_JAIL.test([...children.keys()].join())) writeFileSync(seen, "");
    } while (!(await Promise.race([over, sleep(2, false)])));
    expect(life.output()).toMatch(expected);
    expect([...children.keys()].join()).toMatch(SHELL_OR_JAIL);
    children.delete("env"); // the self-test's control, which prints the daemon's own environment and obeys nothing of it
    for (const [program, environment] of children)
      for (const secret of [MARK, ...Object.values(OWN_SECRETS)])
        expect([program, environment.includes(secret)]).toEqual([program, false]);
    const others = readdirSync(ran).filter((name) => !name.endsWith(`-${life.pid}`));
    expect(others).toEqual([]);
    expect(readdirSync(ran).length).toBeGreaterThan(0); // the control: the variables were there, and Node obeyed its own
  },
);

test("H36: nothing that the variables name was run by anything but the daemon's own Node", async () => {
  seen ??= startInjected();
  expect((await seen).ran).toEqual([]);
});

test.each(INJECTIONS.map((injection) => [injection.name, injection] as const))(
  "the control: %s takes effect on, or is visible to, a program that is handed it",
  (name, { value, control }) => {
    const { folder, canary } = plant();
    const env = { PATH: process.env.PATH ?? "", CANARY: canary, [name]: value(folder) };
    if (control === undefined) {
      expect(linesOf(execFileSync("/usr/bin/env", { env, encoding: "utf8" }), name).join()).toContain(MARK);
      return;
    }
    const [file = "", ...argv] = control.map((word) => (word === "REPOSITORY" ? repositoryIn(folder) : word));
    const script = '"$@" 2>&1 </dev/null || true'; // what it ends with is not the question
    const said = execFileSync(
      "/bin/sh",
      ["-c", script, "sh", "/usr/bin/env", `${name}=${value(folder)}`, file, ...argv],
      {
        env: { PATH: env.PATH, CANARY: canary },
        encoding: "utf8",
      },
    );
    expect(existsSync(canary) || said.includes(MARK), said).toBe(true);
  },
);

/** Variables of these names that the jail sets itself, to values of its own. */
const OWN =
  /^(CLAUDE_CONFIG_DIR=\/home\/bot|ANTHROPIC_UNIX_SOCKET=\/run\/api\.sock|SHELL=\/bin\/|(https?_proxy|HTTPS?_PROXY)=http:\/\/jail:|NO_PROXY=localhost|GIT_EDITOR=true$|GIT_ASKPASS=\/bin\/false$|XDG_CACHE_HOME=\/home\/bot\/)/;

function strangersIn(environment: string, name: string): readonly string[] {
  return linesOf(environment, name).filter((line) => !OWN.test(line));
}

function linesOf(environment: string, name: string): readonly string[] {
  return environment.split("\n").filter((line) => line.startsWith(`${name}=`));
}

/** Files for the values to name. Each leaves `$CANARY`, or the name of its process in the folder's `ran`. */
function plant() {
  const folder = tempDir("injected-");
  const canary = join(folder, "canary");
  const ran = join(folder, "ran");
  mkdirSync(ran);
  const script = `#!/bin/sh\n: > "\${CANARY:-${ran}/shell-$$}"\n`;
  writeFileSync(join(folder, `${MARK}.sh`), script, { mode: 0o755 });
  writeFileSync(
    join(folder, `${MARK}.cjs`),
    `require("node:fs").writeFileSync(process.env.CANARY ?? "${ran}/node-" + process.ppid + "-" + process.pid, "");\n`,
  );
  writeFileSync(
    join(folder, `Injected_${MARK.replaceAll("-", "_")}.pm`),
    `open F, ">", $ENV{CANARY} // "${ran}/perl-$$"; close F; 1;\n`,
  );
  writeFileSync(join(folder, `${MARK}.gitconfig`), `[core]\n\tfsmonitor = sh ${folder}/${MARK}.sh\n`);
  return { folder, canary, ran };
}

function repositoryIn(folder: string): string {
  const repository = join(folder, "repository");
  const git = (...args: string[]) => execFileSync("git", ["-C", repository, ...args]);
  mkdirSync(repository);
  git("init", "-q");
  writeFileSync(join(repository, "file"), "1\n");
  git("add", "file");
  writeFileSync(join(repository, "file"), "2\n");
  return repository;
}

/** Starts the daemon with all of them, and has the model look round while the processes are there. */
async function startInjected(): Promise<Seen> {
  const { folder, ran } = plant();
  let inside = "";
  let children: Seen["children"] = [];
  let daemon = 0;
  const stage = await createStage({
    script: createQueueScript([
      callTool("Bash", {
        command: "env; cat /proc/[0-9]*/environ | tr '\\0' '\\n'; git status; bash -c true; perl -e 0",
      }),
      ({ toolResults }) => {
        inside = toolResults.map(({ text }) => text).join("\n");
        children = descendantsOf(daemon).map((pid) => [programOf(pid), environmentOf(pid)] as const);
        return reply("That is all.");
      },
    ]),
  });
  const env = {
    ...Object.fromEntries(INJECTIONS.map(({ name, value }) => [name, value(folder)])),
    TRACK_CREDENTIALS: "META_ACCESS_TOKEN",
    META_ACCESS_TOKEN: OWN_SECRETS.META_ACCESS_TOKEN,
  };
  const life = await stage.start({ env });
  daemon = life.pid;
  stage.chat.send("look round");
  const first = await stage.waitFor(
    (message) => hasButton("Allow once")(message) || message.text.includes("That is all."),
  );
  if (hasButton("Allow once")(first)) stage.chat.press(first.messageId, "Allow once");
  await stage.waitFor(({ text }) => text.includes("That is all."));
  const others = readdirSync(ran).filter((name) => !name.endsWith(`-${life.pid}`));
  return { inside, children, ran: others };
}

/** Between fork and exec a child shows what its parent has. */
function isStillParent(pid: number, parent: number): boolean {
  const programIn = (of: number): string | null => {
    try {
      return readlinkSync(`/proc/${of}/exe`);
    } catch {
      return null; // gone
    }
  };
  return parentOf(pid) === parent && programIn(pid) === programIn(parent);
}

function descendantsOf(root: number): readonly number[] {
  const pids = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const parents = new Map(pids.map((pid) => [pid, parentOf(pid)]));
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 1 && (parents.get(pid) === root || isBelow(parents.get(pid)));
  return pids.filter(isBelow);
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1] ?? 0);
}

const programOf = (pid: number): string => readOrEmpty(`/proc/${pid}/comm`).trim();
const environmentOf = (pid: number): string => readOrEmpty(`/proc/${pid}/environ`).replaceAll("\0", "\n");

/** A process may end while it is looked at. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
