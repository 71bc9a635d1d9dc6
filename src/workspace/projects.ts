import { readdir } from "node:fs/promises";
import { isErrno } from "../domain/errors.ts";
import type { Logger } from "../log/logger.ts";
import { folderMend } from "../security/access.ts";

/** What stands in the approved directory; or, when it cannot be read just now, what a person has to do about that. */
export type ProjectList =
  /** Names, sorted; hidden folders, links and what may not be a project are left out. */
  | { readonly kind: "listed"; readonly names: readonly string[] }
  | { readonly kind: "unreadable"; readonly mend: string };

/** The projects: folders directly in the approved directory. */
export interface Projects {
  readonly list: () => Promise<ProjectList>;
}

interface ProjectsDeps {
  readonly approvedDirectory: string;
  /** False for a folder that may not be a project, such as the one that holds this program. */
  readonly isOffered: (name: string) => boolean;
  readonly log: Pick<Logger, "error">;
}

/** `list` never rejects: a disk that is not mounted may come back. */
export function createProjects({ approvedDirectory, isOffered, log }: ProjectsDeps): Projects {
  return {
    list: async () => {
      try {
        const entries = await readdir(approvedDirectory, { withFileTypes: true });
        const names = entries
          .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && isOffered(entry.name))
          .map((entry) => entry.name)
          .sort((a, b) => a.localeCompare(b));
        return { kind: "listed", names };
      } catch (error) {
        log.error({ event: "projects.unreadable", err: error }, "the approved directory cannot be read");
        const isGone = isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR");
        return { kind: "unreadable", mend: folderMend(approvedDirectory, isGone ? "gone" : "shut") };
      }
    },
  };
}
