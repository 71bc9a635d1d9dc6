import { readdir } from "node:fs/promises";

/** The projects: folders directly in the approved directory. */
export interface Projects {
  /** Names, sorted; hidden folders, links and what may not be a project are left out. */
  readonly list: () => Promise<readonly string[]>;
}

interface ProjectsDeps {
  readonly approvedDirectory: string;
  /** False for a folder that may not be a project, such as the one that holds this program. */
  readonly isOffered: (name: string) => boolean;
}

export function createProjects({ approvedDirectory, isOffered }: ProjectsDeps): Projects {
  return {
    list: async () => {
      const entries = await readdir(approvedDirectory, { withFileTypes: true });
      return entries
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && isOffered(entry.name))
        .map((entry) => entry.name)
        .sort((a, b) => a.localeCompare(b));
    },
  };
}
