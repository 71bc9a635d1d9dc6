import { chown } from "node:fs/promises";
import type { BwrapJailDeps } from "./bwrap-jail.ts";
import { type Bind, bwrapOptions } from "./bwrap-options.ts";
import { startBwrap } from "./bwrap-process.ts";
import { collectOutput } from "./collect-output.ts";
import { INSIDE } from "./inside-paths.ts";
import type { Sift } from "./jail.ts";
import { SIFT_MAX_BYTES, SIFT_TIMEOUT_MS, siftArgv } from "./sift-argv.ts";
import { findSiftProgram, type SiftProgram } from "./sift-program.ts";
import { approvedFolder } from "./verify-mounts.ts";

/** Runs a program of `sift/` in a Linux jail that has the system, that program, one file and one folder, and nothing else. */
export function createBwrapSift(
  deps: Pick<BwrapJailDeps, "bwrap" | "scratchDir" | "marks" | "tenants">,
  find: (name: "sniff" | "unpack") => Promise<SiftProgram> = findSiftProgram,
): Sift {
  const { bwrap, scratchDir, marks, tenants } = deps;
  return async (request) => {
    const { file, target, project, signal } = request;
    const { owner } = await approvedFolder(project);
    const { system, identity, become, moveIn } = await tenants.of(owner);
    for (const path of [file, target]) {
      if (identity !== null && path !== null) await chown(path, identity.uid, identity.gid);
    }
    const { node, script, parts } = await find(request.program);
    const bind = (source: string, at: string, isWritable = false): Bind => ({
      source,
      target: at,
      isWritable,
    });
    const binds = [
      bind(node, INSIDE.node),
      ...parts.map(({ source, path }) => bind(source, INSIDE.sift.program + path)),
      bind(file, INSIDE.sift.file),
      ...(target === null ? [] : [bind(target, INSIDE.sift.target, true)]),
    ];
    const running = await startBwrap({
      bwrap,
      scratchDir,
      mark: marks.next(),
      options: bwrapOptions({
        system,
        identity,
        binds,
        protectedPaths: [],
        env: { PATH: INSIDE.path, HOME: INSIDE.home, LC_ALL: "C.UTF-8" },
        cwd: "/",
      }),
      become,
      argv: siftArgv(
        {
          node: INSIDE.node,
          script: INSIDE.sift.program + script,
          file: INSIDE.sift.file,
          target: INSIDE.sift.target,
        },
        request,
      ),
      check: moveIn,
    });
    const end = (): void => void running.kill();
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
    try {
      return await collectOutput(
        { ...running.child, exited: running.exited, kill: running.kill },
        { timeoutMs: SIFT_TIMEOUT_MS, maxBytes: SIFT_MAX_BYTES },
      );
    } finally {
      signal.removeEventListener("abort", end);
    }
  };
}
