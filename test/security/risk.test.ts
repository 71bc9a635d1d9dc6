import { expect, test } from "vitest";
import type { AuditEvent } from "../../src/domain/audit-event.ts";
import { riskOf, risksFrom } from "../../src/security/risk.ts";

const RISKS: readonly (readonly [string, AuditEvent])[] = [
  ["low", { type: "daemon.started", version: "1", sandbox: "bwrap", permissionMode: "jail" }],
  ["critical", { type: "daemon.started", version: "1", sandbox: "none", permissionMode: "ask" }],
  ["medium", { type: "auth.login", role: "member", inviteId: 1, isSecondFactor: false }],
  ["high", { type: "auth.login", role: "owner", inviteId: 1, isSecondFactor: false }],
  ["medium", { type: "auth.invite", id: 1, role: "member", expiresAt: 1 }],
  ["high", { type: "auth.invite", id: 1, role: "owner", expiresAt: 1 }],
  ["low", { type: "auth.attempt" }],
  ["low", { type: "tool.asked", tool: "Read", toolUseId: "t", summary: "s" }],
  ["medium", { type: "tool.asked", tool: "Bash", toolUseId: "t", summary: "s" }],
  ["high", { type: "tool.asked", tool: "mcp__a__b", toolUseId: "t", summary: "s" }],
  [
    "high",
    { type: "tool.denied", by: "policy", cause: "secret", tool: "Read", toolUseId: "t", summary: "s" },
  ],
];

test.each(RISKS)("the risk is %s of %j", (risk, event) => {
  expect(riskOf(event)).toBe(risk);
});

test("a word is a risk and all above it, however it is written, or none", () => {
  expect(risksFrom("low")).toEqual(["low", "medium", "high", "critical"]);
  expect(risksFrom("High")).toEqual(["high", "critical"]);
  expect(risksFrom("critical")).toEqual(["critical"]);
  expect(risksFrom("grave")).toBeNull();
});
