import { assert, property, string, webPath } from "fast-check";
import { expect, test } from "vitest";
import { parseGitRoute } from "../../src/egress/git-route.ts";

const GATE = "http://git.gate";
const remote = { host: "github.com", repository: "acme/shop" };

test.each([
  ["GET", "/github.com/acme/shop.git/info/refs?service=git-upload-pack", "git-upload-pack", "discover"],
  ["GET", "/github.com/acme/shop/info/refs?service=git-receive-pack", "git-receive-pack", "discover"],
  ["POST", "/github.com/acme/shop.git/git-upload-pack", "git-upload-pack", "exchange"],
  ["POST", "/github.com/acme/shop/git-receive-pack", "git-receive-pack", "exchange"],
])("%s %s is one of the four routes", (method, path, service, step) => {
  expect(parseGitRoute(method, `${GATE}${path}`)).toMatchObject({ remote, service, step });
});

test("what goes out is put together anew, whatever way it was written", () => {
  expect(parseGitRoute("GET", `${GATE}/github.com/acme/shop/info/refs?service=git-upload-pack`)?.path).toBe(
    "/acme/shop.git/info/refs?service=git-upload-pack",
  );
  expect(parseGitRoute("POST", `${GATE}/gitlab.com/group/sub/shop.git/git-upload-pack`)?.remote).toEqual({
    host: "gitlab.com",
    repository: "group/sub/shop",
  });
});

test.each([
  ["GET", "/github.com/acme/shop.git/info/refs"],
  ["GET", "/github.com/acme/shop.git/info/refs?service=git-upload-pack&x=1"],
  ["GET", "/github.com/acme/shop.git/HEAD"],
  ["GET", "/github.com/acme/shop.git/objects/info/packs"],
  ["POST", "/github.com/acme/shop.git/info/lfs/objects/batch"],
  ["POST", "/github.com/acme/shop.git/git-receive-pack?x=1"],
  ["GET", "/github.com/acme/shop.git/git-upload-pack"],
  ["PUT", "/github.com/acme/shop.git/git-receive-pack"],
  ["POST", "/127.0.0.1/acme/shop.git/git-upload-pack"],
  ["POST", "/localhost/acme/shop.git/git-upload-pack"],
  ["POST", "/github.com/shop.git/git-upload-pack"],
  ["POST", "/github.com/acme/%2e%2e/shop.git/git-upload-pack"],
  ["POST", "/github.com/acme/a%2fb.git/git-upload-pack"],
  ["POST", "/github.com/acme/sh op.git/git-upload-pack"],
])("%s %s is none", (method, path) => {
  expect(parseGitRoute(method, `${GATE}${path}`)).toBeNull();
});

test("no address makes it throw, and no repository that it gives leaves its host", () => {
  assert(
    property(webPath(), string(), (path, text) => {
      for (const at of [
        `${GATE}/github.com${path}/git-upload-pack`,
        `${GATE}/${text}/git-upload-pack`,
        text,
      ]) {
        const route = parseGitRoute("POST", at);
        if (route === null) continue;
        expect(route.remote.repository.split("/")).not.toContain("..");
        expect(route.path).toBe(`/${route.remote.repository}.git/git-upload-pack`);
      }
    }),
  );
});
