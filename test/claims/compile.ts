import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Copy } from "./copy.ts";
import type { Mutation } from "./mutation.ts";

/** What the compiler has against the source, shortened; null when it is a program. */
async function compile(root: string): Promise<string | null> {
  const argv = [
    join(root, "node_modules/typescript/bin/tsc"),
    "--project",
    "tsconfig.build.json",
    "--noEmit",
    "--incremental",
    "--tsBuildInfoFile",
    ".tsbuildinfo",
    "--noUnusedLocals",
    "false",
    "--noUnusedParameters",
    "false",
    "--allowUnreachableCode",
    "true",
  ];
  const child = spawn(process.execPath, argv, { cwd: root, stdio: ["ignore", "pipe", "ignore"] });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  return code === 0 ? null : said.slice(0, 300);
}

const filesOf = ({ edits }: Mutation): readonly string[] => edits.map(([file]) => file);

/** Groups of which no two members touch the same file. */
function groupsOf(mutations: readonly Mutation[]): readonly (readonly Mutation[])[] {
  const groups: { readonly files: Set<string>; readonly members: Mutation[] }[] = [];
  for (const mutation of mutations) {
    const files = filesOf(mutation);
    let group = groups.find((one) => !files.some((file) => one.files.has(file)));
    if (!group) {
      group = { files: new Set(), members: [] };
      groups.push(group);
    }
    for (const file of files) group.files.add(file);
    group.members.push(mutation);
  }
  return groups.map(({ members }) => members);
}

async function complaintOf(copy: Copy, mutations: readonly Mutation[]): Promise<string | null> {
  const restore = copy.patch(mutations.flatMap(({ edits }) => edits));
  try {
    return await compile(copy.root);
  } finally {
    restore();
  }
}

/**
 * The mutations that the compiler complains of, with what it says. Those of different files are compiled together, which takes a
 * twentieth of the time, and each alone where it complains of them together.
 */
export async function compileAll(
  copy: Copy,
  mutations: readonly Mutation[],
): Promise<ReadonlyMap<Mutation, string>> {
  const complaints = new Map<Mutation, string>();
  for (const group of groupsOf(mutations)) {
    if ((await complaintOf(copy, group)) === null) continue;
    for (const mutation of group) {
      const complaint = await complaintOf(copy, [mutation]);
      if (complaint !== null) complaints.set(mutation, complaint);
    }
  }
  return complaints;
}
