import { existsSync } from "node:fs";
import { join } from "node:path";
import { hostGit, writeCanary } from "../support/git-project.ts";
import { type Attack, bash } from "./attack.ts";
import type { World } from "./world.ts";

/** Each writes, by another way, what makes the owner's own git run `$C` (H31, H22): judged by the host's git afterwards. */
const GIT_ATTACKS: Readonly<Record<string, string>> = {
  "git config": 'git config core.fsmonitor "$C"',
  "appending to the config": 'printf "[core]\\nfsmonitor=%s\\n" "$C" >> .git/config',
  "a config renamed over it":
    'cp .git/config c; printf "[core]\\nfsmonitor=%s\\n" "$C" >> c; mv -f c .git/config',
  "an include":
    'printf "[core]\\nfsmonitor=%s\\n" "$C" > inc; printf "[include]\\npath=../inc\\n" >> .git/config',
  "config.worktree": 'printf "[core]\\nfsmonitor=%s\\n" "$C" > .git/config.worktree',
  "a hook": 'cp "$C" .git/hooks/post-commit; chmod +x .git/hooks/post-commit',
  hooksPath: 'mkdir h; cp "$C" h/post-commit; git config core.hooksPath h',
  "another hooks folder": 'mv .git/hooks h; mkdir .git/hooks; cp "$C" .git/hooks/post-commit',
  "a moved repository": 'mv .git g; cp -r g .git; printf "[core]\\nfsmonitor=%s\\n" "$C" >> .git/config',
  "a new repository in its place":
    'rm -rf .git; git init -q; printf "[core]\\nfsmonitor=%s\\n" "$C" >> .git/config',
  commondir:
    'mkdir evil; cp -r .git/. evil/; rm -f evil/commondir; printf "[core]\\nfsmonitor=%s\\n" "$C" >> evil/config; rm -f .git/commondir; echo ../evil > .git/commondir',
  "a link in its place":
    'cp -r .git e; printf "[core]\\nfsmonitor=%s\\n" "$C" >> e/config; rm -f e/commondir; mv .git g; ln -s e .git',
  "a filter": 'git config filter.x.clean "$C"; echo "* filter=x" > .gitattributes; echo x > f; git add f',
  textconv:
    'git config diff.x.textconv "$C"; echo "* diff=x" > .gitattributes; echo 1 > f; git add f .gitattributes; git commit -qm x; echo 2 > f',
  "diff.external": 'git config diff.external "$C"; echo 1 > f; git add f; git commit -qm x; echo 2 > f',
  "the folder above moved":
    'cd ..; mv "$R" "$R-old" && cp -r "$R-old" "$R" && printf "[core]\\nfsmonitor=%s\\n" "$C" >> "$R/.git/config"',
};

/** The git attacks, each in a repository of its own. */
export async function gitAttacks(world: World): Promise<readonly Attack[]> {
  const attacks: Attack[] = [];
  for (const [index, [route, command]] of Object.entries(GIT_ATTACKS).entries()) {
    const repository = world.repository(`git-${index}`);
    await hostGit(repository, "commit", "-q", "--allow-empty", "-m", "first");
    if (route === "config.worktree") await hostGit(repository, "config", "extensions.worktreeConfig", "true");
    const canary = join(world.ran, `git-${index}`);
    const folder = join(world.project, "tools", `${index}`);
    world.put(join(folder, "x"), "");
    const program = await writeCanary(folder, canary);
    const script = `export C=${program} R=git-${index} GIT_AUTHOR_NAME=b GIT_AUTHOR_EMAIL=b@example.com GIT_COMMITTER_NAME=b GIT_COMMITTER_EMAIL=b@example.com; cd ${repository} && { ${command}; }`;
    attacks.push({
      asset: "the owner's own git",
      route,
      calls: [bash(script)],
      isThrough: () => isRunByOwnersGit(repository, canary),
    });
  }
  return attacks;
}

/** True when what leaves `canary` behind is run as the owner works there. */
export async function isRunByOwnersGit(repository: string, canary: string): Promise<boolean> {
  for (const args of [
    ["status"],
    ["diff"],
    ["add", "-A"],
    ["commit", "-q", "--allow-empty", "-m", "owner's"],
  ]) {
    await hostGit(repository, ...args).catch(() => ""); // a broken repository runs nothing, which is an answer too
  }
  return existsSync(canary);
}
