import { readFileSync } from "node:fs";
import { Command } from "commander";
import { exitCodeOf, messageOf } from "./domain/errors.ts";

const { version }: { version: string } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
);

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

const audit = program.command("audit").description("look at the record of what was done");
audit
  .command("verify")
  .description("check that no row of the audit was changed, removed or inserted")
  .option("--env-file <path>", "settings file (default: .env in SALLYPORT_HOME)")
  .option("--head <id:hash>", "a head noted earlier: it must still be part of the chain")
  .action(async (options: { envFile?: string; head?: string }) => {
    const { verifyAudit } = await import("./ops/verify-audit.ts");
    process.exitCode = verifyAudit(options);
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = exitCodeOf(error);
}
