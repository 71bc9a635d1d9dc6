import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { tempDir } from "./temp.ts";

const run = promisify(execFile);
const BACKEND = "/usr/lib/git-core/git-http-backend";

/** A git host: `https://<host>/<owner>/<name>.git`, for those who know the token. */
export interface GitServer {
  readonly port: number;
  /** Its certificate, in PEM. */
  readonly ca: string;
  /** Makes a bare repository and gives its folder. */
  readonly create: (repository: string) => Promise<string>;
  /** git, run on the server's side in that repository. */
  readonly git: (repository: string, ...args: readonly string[]) => Promise<string>;
  /** Method and address of each request that showed the token, in order. */
  readonly requests: readonly string[];
  /** How many requests came without the token. */
  readonly strangers: () => number;
}

/** A certificate for the hosts, vouched for by itself. */
export async function createCertificate(hosts: readonly string[]): Promise<{ key: string; cert: string }> {
  const folder = tempDir("cert-");
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const names = hosts.map((host) => `DNS:${host}`).join(",");
  await run("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test".split(" "),
    "-addext",
    `subjectAltName=${names}`,
    "-keyout",
    key,
    "-out",
    cert,
  ]);
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

/** Serves repositories by git's own CGI over TLS. A push or fetch without the token as password gets 401. */
export async function createGitServer(host: string, token: string): Promise<GitServer> {
  const root = tempDir("git-");
  const { key, cert } = await createCertificate([host]);
  const requests: string[] = [];
  let strangers = 0;

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const basic = Buffer.from(
      request.headers.authorization?.replace("Basic ", "") ?? "",
      "base64",
    ).toString();
    if (basic !== `x-access-token:${token}`) {
      strangers += 1;
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end("who are you?\n");
      request.resume();
      return;
    }
    requests.push(`${request.method} ${request.url}`);
    const url = new URL(request.url ?? "/", `https://${host}`);
    // One whose request was cut off turns in circles for ever, also when this process is gone.
    const cgi = spawn("timeout", ["60", BACKEND], {
      env: {
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: "1",
        GIT_CONFIG_NOSYSTEM: "1",
        HOME: "/nonexistent",
        PATH: "/usr/bin:/bin",
        REMOTE_USER: "daemon",
        REQUEST_METHOD: request.method,
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        CONTENT_TYPE: request.headers["content-type"],
        HTTP_CONTENT_ENCODING: request.headers["content-encoding"],
        CONTENT_LENGTH: request.headers["content-length"],
        GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      },
    });
    cgi.stdin.on("error", () => undefined); // it may end before it has read all
    request.pipe(cgi.stdin);
    void answer(cgi.stdout, response);
  }

  const server = createServer({ key, cert }, handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    ca: cert,
    create: async (repository) => {
      const folder = join(root, `${repository}.git`);
      mkdirSync(folder, { recursive: true });
      await run("git", ["init", "-q", "--bare", "-b", "main", folder]);
      await run("git", ["-C", folder, "config", "http.receivepack", "true"]);
      return folder;
    },
    git: async (repository, ...args) =>
      (await run("git", ["-C", join(root, `${repository}.git`), ...args])).stdout.trim(),
    requests,
    strangers: () => strangers,
  };
}

/** A CGI's output: headers, an empty line, the body. */
async function answer(output: NodeJS.ReadableStream, response: ServerResponse): Promise<void> {
  let head = Buffer.alloc(0);
  let isBody = false;
  for await (const chunk of output) {
    if (isBody) {
      response.write(chunk);
      continue;
    }
    head = Buffer.concat([head, Buffer.from(chunk)]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) continue;
    isBody = true;
    const lines = head.toString("latin1", 0, end).split("\r\n");
    const headers = Object.fromEntries(lines.map((line) => line.split(/:\s*/, 2)));
    response.writeHead(Number.parseInt(headers.Status ?? "200", 10), {
      ...headers,
      "set-cookie": "session=secret",
    });
    response.write(head.subarray(end + 4));
  }
  response.end();
}
