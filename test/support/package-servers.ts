import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { createCertificate } from "./git-server.ts";
import { tempDir } from "./temp.ts";

const run = promisify(execFile);

/** What a host answers, by path; the host's name stands before the path. */
export type Pages = Readonly<Record<string, string | Buffer>>;

/** The hosts of a package registry, served over TLS at one port. */
export interface PackageServer {
  readonly hosts: Readonly<Record<string, number>>;
  /** Its certificate, in PEM. */
  readonly ca: string;
  readonly requests: readonly string[];
}

/** Serves pages at `https://<host><path>`; anything else is 404. */
export async function servePackages(pages: Pages): Promise<PackageServer> {
  const names = [...new Set(Object.keys(pages).map((address) => address.split("/")[0] ?? ""))];
  const { key, cert } = await createCertificate(names);
  const requests: string[] = [];
  const server = createServer({ key, cert }, (request, response) => {
    const address = `${request.headers.host}${request.url}`;
    requests.push(address);
    const page = pages[address];
    const type = typeof page === "string" && page.startsWith("<") ? "text/html" : "application/json";
    response.writeHead(page === undefined ? 404 : 200, {
      "content-type": typeof page === "string" ? type : "application/octet-stream",
    });
    response.end(page ?? "not here");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  return { hosts: Object.fromEntries(names.map((name) => [name, port])), ca: cert, requests };
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

async function tarball(folder: string, entry: string): Promise<Buffer> {
  await run("tar", ["-czf", join(folder, "out.tgz"), "-C", folder, entry]);
  return readFileSync(join(folder, "out.tgz"));
}

/** npm's registry with one package, `tiny`, which exports `seven`. */
export async function npmPages(): Promise<Pages> {
  const folder = tempDir("npm-");
  write(join(folder, "package"), {
    "package.json": JSON.stringify({ name: "tiny", version: "1.0.0", main: "index.js" }),
    "index.js": "exports.seven = 7;\n",
  });
  const archive = await tarball(folder, "package");
  const tarballUrl = "https://registry.npmjs.org/tiny/-/tiny-1.0.0.tgz";
  const integrity = `sha512-${createHash("sha512").update(archive).digest("base64")}`;
  const version = {
    name: "tiny",
    version: "1.0.0",
    main: "index.js",
    dist: { tarball: tarballUrl, integrity },
  };
  return {
    "registry.npmjs.org/tiny": JSON.stringify({
      name: "tiny",
      "dist-tags": { latest: "1.0.0" },
      versions: { "1.0.0": version },
    }),
    "registry.npmjs.org/tiny/-/tiny-1.0.0.tgz": archive,
  };
}

/** crates.io's sparse index and its store with one crate, `tiny`, whose `seven()` is 7. */
export async function cratesPages(): Promise<Pages> {
  const folder = tempDir("crate-");
  write(join(folder, "tiny-1.0.0"), {
    "Cargo.toml": '[package]\nname = "tiny"\nversion = "1.0.0"\nedition = "2021"\n',
    "src/lib.rs": "pub fn seven() -> u32 { 7 }\n",
  });
  const archive = await tarball(folder, "tiny-1.0.0");
  const cksum = createHash("sha256").update(archive).digest("hex");
  const entry = { name: "tiny", vers: "1.0.0", deps: [], cksum, features: {}, yanked: false };
  return {
    "index.crates.io/config.json": JSON.stringify({
      dl: "https://static.crates.io/crates",
      api: "https://crates.io",
    }),
    "index.crates.io/ti/ny/tiny": JSON.stringify(entry),
    "static.crates.io/crates/tiny/1.0.0/download": archive,
  };
}
