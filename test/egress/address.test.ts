import { assert, integer, ipV6, property, tuple } from "fast-check";
import { expect, test } from "vitest";
import { isPublicAddress } from "../../src/egress/address.ts";

test.each([
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "100.127.255.255",
  "127.0.0.1",
  "127.255.0.1",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.1",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.1.1",
  "198.18.0.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:93.184.216.34",
  "64:ff9b::7f00:1",
  "64:ff9b:1::1",
  "100::1",
  "2001::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "3fff::1",
  "fc00::1",
  "fd12::1",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "ff02::1",
  "5f00::1",
  "",
  "localhost",
  "127.1",
  "2130706433",
  "0x7f000001",
  "1.2.3.4.5",
  "93.184.216.34 ",
  "2606:4700::1%1",
])("%j is not of the public internet", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each([
  "93.184.216.34",
  "1.1.1.1",
  "100.63.0.1",
  "172.32.0.1",
  "198.20.0.1",
  "2606:4700:4700::1111",
  "2a00:1450::1",
])("%s is", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test("no address with a private v4 address inside it passes, and outside 2000::/3 none does", () => {
  const octet = integer({ min: 0, max: 255 });
  assert(
    property(tuple(octet, octet, octet), ([b, c, d]) => {
      for (const v4 of [`10.${b}.${c}.${d}`, `127.${b}.${c}.${d}`, `192.168.${c}.${d}`]) {
        expect(isPublicAddress(v4)).toBe(false);
        expect(isPublicAddress(`::ffff:${v4}`)).toBe(false);
        expect(isPublicAddress(`64:ff9b::${v4}`)).toBe(false);
      }
    }),
  );
  assert(
    property(ipV6(), (address) => {
      const first = address.startsWith("::") ? 0 : Number.parseInt(address.split(":")[0] ?? "", 16);
      if (first < 0x2000 || first > 0x3fff) expect(isPublicAddress(address)).toBe(false);
    }),
  );
});
