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

/**
 * Prints whether the audit's chain holds and returns the exit code: 0 when it does, 1 when a row was tampered with, or when the
 * head that was to be found is older than what is kept.
 */
export function verifyAudit({ envFile, head }: VerifyOptions): number {
  const home = homeOf(readEnvironment(), envFile ?? null);
  using reader = openAuditReader(homePaths(home).database);
  const after = reader.anchor();
  const known = head === undefined ? { after } : { after, expectedHead: parseHead(head) };
  const verdict = verifyChain(reader.rows(), known);
  if (verdict.kind === "broken") {
    process.stdout.write(`audit BROKEN at row ${verdict.id}: ${verdict.reason}\n`);
    return EXIT.failure;
  }
  const kept = after.id === 0 ? "" : ` after row ${after.id}, where retention cut`;
  const { count, head: end } = verdict;
  process.stdout.write(`audit ok: ${count} rows${kept}, head ${end.id}:${end.hash}\n`);
  if (head === undefined)
    process.stdout.write("(rows missing at the end show only against a head noted earlier: --head)\n");
  if (verdict.kind === "ok") return EXIT.ok;
  process.stdout.write(
    `The head ${head} is older than what is kept, so it shows nothing: note the new one\n`,
  );
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
