import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { createSecret } from "../../src/config/secret.ts";
import { askGitHost, tokenFor, tokenSetting } from "../../src/egress/git-host.ts";
import { createGitServer } from "../support/git-server.ts";

const HOST = "git.example.com";
const TOKENS = new Map([["GIT_EXAMPLE_COM", createSecret("the-token")]]);

async function ask(host: string, extraCa: string | undefined, port: number) {
  const internet = {
    lookup: async () => ["93.184.216.34"],
    connect: () => connect({ host: "127.0.0.1", port }),
    ...(extraCa === undefined ? {} : { extraCa }),
  };
  const signal = new AbortController().signal;
  const path = "/acme/shop.git/info/refs?service=git-upload-pack";
  const out = await askGitHost(
    { internet, tokens: TOKENS, signal },
    { host },
    { method: "GET", path, headers: {} },
  );
  if (typeof out === "string") return out;
  out.end();
  const [answer] = await once(out, "response");
  return `${answer.statusCode} ${await text(answer)}`;
}

test("a git host is spoken to over TLS, with the token as a password", async () => {
  const server = await createGitServer(HOST, "the-token");
  await server.create("acme/shop");
  expect(await ask(HOST, server.ca, server.port)).toMatch(/^200 /);
});

test("a certificate that nobody vouches for, or of another host, is refused", async () => {
  const server = await createGitServer(HOST, "the-token");
  await expect(ask(HOST, undefined, server.port)).rejects.toThrow(/self-signed/);
  await expect(ask("other.example.com", server.ca, server.port)).rejects.toThrow(/altnames|Hostname/);
});

test("the setting for a host is its name in capitals, every other sign as _", () => {
  expect(tokenSetting("git.my-corp.example")).toBe("GIT_TOKEN_GIT_MY_CORP_EXAMPLE");
  expect(tokenFor(TOKENS, "git.example.com")?.reveal()).toBe("the-token");
  expect(tokenFor(TOKENS, "example.com")).toBeNull();
});
