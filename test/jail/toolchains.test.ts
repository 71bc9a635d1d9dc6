import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { gitIdentity } from "../../src/jail/git-identity.ts";
import { loginPath } from "../../src/jail/login-path.ts";
import { openToolchains } from "../../src/jail/open-toolchains.ts";
import { findToolchains } from "../../src/jail/toolchains.ts";
import { tempDir } from "../support/temp.ts";

let home: string;
let places: Parameters<typeof findToolchains>[1];
beforeEach(() => {
  const root = tempDir("tools-");
  home = join(root, "home");
  mkdirSync(home);
  places = { home, closed: [join(root, "projects"), join(home, ".sallyport")] };
});

/** A program of the name at a place below the home. */
function program(path: string): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "#!/bin/sh\n", { mode: 0o755 });
  return file;
}
const at = (path: string): string => join(home, path);

test.each([
  ["nvm", ".nvm/versions/node/v24.1.0/bin/node", ".nvm/versions/node/v24.1.0"],
  ["volta", ".volta/tools/image/node/24.1.0/bin/node", ".volta/tools/image/node/24.1.0"],
  [
    "fnm",
    ".local/share/fnm/node-versions/v24.1.0/installation/bin/node",
    ".local/share/fnm/node-versions/v24.1.0/installation",
  ],
  ["mise", ".local/share/mise/installs/go/1.25.0/bin/go", ".local/share/mise/installs/go/1.25.0"],
  ["pyenv", ".pyenv/versions/3.13.0/bin/python3", ".pyenv/versions/3.13.0"],
  ["sdkman", ".sdkman/candidates/java/25/bin/java", ".sdkman/candidates/java/25"],
  ["rbenv", ".rbenv/versions/3.4.0/bin/ruby", ".rbenv/versions/3.4.0"],
])("of %s the version's own folder is shown and nothing above it", async (_what, file, root) => {
  const bin = dirname(program(file));
  expect(await findToolchains([bin], places)).toEqual({ tools: [at(root)], path: [bin], refused: [] });
});

test("a link of a version manager's is followed to the version that it means", async () => {
  program(".nvm/versions/node/v24.1.0/bin/node");
  mkdirSync(at(".nvm/current"), { recursive: true });
  symlinkSync("../versions/node/v24.1.0/bin", at(".nvm/current/bin"));
  const { tools, path } = await findToolchains([at(".nvm/current/bin")], places);
  expect([tools, path]).toEqual([[at(".nvm/versions/node/v24.1.0")], [at(".nvm/versions/node/v24.1.0/bin")]]);
});

test("shims of pyenv and rustup are followed to the version that is theirs by default", async () => {
  program(".pyenv/shims/python3");
  program(".pyenv/versions/3.13.0/bin/python3");
  writeFileSync(at(".pyenv/version"), "3.13.0\n3.12.1\n");
  const rustup = program(".cargo/bin/rustup");
  symlinkSync(rustup, at(".cargo/bin/cargo"));
  program(".rustup/toolchains/stable-x/bin/cargo");
  writeFileSync(at(".rustup/settings.toml"), 'version = "12"\ndefault_toolchain = "stable-x"\n');
  const { tools, path } = await findToolchains([at(".pyenv/shims"), at(".cargo/bin")], places);
  expect(tools).toEqual([at(".pyenv/versions/3.13.0"), at(".rustup/toolchains/stable-x")]);
  expect(path).toEqual([at(".pyenv/versions/3.13.0/bin"), at(".rustup/toolchains/stable-x/bin")]);
});

test("of a program that no version manager keeps only the file is shown", async () => {
  const file = program(".local/bin/uv");
  expect(await findToolchains([at(".local/bin")], places)).toEqual({
    tools: [file],
    path: [at(".local/bin")],
    refused: [],
  });
});

test.each([
  [
    "what others may write",
    ".nvm/versions/node/v1/bin/node",
    () => chmodSync(at(".nvm/versions/node/v1"), 0o777),
    /chmod/,
  ],
  ["what lies in the daemon's own folder", ".sallyport/bin/node", () => undefined, /lies in/],
  ["what is on the list of secrets", ".ssh/node", () => undefined, /secrets/],
])("%s is not shown, and told", async (_what, file, change, words) => {
  const bin = dirname(program(file));
  change();
  const { tools, refused } = await findToolchains([bin], places);
  expect(tools).toEqual([]);
  expect(refused).toEqual([expect.stringMatching(words)]);
});

test("a folder that was named and cannot be shown ends the start with the reason", async () => {
  const named = (folders: string[]) =>
    openToolchains({ kind: "folders", folders }, places.closed, new AbortController().signal);
  await expect(named([at("missing")])).rejects.toMatchObject({
    code: "config_invalid",
    message: /SANDBOX_TOOLS: .* does not exist/,
  });
  await expect(named(["/"])).rejects.toMatchObject({
    message: expect.stringContaining("holds, the home folder"),
  });
  const tool = dirname(dirname(program("opt/tool/bin/x")));
  expect(await named([tool])).toEqual({ tools: [tool], path: [join(tool, "bin")], refused: [] });
});

test("a login shell's PATH is asked for; one that fails, prints rubbish or is none gives nothing", async () => {
  writeFileSync(at(".profile"), `echo "Welcome"; export PATH="${home}/bin:relative:$PATH"\n`);
  expect((await loginPath({ home, shell: "/bin/bash" }))[0]).toBe(`${home}/bin`);
  expect(await loginPath({ home, shell: "/bin/bash" })).not.toContain("relative");
  writeFileSync(at(".profile"), "exit 3\n");
  expect(await loginPath({ home, shell: "/bin/bash" })).toEqual([]);
  expect(await loginPath({ home, shell: "/usr/sbin/nologin" })).toEqual([]);
  expect(await loginPath({ home, shell: "/nonexistent/sh" })).toEqual([]);
});

test("git commits as the owner; where he told git no name, as somebody who says who he is", async () => {
  expect(await gitIdentity(home)).toMatchObject({ GIT_AUTHOR_NAME: "Claude by Sallyport" });
  writeFileSync(at(".gitconfig"), "[user]\n\tname = Ada\n\temail = ada@example.com\n");
  expect(await gitIdentity(home)).toEqual({
    GIT_AUTHOR_NAME: "Ada",
    GIT_AUTHOR_EMAIL: "ada@example.com",
    GIT_COMMITTER_NAME: "Ada",
    GIT_COMMITTER_EMAIL: "ada@example.com",
  });
});
