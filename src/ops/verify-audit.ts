import { readEnvironment } from "../config/environment.ts";
import { homeOf } from "../config/home-of.ts";
import { type ChainHead, verifyChain } from "../domain/audit-chain.ts";
import { AppError, EXIT } from "../domain/errors.ts";
import { openAuditReader } from "../store/audit-reader.ts";
import { homePaths } from "../store/home.ts";

interface VerifyOptions {
  readonly envFile?: string;
  readonly head?: string;
}

/** Prints whether the audit's chain holds and returns the exit code: 0 when it does, 1 when a row was tampered with. */
export function verifyAudit({ envFile, head }: VerifyOptions): number {
  const home = homeOf(readEnvironment(), envFile ?? null);
  using reader = openAuditReader(homePaths(home).database);
  const verdict = verifyChain(reader.rows(), head === undefined ? {} : { expectedHead: parseHead(head) });
  if (verdict.kind === "ok") {
    process.stdout.write(`audit ok: ${verdict.count} rows, head ${verdict.head.id}:${verdict.head.hash}\n`);
    if (head === undefined)
      process.stdout.write("(rows missing at the end show only against a head noted earlier: --head)\n");
    return EXIT.ok;
  }
  process.stdout.write(`audit BROKEN at row ${verdict.id}: ${verdict.reason}\n`);
  return EXIT.failure;
}

function parseHead(text: string): ChainHead {
  const [, id, hash] = /^(\d+):([0-9a-f]{64})$/.exec(text) ?? [];
  if (id === undefined || hash === undefined) {
    throw new AppError(
      "config_invalid",
      `--head must be <id>:<hash> as \`audit verify\` prints it, got "${text}"`,
    );
  }
  return { id: Number(id), hash };
}
