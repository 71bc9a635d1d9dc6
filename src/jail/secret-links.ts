import { lstatSync, readdirSync, realpathSync } from "node:fs";
import { basename } from "node:path";
import { isErrno } from "../domain/errors.ts";
import { textOfPath } from "../domain/finding.ts";
import { createIsSecret, createSecretDepth } from "../domain/secret-files.ts";
import { bytesOf, isGone } from "./byte-paths.ts";
import { isWithin } from "./inside-paths.ts";

/** A link of the list of secrets with more names below it is not looked through: it is told instead. */
const MAX_NAMES = 2_000;

/** Links that give files of a project the names of secrets. All paths are absolute byte strings. */
export interface SecretLinks {
  /** True for a link that may give a secret's name: it bears one (`.env`), or that of a folder of them (`.ssh`). */
  readonly isOne: (link: string) => boolean;
  /**
   * The files of the project, at their real paths, that have a secret's name by this link. None for a link that leads
   * nowhere or out of the project, which is nowhere in the jail.
   * @throws ErrnoException what cannot be looked at; `E2BIG` for too many names.
   */
  readonly filesBehind: (link: string) => readonly string[];
}

/** `project` is a byte string; `additions` are the owner's to the list of secrets. */
export function createSecretLinks(project: string, additions: readonly string[]): SecretLinks {
  const isSecret = createIsSecret(additions);
  const depthBelow = createSecretDepth(additions);
  const isSecretAt = (path: string): boolean => isSecret(textOfPath(path.slice(project.length + 1)));

  function filesBehind(link: string): readonly string[] {
    const found: string[] = [];
    let seen = 0;
    function look(alias: string, depth: number): void {
      seen += 1;
      if (seen > MAX_NAMES) throw Object.assign(new Error(`Too many names below ${link}`), { code: "E2BIG" });
      const real = realOf(alias);
      if (real === null || !isWithin(real, project)) return;
      if (!lstatSync(bytesOf(real)).isDirectory()) {
        if (isSecretAt(alias)) found.push(real);
        return;
      }
      if (depth === 0) return;
      for (const name of readdirSync(bytesOf(real), "latin1")) look(`${alias}/${name}`, depth - 1);
    }
    look(link, depthBelow(textOfPath(basename(link))));
    return found;
  }

  return { isOne: (link) => isSecretAt(link) || depthBelow(textOfPath(basename(link))) > 0, filesBehind };
}

function realOf(path: string): string | null {
  try {
    return realpathSync.native(bytesOf(path), "latin1");
  } catch (error) {
    if (isGone(error) || isErrno(error, "EACCES")) return null; // where we cannot go the jail cannot
    throw error;
  }
}
