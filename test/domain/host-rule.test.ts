import { assert, constantFrom, domain, integer, ipV4, ipV6, oneof, property, string } from "fast-check";
import { expect, test } from "vitest";
import { coversHost, parseHostName, parseHostRule } from "../../src/domain/host-rule.ts";

test.each([
  ["Example.COM", "example.com"],
  ["api.example.com.", "api.example.com"],
  ["xn--bcher-kva.example", "xn--bcher-kva.example"],
  ["a-b.c1.example", "a-b.c1.example"],
])("%s is the name %s", (text, name) => {
  expect(parseHostName(text)).toBe(name);
});

test.each([
  "",
  ".",
  "localhost",
  "com",
  "example",
  "127.0.0.1",
  "127.1",
  "0x7f.0.0.1",
  "0x7f.1",
  "2130706433",
  "017700000001",
  "[::1]",
  "::1",
  "1.2.3.4.",
  "example.1",
  "example.0x7f",
  "a..b",
  ".example.com",
  "-a.example",
  "a-.example",
  "exa mple.com",
  "example.com\n",
  "example.com/",
  "user@example.com",
  "example.com:443",
  "bücher.example",
  "ｅxample.com",
  "example。com",
  "printer.local",
  "db.internal",
  "router.lan",
  "a.localhost",
  "1.0.0.127.in-addr.arpa",
  "x.onion",
  `${"a".repeat(64)}.example`,
  `${"a.".repeat(130)}example`,
  "*.example.com",
  "%65xample.com",
])("%j is no name of a host of the internet", (text) => {
  expect(parseHostName(text)).toBeNull();
});

test("no address in any spelling is a name, and a name never changes when it is read again", () => {
  const hex = integer({ min: 0, max: 0xffffffff }).map((value) => `0x${value.toString(16)}`);
  const octal = integer({ min: 0, max: 0xffffffff }).map((value) => `0${value.toString(8)}`);
  const decimal = integer({ min: 0, max: 0xffffffff }).map(String);
  assert(
    property(oneof(ipV4(), ipV6(), hex, octal, decimal), constantFrom("", "."), (address, dot) => {
      expect(parseHostName(`${address}${dot}`)).toBeNull();
    }),
  );
  assert(
    property(oneof(domain(), string()), (text) => {
      const name = parseHostName(text);
      if (name !== null) expect(parseHostName(name)).toBe(name);
    }),
  );
});

test.each([
  ["example.com", { host: "example.com", isSuffix: false, port: 443 }],
  ["*.Example.com:8443", { host: "example.com", isSuffix: true, port: 8443 }],
])("%s is a rule", (text, rule) => {
  expect(parseHostRule(text)).toEqual(rule);
});

test.each([
  "*",
  "*.",
  "*.com.*",
  "a*.example.com",
  "example.com:0",
  "example.com:65536",
  "example.com:",
  "127.0.0.1",
  "*.localhost",
])("%j is none", (text) => {
  expect(parseHostRule(text)).toBeNull();
});

test("a rule covers its host, or all below its suffix, at its port and no other", () => {
  const exact = { host: "example.com", isSuffix: false, port: 443 };
  const below = { ...exact, isSuffix: true };
  const at = (host: string, port = 443) => ({ host, port });
  expect(coversHost(exact, at("example.com"))).toBe(true);
  expect(coversHost(exact, at("example.com", 22))).toBe(false);
  expect(coversHost(exact, at("api.example.com"))).toBe(false);
  expect(coversHost(below, at("api.example.com"))).toBe(true);
  expect(coversHost(below, at("a.b.example.com"))).toBe(true);
  expect(coversHost(below, at("example.com"))).toBe(false);
  expect(coversHost(below, at("evilexample.com"))).toBe(false);
});
