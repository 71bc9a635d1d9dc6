import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { callTool, createQueueScript, type QueueStep, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelRequest } from "../../src/demo/messages-api/types.ts";
import { reactIn } from "../durability/reactions.ts";
import { createStage, says, USER } from "../support/daemon.ts";
import { hostGit } from "../support/git-project.ts";
import { createGitServer } from "../support/git-server.ts";
import { withInternet } from "../support/internet.ts";
import { cratesPages, npmPages, type Pages, servePackages } from "../support/package-servers.ts";
import { pypiPages } from "../support/wheels.ts";

const NODE = realpathSync(resolve(import.meta.dirname, "../../node_modules/node/bin/node"));
const SLOW = 120_000;

const shell = (command: string): QueueStep =>
  callTool("Bash", {
    command: `( ${command} ) > log.txt 2>&1; echo "[end $?]"; tail -c 1500 log.txt`,
    timeout: 110_000,
  });
const sayResult = ({ toolResults }: ModelRequest) => reply(`got: ${toolResults[0]?.text}`);

/** The daemon before an internet of registries; a person who allows what is asked. `profile` is the login shell's. */
async function openStage(
  command: string,
  {
    pages = {},
    files = {},
    profile = "",
    env = {},
  }: {
    pages?: Pages;
    files?: Readonly<Record<string, string>>;
    profile?: string | ((home: string) => string);
    env?: Record<string, string>;
  },
) {
  const server = await servePackages({ "nowhere.example.com/": "", ...pages });
  const internet = withInternet({ hosts: server.hosts });
  const stage = await createStage({
    script: createQueueScript([shell(command), sayResult]),
    entry: internet.entry,
    env: { ...internet.env, CLAUDE_PERMISSION_MODE: "ask", ...env },
  });
  const home = dirname(stage.home);
  writeFileSync(join(home, ".profile"), typeof profile === "string" ? profile : profile(home));
  writeFileSync(join(home, ".gitconfig"), "[user]\n  name = Ada Lovelace\n  email = ada@example.com\n");
  writeFileSync(join(stage.project, "ca.crt"), server.ca);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(stage.project, name)), { recursive: true });
    writeFileSync(join(stage.project, name), text);
  }
  const pressed = reactIn(stage.api, stage.chat, () => ["Allow once", "Once", "Accept for this project"]);
  await stage.start();
  const work = async (): Promise<string> => {
    stage.chat.send("work");
    const { text } = await stage.api.waitForMessage(stage.chat.chatId, says("got: [end"), {
      what: "the end of the work",
      timeoutMs: 100_000,
    });
    return text;
  };
  return { ...stage, server, pressed, work };
}

const NPM_PROJECT = {
  "package.json": JSON.stringify({
    name: "app",
    version: "1.0.0",
    dependencies: { tiny: "^1.0.0" },
    scripts: { test: "node --test app.test.js" },
  }),
  "app.test.js": `
    const { test } = require("node:test"); const assert = require("node:assert"); const http = require("node:http");
    test("adds up", () => assert.strictEqual(require("tiny").seven, 7));
    test("serves", (_, done) => { const s = http.createServer((_q, r) => r.end("hi")).listen(0, "127.0.0.1", () =>
      http.get({ port: s.address().port, agent: false }, (r) => { r.resume(); s.close(done); })); });`,
};
const NPM =
  "export npm_config_cafile=$PWD/ca.crt; node --version; npm install --no-audit --no-fund && npm test";

test(
  "npm install && npm test, with an apt-style Node: the registry is asked about once, the cache is the project's own",
  async () => {
    const stage = await openStage(NPM, { pages: await npmPages(), files: NPM_PROJECT });
    const said = await stage.work();
    expect(said).toContain("[end 0]");
    expect(said).toMatch(/pass 2/);
    expect(stage.pressed.filter(({ label }) => label === "Once")).toHaveLength(1);
    expect(stage.server.requests).toContain("registry.npmjs.org/tiny");
    const caches = execFileSync("find", [join(stage.home, "cache"), "-name", "_cacache"]).toString();
    expect(caches.trim()).toMatch(/\/cache\/1001\/[0-9a-f]{16}\/npm\/_cacache$/);
  },
  SLOW,
);

test(
  "npm install && npm test, with a Node of nvm's in the owner's home, of which nothing else shows",
  async () => {
    const npmCli = realpathSync(execFileSync("which", ["npm"]).toString().trim());
    const stage = await openStage(
      `${NPM}; which node; ls -A ~/.. "$(dirname "$PWD")/.." ../../.nvm/versions/node 2>/dev/null; cat ../../.gitconfig`,
      {
        pages: await npmPages(),
        files: NPM_PROJECT,
        env: { SANDBOX_ALLOWED_DOMAINS: "registry.npmjs.org" },
        profile: (home) => {
          const version = join(home, ".nvm/versions/node/v24.21.0");
          mkdirSync(join(version, "bin"), { recursive: true });
          mkdirSync(join(home, ".nvm/versions/node/v20.0.0"));
          copyFileSync(NODE, join(version, "bin/node"));
          cpSync(dirname(dirname(npmCli)), join(version, "lib/node_modules/npm"), {
            recursive: true,
            dereference: true,
          });
          symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(version, "bin/npm"));
          writeFileSync(join(home, ".npmrc"), "//registry.npmjs.org/:_authToken=secret\n");
          return `export PATH="${version}/bin:$PATH"\n`;
        },
      },
    );
    const said = await stage.work();
    expect(said).toContain("v24.21.0");
    expect(said).toMatch(/pass 2/);
    expect(said).toContain("/.nvm/versions/node/v24.21.0/bin/node");
    expect(said).not.toContain("Lovelace");
    expect(said).toMatch(/versions\/node:\nv24\.21\.0$/m);
    expect(said).not.toContain("v20.0.0");
    expect(stage.pressed.filter(({ label }) => label === "Once")).toEqual([]);
  },
  SLOW,
);

test(
  "a Homebrew prefix is shown whole but for what its services write, links from bin to Cellar and opt included",
  async () => {
    const prefix = "/home/linuxbrew/.linuxbrew";
    if (existsSync(prefix)) throw new Error(`${prefix} exists: this test would make its own`);
    const cellar = join(prefix, "Cellar/greet/1.0.0/bin");
    try {
      mkdirSync(cellar, { recursive: true });
      for (const folder of ["bin", "opt", "var/postgres"])
        mkdirSync(join(prefix, folder), { recursive: true });
      writeFileSync(
        join(cellar, "jq"),
        "#!/bin/sh\necho brewed; cat $(dirname $0)/../opt/greet/bin/jq | head -1\n",
        { mode: 0o755 },
      );
      symlinkSync("../Cellar/greet/1.0.0/bin/jq", join(prefix, "bin/jq"));
      symlinkSync("../Cellar/greet/1.0.0", join(prefix, "opt/greet"));
      const stage = await openStage(`jq; ls -A ${prefix}; echo x > ${prefix}/bin/made`, {
        profile: `export PATH="${prefix}/bin:$PATH"\n`, // as `brew shellenv` does
      });
      const said = await stage.work();
      expect(said).toMatch(/brewed\n#!\/bin\/sh\nCellar\nbin\nopt\n(?!var)/);
      expect(said).toContain("Read-only file system");
    } finally {
      execFileSync("rm", ["-rf", prefix]);
    }
  },
  SLOW,
);

test(
  "pip install && pytest in a virtual environment",
  async () => {
    const stage = await openStage(
      "export PIP_CERT=$PWD/ca.crt; python3 -m venv .venv && .venv/bin/pip install pytest && .venv/bin/pytest -v",
      {
        pages: pypiPages(),
        files: {
          "test_app.py":
            "def test_seven():\n    assert 3 + 4 == 7\n\n\ndef test_eight(tmp_path):\n    (tmp_path / 'x').write_text('8')\n    assert (tmp_path / 'x').read_text() == '9'\n",
        },
      },
    );
    const said = await stage.work();
    expect(said).toContain("[end 1]"); // one of the two tests is to fail
    expect(said).toMatch(/1 failed, 1 passed/);
    expect(said).toMatch(/AssertionError: assert '8' == '9'/);
    expect(stage.server.requests).toContain("pypi.org/simple/pytest/");
  },
  SLOW,
);

test(
  "cargo build, with a crate from the registry",
  async () => {
    const rustup = "/root/.cargo/bin";
    const stage = await openStage("export CARGO_HTTP_CAINFO=$PWD/ca.crt; cargo build && ./target/debug/app", {
      pages: await cratesPages(),
      files: {
        "Cargo.toml":
          '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\ntiny = "1"\n',
        "src/main.rs": 'fn main() { println!("the crate says {}", tiny::seven()); }\n',
      },
      profile: existsSync(rustup) ? `export PATH="${rustup}:$PATH"\n` : "",
    });
    const said = await stage.work();
    expect(said).toContain("the crate says 7");
    expect(said).toContain("[end 0]");
  },
  SLOW,
);

test(
  "git commit, branch and push: the owner's name, a branch of Claude's own, and the push that a person has seen",
  async () => {
    const git = await createGitServer("git.example.com", "the-token");
    const bare = await git.create("acme/shop");
    const internet = withInternet({ hosts: { "git.example.com": git.port }, extraCa: git.ca });
    const command =
      "echo x > made && git add made && git checkout -b claude/made && git commit -m Made && git push origin claude/made";
    const stage = await createStage({
      script: createQueueScript([shell(command), sayResult]),
      entry: internet.entry,
      env: { ...internet.env, CLAUDE_PERMISSION_MODE: "ask", GIT_TOKEN_GIT_EXAMPLE_COM: "the-token" },
    });
    writeFileSync(
      join(dirname(stage.home), ".gitconfig"),
      "[user]\n  name = Ada Lovelace\n  email = ada@example.com\n",
    );
    await hostGit(stage.project, "init", "-q", "-b", "main");
    await hostGit(stage.project, "add", ".");
    await hostGit(stage.project, "commit", "-q", "-m", "First");
    await hostGit(stage.project, "push", "-q", bare, "main");
    await hostGit(stage.project, "remote", "add", "origin", "https://git.example.com/acme/shop.git");
    reactIn(stage.api, stage.chat, () => ["Allow once", "Accept for this project"]);
    await stage.start();
    stage.chat.send("work");
    await stage.api.waitForMessage(USER, says("got: [end 0]"), {
      what: "the end of the work",
      timeoutMs: 100_000,
    });
    expect(await git.git("acme/shop", "log", "-1", "--format=%an <%ae> %cn: %s", "claude/made")).toBe(
      "Ada Lovelace <ada@example.com> Ada Lovelace: Made",
    );
  },
  SLOW,
);
