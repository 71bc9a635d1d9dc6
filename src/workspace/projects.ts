import { readdir } from "node:fs/promises";
import { isErrno } from "../domain/errors.ts";
import type { Logger } from "../log/logger.ts";
import { folderMend } from "../security/access.ts";

/** What stands in the approved directory; or, when it cannot be read just now, what a person has to do about that. */
export type ProjectList =
  /**
   * Names, sorted; hidden folders, links and what may not be a project are left out. `misnamed` are folders that only their names
   * keep from being one.
   */
  | { readonly kind: "listed"; readonly names: readonly string[]; readonly misnamed: readonly string[] }
  | { readonly kind: "unreadable"; readonly mend: string };

/** The projects: folders directly in the approved directory. */
export interface Projects {
  readonly list: () => Promise<ProjectList>;
}

interface ProjectsDeps {
  readonly approvedDirectory: string;
  /** False for a folder that may not be a project, such as the one that holds this program. */
  readonly isOffered: (name: string) => boolean;
  /** False for a name with signs that the name of a project may not have. */
  readonly isNameable: (name: string) => boolean;
  readonly log: Pick<Logger, "error">;
}

/** `list` never rejects: a disk that is not mounted may come back. */
export function createProjects({ approvedDirectory, isOffered, isNameable, log }: ProjectsDeps): Projects {
  return {
    list: async () => {
      try {
        const entries = await readdir(approvedDirectory, { withFileTypes: true });
        const all = entries
          .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && isOffered(entry.name))
          .map((entry) => entry.name)
          .sort((a, b) => a.localeCompare(b));
        return {
          kind: "listed",
          names: all.filter(isNameable),
          misnamed: all.filter((name) => !isNameable(name)),
        };
      } catch (error) {
        log.error({ event: "projects.unreadable", err: error }, "the approved directory cannot be read");
        const isGone = isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR");
        return { kind: "unreadable", mend: folderMend(approvedDirectory, isGone ? "gone" : "shut") };
      }
    },
  };
}
