import { array, assert, constantFrom, property, tuple } from "fast-check";
import { expect, test } from "vitest";
import { denyRules } from "../../src/claude/deny-rules.ts";
import { createJudge, type ToolCall } from "../../src/claude/judge.ts";
import type { ApprovedPath } from "../../src/domain/approved-path.ts";
import { createIsSecret } from "../../src/domain/secret-files.ts";

const PROJECT = "/work/app" as ApprovedPath;
const isSecret = createIsSecret(["*.vault"]);
const judges = {
  jail: createJudge({ mode: "jail", isSecret }),
  ask: createJudge({ mode: "ask", isSecret }),
  plan: createJudge({ mode: "plan", isSecret }),
};

function call(toolName: string, input: ToolCall["input"] = {}, over: Partial<ToolCall> = {}): ToolCall {
  return {
    toolUseId: "t",
    toolName,
    input,
    isSubagent: false,
    cwd: PROJECT,
    cliMode: "default",
    isMcp: false,
    ...over,
  };
}
const file = (path: string) => ({ file_path: path });

test.each([
  ["Read", file("/work/app/a.ts"), "allow", "leave"],
  ["Read", file("/usr/include/x.h"), "allow", "leave"],
  ["Glob", { pattern: "**/*.ts" }, "allow", "leave"],
  ["Edit", file("/work/app/a.ts"), "allow", "leave"],
  ["Write", file("src/b.ts"), "allow", "leave"],
  ["Write", file("/work/other/b.ts"), "leave", "leave"],
  ["Write", file("../other/b.ts"), "leave", "leave"],
  ["Bash", { command: "rm -rf / ; cat .e*v" }, "allow", "leave"],
  ["Agent", { prompt: "x" }, "allow", "leave"],
  ["AskUserQuestion", {}, "leave", "leave"],
  ["ExitPlanMode", {}, "leave", "leave"],
  ["Teleport", {}, "ask", "ask"],
  ["WebFetch", { url: "https://x.example" }, "ask", "ask"],
])("H02: %s %j is %s in mode jail, %s in mode ask", (name, input, jail, ask) => {
  expect([judges.jail(call(name, input), PROJECT).kind, judges.ask(call(name, input), PROJECT).kind]).toEqual(
    [jail, ask],
  );
});

test("a tool of an MCP server is asked about, whatever it is called", () => {
  expect(judges.jail(call("Bash", { command: "ls" }, { isMcp: true }), PROJECT)).toEqual({ kind: "ask" });
});

test("while the CLI plans nothing that changes anything is allowed, and in a mode that we did not set everything is asked", () => {
  expect(judges.jail(call("Bash", { command: "ls" }, { cliMode: "plan" }), PROJECT).kind).toBe("leave");
  expect(judges.plan(call("Write", file("a.ts")), PROJECT).kind).toBe("leave");
  for (const cliMode of ["acceptEdits", "bypassPermissions", "unseen", "auto"])
    expect(judges.jail(call("Write", file("a.ts"), { cliMode }), PROJECT).kind).toBe("ask");
});

test("a secret file that an owner has shown may be read and written, that one alone; protected paths stay shut", () => {
  const exposed = ["/work/app/.env", "/work/app/.vscode/a.key"];
  const judge = createJudge({ mode: "jail", isSecret, exposed });
  const verdictOf = (name: string, path: string) => judge(call(name, file(path)), PROJECT).kind;
  expect([".env", "./x/../.env", "/work/app/.env"].map((path) => verdictOf("Read", path))).toEqual([
    "allow",
    "allow",
    "allow",
  ]);
  expect(verdictOf("Write", ".env")).toBe("allow");
  expect(
    [".ENV", ".env.local", "sub/.env", ".env/x", "../.env"].map((path) => verdictOf("Read", path)),
  ).toEqual(["deny", "deny", "deny", "deny", "deny"]);
  expect(verdictOf("Write", ".vscode/a.key")).toBe("deny");
});

test("the rules that cover a shown file are left out, the others stay", () => {
  const all = denyRules(["*.vault"]);
  const left = denyRules(["*.vault"], ["/work/app/.env", "/work/app/x/my.vault"]);
  expect(all.filter((rule) => !left.includes(rule))).toEqual([
    "Read(**/.env)",
    "Edit(**/.env)",
    "Read(**/*.vault)",
    "Edit(**/*.vault)",
  ]);
});

test("the CLI's own network requests are never granted", () => {
  expect(judges.jail(call("SandboxNetworkAccess", { host: "x" }), PROJECT)).toEqual({
    kind: "deny",
    cause: "network",
  });
});

test.each([{}, { file_path: 7 }, { file_path: null }, { file_path: ["a"] }])(
  "a file tool with %j cannot be judged",
  (input) => {
    expect(judges.jail(call("Write", input), PROJECT)).toEqual({ kind: "deny", cause: "malformed" });
  },
);

const SECRETS = [
  ".env",
  "config/.env.local",
  "server.key",
  "a/.ssh/id_ed25519",
  ".aws/credentials",
  "my.vault",
];
const PROTECTED = [
  ".git/config",
  ".git/hooks/pre-commit",
  "sub/.git/config",
  ".claude/settings.json",
  ".mcp.json",
  ".vscode/tasks.json",
  ".husky/x",
];

/** Ways to write a path that some disk, or the CLI, takes for the same. */
const spelling = tuple(
  constantFrom("", "./", `${PROJECT}/`, `${PROJECT}//`, "x/../", ` ${PROJECT}/`, "src/../"),
  constantFrom(
    (path: string) => path,
    (path: string) => path.toUpperCase(),
    (path: string) => path.replaceAll("/", "//"),
    (path: string) => path.replaceAll("/", "/./"),
    (path: string) => path.replaceAll("s", "\u017f"),
    (path: string) => path.replaceAll("e", "e\u200c"),
  ),
  constantFrom("", " ", "/", "/."),
);

test("H05: no spelling turns a secret into a file that may be read or written", () => {
  assert(
    property(
      constantFrom(...SECRETS),
      spelling,
      constantFrom("Read", "Edit", "Write"),
      constantFrom("jail", "ask", "plan"),
      (path, [before, change, after], tool, mode) => {
        const judgement = judges[mode](call(tool, file(`${before}${change(path)}${after}`)), PROJECT);
        expect(judgement).toEqual({ kind: "deny", cause: "secret" });
      },
    ),
  );
});

test("H22: no spelling lets a file be written that runs something later", () => {
  assert(
    property(
      constantFrom(...PROTECTED),
      spelling,
      constantFrom("Edit", "Write", "NotebookEdit"),
      (path, [before, change, after], tool) => {
        const at = `${before}${change(path)}${after}`;
        const input = tool === "NotebookEdit" ? { notebook_path: at } : file(at);
        expect(judges.jail(call(tool, input), PROJECT)).toEqual({ kind: "deny", cause: "protected" });
      },
    ),
  );
});

test("ordinary names are no secrets and nothing protected, whatever folders they lie in", () => {
  const name = constantFrom(
    "a.ts",
    "README.md",
    ".env.example",
    "environment.ts",
    "keys.ts",
    "git.ts",
    ".gitignore",
    ".github",
    "claude.md",
  );
  assert(
    property(array(name, { minLength: 1, maxLength: 4 }), (names) => {
      if (names.slice(0, -1).includes(".env.example")) return;
      expect(judges.jail(call("Write", file(names.join("/"))), PROJECT)).toEqual({ kind: "allow" });
    }),
  );
});

test("H68: what the person sent is read unasked and written by nobody, in every mode", () => {
  const uploads = "/uploads";
  for (const mode of ["jail", "ask", "plan"] as const) {
    const judge = createJudge({ mode, isSecret, uploads });
    const kindOf = (name: string, path: string) => judge(call(name, file(path)), PROJECT);
    expect(kindOf("Read", "/uploads/a.pdf")).toEqual({ kind: "allow" });
    expect(kindOf("Read", "/uploads/app/src/a.ts")).toEqual({ kind: "allow" });
    for (const name of ["Write", "Edit", "MultiEdit"])
      expect(kindOf(name, "/uploads/a.pdf")).toEqual({ kind: "deny", cause: "uploads" });
    expect(kindOf("Write", "../../uploads/new.txt")).toEqual({ kind: "deny", cause: "uploads" });
    expect(kindOf("Read", "/uploads/id_rsa")).toEqual({ kind: "deny", cause: "secret" });
    const other = mode === "jail" ? "allow" : "leave";
    expect(kindOf("Read", "/uploads/../etc/hosts").kind).toBe(other);
    expect(kindOf("Read", "/uploads-of-others/a").kind).toBe(other);
    const none = createJudge({ mode, isSecret });
    expect(none(call("Read", file("/uploads/a.pdf")), PROJECT).kind).toBe(other);
  }
});
