import { expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { judgeVersion, TESTED } from "../../src/claude/version.ts";

test("the version that the tests run is the last one that counts as tested", () => {
  expect(packageJson.devDependencies["@anthropic-ai/claude-code"]).toBe(TESTED.to);
  expect(judgeVersion(TESTED.to)).toEqual({ kind: "tested" });
  expect(judgeVersion(`${TESTED.to} (Claude Code)`)).toEqual({ kind: "tested" });
});

test.each(["2.1.329", "2.0.999", "1.9.0", "3.0.0", "", "2.1", "two"])(
  "%s is refused with what to do",
  (version) => {
    expect(judgeVersion(version)).toMatchObject({
      kind: "refused",
      detail: expect.stringContaining("npm install -g @anthropic-ai/claude-code"),
    });
  },
);

test.each(["2.1.331", "2.2.0", "2.10.0"])("%s is newer than what was tested", (version) => {
  expect(judgeVersion(version)).toEqual({ kind: "untested" });
});
