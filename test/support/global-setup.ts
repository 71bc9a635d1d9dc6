import { AppError } from "../../src/domain/errors.ts";
import { ensureSystemPackages } from "../../src/jail/system-packages.ts";

/** Runs once before all tests: the jail's tests need the system's sandbox, and prove nothing without it. */
export async function setup(): Promise<void> {
  const say = (_: object, message: string): void => void process.stdout.write(`${message}\n`);
  try {
    await ensureSystemPackages({
      platform: process.platform,
      isRoot: process.getuid?.() === 0,
      log: { info: say, warn: say },
    });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    process.stderr.write(`\n${error.message}\n\n`);
    process.exit(1);
  }
}
