import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { EXIT, exitCodeOf, isErrno, messageOf } from "./domain/errors.ts";
import type { ExportOptions } from "./ops/audit-export.ts";
import type { TailOptions } from "./ops/audit-tail.ts";

const { version }: { version: string } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
);

/** A number of megabytes of the command line. */
function megabytes(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError("expected a whole number above 0");
  return Number(text);
}

const program = new Command("sallyport")
  .description("Your own Claude Code, from Telegram, for the people you admit and nobody else.")
  .version(version);

program
  .command("start", { isDefault: true })
  .description("run the daemon until it is told to end")
  .option("--env-file <path>", "settings file (default: .env in SALLYPORT_HOME)")
  .option("--supervised", "for launchd: faults that a restart cannot mend are noted and end with code 0")
  .action(async (options: { envFile?: string; supervised?: boolean }) => {
    const { start } = await import("./start.ts");
    // All is closed and written by now; a call to Telegram that hangs would hold the process up for half a minute.
    process.exit(await start({ ...options, version }));
  });

program
  .command("demo")
  .description("try the whole program in this terminal: no account, no token, no network")
  .option("--real", "speak to the real API with the credential in the environment; this spends money")
  .action(async (options: { real?: boolean }) => {
    const { demo } = await import("./demo/demo.ts");
    const { runDaemon } = await import("./main.ts");
    process.exitCode = await demo({ isReal: options.real === true, version, runDaemon });
  });

program
  .command("self-test")
  .description(
    "try to break out of this machine's sandbox, in a throw-away project; the daemon may run meanwhile",
  )
  .option("--env-file <path>", "settings file (default: .env in SALLYPORT_HOME)")
  .action(async (options: { envFile?: string }) => {
    const { selfTest } = await import("./ops/self-test.ts");
    process.exitCode = await selfTest(options);
  });

program
  .command("plist")
  .description("print the LaunchAgent that runs the daemon on this Mac")
  .option("--env-file <path>", "settings file (default: .env in SALLYPORT_HOME)")
  .action(async (options: { envFile?: string }) => {
    const { printPlist } = await import("./ops/launchd.ts");
    process.exitCode = printPlist(options.envFile ?? null);
  });

program
  .command("tools")
  .description("print which toolchains the sandbox shows, and why others are not shown")
  .option("--env-file <path>", "settings file (default: .env in SALLYPORT_HOME)")
  .action(async (options: { envFile?: string }) => {
    const { printTools } = await import("./ops/tools.ts");
    process.exitCode = await printTools(options);
  });

program
  .command("backup")
  .description("copy the database to a new file, compact and verified; the daemon may run meanwhile")
  .argument("[file]", "where to (default: a file of today in SALLYPORT_HOME/backups)")
  .option("--env-file <path>", "settings file (default: .env in SALLYPORT_HOME)")
  .action(async (file: string | undefined, options: { envFile?: string }) => {
    const { backUp } = await import("./ops/backup.ts");
    process.exitCode = backUp({ ...options, ...(file === undefined ? {} : { file }) });
  });

program
  .command("restore")
  .description("put a backup in the place of the database; the daemon must not run")
  .argument("<file>", "the backup")
  .option("--env-file <path>", "settings file (default: .env in SALLYPORT_HOME)")
  .action(async (file: string, options: { envFile?: string }) => {
    const { restore } = await import("./ops/restore.ts");
    process.exitCode = restore({ ...options, file });
  });

program
  .command("unlock")
  .description("undo an owner's /lock, so that the bot takes work again")
  .option("--env-file <path>", "settings file (default: .env in SALLYPORT_HOME)")
  .action(async (options: { envFile?: string }) => {
    const { unlock } = await import("./ops/unlock.ts");
    process.exitCode = unlock(options);
  });

program
  .command("credentials")
  .description("show every credential: where it comes from, since when, when to rotate it; never its value")
  .option("--scan", "look for them in logs, backups, the database, projects, shells' and git histories")
  .option("--max-mb <number>", "megabytes to read of each of these, and of each git history", megabytes, 1024)
  .option("--json", "print it for a program")
  .option("--env-file <path>", "settings file (default: .env in SALLYPORT_HOME)")
  .action(async (options: { envFile?: string; json?: boolean; scan?: boolean; maxMb: number }) => {
    const { printCredentials } = await import("./ops/credentials.ts");
    process.exitCode = await printCredentials(options);
  });

const token = program.command("token").description("invite people, and end logins");
token
  .command("create")
  .description("print a token that admits whoever sends it to the bot, once")
  .option("--role <role>", "owner or member", "member")
  .option("--days <days>", "how long it is good, 1 to 30", "1")
  .option("--env-file <path>", "settings file (default: .env in SALLYPORT_HOME)")
  .action(async (options: { envFile?: string; role: string; days: string }) => {
    const { createInviteToken } = await import("./ops/token.ts");
    process.exitCode = createInviteToken(options);
  });
token
  .command("list")
  .description("print who may come in and which invites are open")
  .option("--env-file <path>", "settings file (default: .env in SALLYPORT_HOME)")
  .action(async (options: { envFile?: string }) => {
    const { listTokens } = await import("./ops/token.ts");
    process.exitCode = listTokens(options);
  });
token
  .command("revoke")
  .description("end a person's login, or an open invite; the daemon may run meanwhile")
  .argument("<what...>", "a user id, or: invite <number>")
  .option("--env-file <path>", "settings file (default: .env in SALLYPORT_HOME)")
  .action(async (what: string[], options: { envFile?: string }) => {
    const { revokeToken } = await import("./ops/token.ts");
    process.exitCode = revokeToken({ ...options, what });
  });

/** A reader that has seen enough (`| head`) is no fault; a full disk is. */
function endWithOutput(): void {
  process.stdout.on("error", (error) => {
    if (!isErrno(error, "EPIPE")) {
      process.stderr.write(`The output could not be written: ${error.message}\n`);
      process.exitCode = EXIT.failure;
    }
    process.exit();
  });
}

const audit = program.command("audit").description("look at the record of what was done");
audit.hook("preAction", endWithOutput);
audit
  .command("verify")
  .description("check that no row of the audit was changed, removed or inserted")
  .option("--env-file <path>", "settings file (default: .env in SALLYPORT_HOME)")
  .option("--head <id:hash>", "a head noted earlier: it must still be part of the chain")
  .action(async (options: { envFile?: string; head?: string }) => {
    const { verifyAudit } = await import("./ops/verify-audit.ts");
    process.exitCode = verifyAudit(options);
  });

audit
  .command("tail")
  .description("print the newest rows of the audit")
  .option("--env-file <path>", "settings file (default: .env in SALLYPORT_HOME)")
  .option("-f, --follow", "go on with what comes")
  .option("--risk <risk>", "that risk and above: low, medium, high or critical")
  .option("--user <id>", "of that person alone")
  .option("--since <moment>", "since 90m, 48h, 7d ago, or a date and time (UTC)")
  .option("-n, --lines <count>", "how many at most (default: 20, or all since then)")
  .action(async (options: TailOptions) => {
    const { tailAudit } = await import("./ops/audit-tail.ts");
    const ending = new AbortController();
    process.once("SIGINT", () => ending.abort());
    process.once("SIGTERM", () => ending.abort());
    process.exitCode = await tailAudit(options, ending.signal);
  });
audit
  .command("export")
  .description("write the audit out, row by row, and its head last")
  .requiredOption("--format <format>", "jsonl or csv")
  .option("--env-file <path>", "settings file (default: .env in SALLYPORT_HOME)")
  .option("--since <moment>", "since 90m, 48h, 7d ago, or a date and time (UTC)")
  .option("--until <moment>", "until then")
  .option("--out <file>", "a new file, readable by you alone (default: standard output)")
  .action(async (options: ExportOptions) => {
    const { exportAudit } = await import("./ops/audit-export.ts");
    process.exitCode = await exportAudit(options);
  });

try {
  await program.parseAsync();
} catch (error) {
  const { troubleOf } = await import("./store/fault.ts");
  const mend = troubleOf(error)?.mend;
  process.stderr.write(`${messageOf(error)}${mend === undefined ? "" : `. Nothing was done: ${mend}`}\n`);
  process.exitCode = exitCodeOf(error);
}
