import { readEnvironment } from "../config/environment.ts";
import { loadConfig } from "../config/load.ts";
import { EXIT, exitCodeOf, messageOf } from "../domain/errors.ts";
import { openToolchains } from "../jail/open-toolchains.ts";

/** Prints which toolchains jails show, and what was found and is not shown; returns the exit code. */
export async function printTools(options: { readonly envFile?: string }): Promise<number> {
  try {
    const { config } = loadConfig({ ...readEnvironment(), argv: { envFile: options.envFile } });
    const found = await openToolchains(
      config.tools,
      [config.home, config.approvedDirectory],
      new AbortController().signal,
    );
    const lines = [
      ...found.tools.map((tool) => `shown      ${tool}`),
      ...found.path.map((folder) => `on PATH    ${folder}`),
      ...found.refused.map((line) => `not shown  ${line}`),
    ];
    const all = lines.length === 0 ? ["Nothing beside what the system has in /usr."] : lines;
    process.stdout.write(`${all.join("\n")}\n`);
    return EXIT.ok;
  } catch (error) {
    process.stderr.write(`sallyport: ${messageOf(error)}\n`);
    return exitCodeOf(error);
  }
}
