import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { callTool, createQueueScript, type QueueStep, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelRequest } from "../../src/demo/messages-api/types.ts";
import { createStage, hasButton, says, USER } from "../support/daemon.ts";
import { auditIn } from "../support/daemon-database.ts";
import { withInternet } from "../support/internet.ts";
import { until } from "../support/until.ts";
import { WAIT_MS } from "../support/wait-ms.ts";

const MEMBER = 2002;

/** A machine that greets whoever connects and hangs up. */
async function createMachine(greeting: string) {
  const sockets = new Set<Socket>();
  let count = 0;
  const server: Server = createServer((socket) => {
    count += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(greeting));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { port: typeof address === "object" ? (address?.port ?? 0) : 0, count: () => count };
}

/** A Bash call that opens a tunnel to the host by the jail's proxy, says a word and prints what comes. */
const reach = (host: string): QueueStep =>
  callTool("Bash", {
    command: `echo hi | timeout 20 curl -sS -x "$HTTPS_PROXY" --proxytunnel telnet://${host} 2>&1 | head -c 300; echo "[end]"`,
  });
const sayResult = ({ toolResults }: ModelRequest) => reply(`got: ${toolResults[0]?.text}`);

async function openStage(steps: readonly QueueStep[], hosts: Record<string, number>, env = {}) {
  const internet = withInternet({ hosts });
  const stage = await createStage({
    script: createQueueScript(steps),
    entry: internet.entry,
    env: { ...internet.env, CLAUDE_PERMISSION_MODE: "ask", ...env },
  });
  const allow = async (prompt: string) => {
    const sent = stage.chat.send(prompt);
    const asked = await stage.waitFor(
      (message) => hasButton("Allow once")(message) && message.messageId > sent.messageId,
      "the ask for Bash",
    );
    stage.chat.press(asked.messageId, "Allow once");
  };
  const question = (host: string) =>
    stage.waitFor(
      (message) => hasButton("For this project")(message) && message.text.includes(`wants to reach ${host}`),
      `the question about ${host}`,
    );
  return { ...stage, allow, question };
}

test("an unknown host is asked about while the program waits; [Once] lets it through for the turn, [For this project] for good", async () => {
  const machine = await createMachine("hello from outside");
  const stage = await openStage(
    [
      reach("api.example.com:443"),
      reach("api.example.com:443"),
      sayResult,
      reach("api.example.com:443"),
      sayResult,
      reach("api.example.com:443"),
      sayResult,
    ],
    { "api.example.com": machine.port },
  );
  let life = await stage.start();
  await stage.allow("go");
  const first = await stage.question("api.example.com");
  expect(first.text).toContain("Whatever it can read it could send there.");
  expect(machine.count()).toBe(0);
  stage.chat.press(first.messageId, "Once");
  // The second call of the same turn is not asked about again.
  const again = await stage.waitFor(
    (message) => hasButton("Allow once")(message) && message.messageId > first.messageId,
    "the ask for the second Bash",
  );
  stage.chat.press(again.messageId, "Allow once");
  await stage.waitFor(({ text }) => text.includes("got: hello from outside"));
  expect(machine.count()).toBe(2);

  await stage.allow("and again");
  const second = await stage.waitFor(
    (message) => hasButton("For this project")(message) && message.messageId > again.messageId,
    "the question of the next turn",
  );
  stage.chat.press(second.messageId, "For this project");
  await stage.waitFor(({ text }) => text.includes("✅ Allowed for this project."));
  const answers = () => stage.api.messages(USER).filter(says("got: hello")).length;
  await until(() => answers() === 2, "the answer of the second turn", 20_000);
  expect(await life.kill("SIGTERM")).toEqual({ code: 0, signal: null });

  life = await stage.start();
  await stage.allow("once more");
  await until(() => answers() === 3, "the answer of the next life", 20_000);
  await stage.ask("/hosts", "From demo: api.example.com");
  const { messageId } = await stage.waitFor(hasButton("Remove api.example.com"));
  stage.chat.press(messageId, "Remove api.example.com");
  await stage.waitFor(({ text }) => text === "api.example.com is asked about again.");

  const ruled = auditIn(stage.home, "net.ruled").map(({ host, verdict, userId }) => ({
    host,
    verdict,
    userId,
  }));
  expect(ruled).toEqual([
    { host: "api.example.com", verdict: "allow", userId: USER },
    { host: "api.example.com", verdict: "removed", userId: USER },
  ]);
  await until(() => auditIn(stage.home, "net.connected").length === 4, "the record of each connection");
});

test("[Never] refuses in words that the program shows, this time and the next, and without a question", async () => {
  const machine = await createMachine("never seen");
  const stage = await openStage(
    [
      reach("evil.example.com:443"),
      sayResult,
      callTool("Bash", {
        command: `curl -sS https://evil.example.com/ 2>&1; curl -sv https://evil.example.com/ 2>&1 | grep 403; echo "[end]"`,
      }),
      sayResult,
    ],
    { "evil.example.com": machine.port },
  );
  await stage.start();
  await stage.allow("go");
  const asked = await stage.question("evil.example.com");
  stage.chat.press(asked.messageId, "Never");
  await stage.waitFor(({ text }) => text.includes("got:") && text.includes("403"));
  await stage.allow("try again");
  const told = await stage.waitFor(
    ({ text, messageId }) => text.includes("got:") && text.includes("403") && messageId > asked.messageId + 1,
  );
  expect(told.text).toContain("CONNECT tunnel failed, response 403");
  // What the model is told to look at.
  expect(told.text).toContain("403 Sallyport: evil.example.com is closed for this project");
  expect(JSON.stringify(stage.model.requests[0]?.body)).toContain("curl -sv https://HOST/");
  expect(machine.count()).toBe(0);
  expect(auditIn(stage.home, "net.refused").map(({ host, reason }) => [host, reason])).toEqual([
    ["evil.example.com", "denied"],
    ["evil.example.com", "closed"],
  ]);
});

test("what is allowed by the settings is not asked about; local and numbered addresses never are, they are refused", async () => {
  const machine = await createMachine("hello from the list");
  const stage = await openStage(
    [
      reach("api.listed.example:443"),
      callTool("Bash", {
        command: `for host in 127.0.0.1:${machine.port} 2130706433:443 0x7f.1:443 localhost:443 printer.local:443 [::1]:443 10.0.0.1:443; do
          timeout 5 curl -sS -x "$HTTPS_PROXY" --proxytunnel telnet://$host </dev/null 2>&1 | head -c 120; done; curl -sS http://api.listed.example/ 2>&1; echo "[end]"`,
      }),
      sayResult,
    ],
    { "api.listed.example": machine.port },
    { SANDBOX_ALLOWED_DOMAINS: "*.listed.example" },
  );
  await stage.start();
  await stage.allow("go");
  const next = await stage.waitFor(
    (message) => hasButton("Allow once")(message) && message.text.includes("2130706433"),
  );
  stage.chat.press(next.messageId, "Allow once");
  const { text } = await stage.waitFor((message) => message.text.includes("got:"));
  expect(text).not.toContain("hello");
  expect(text).toContain("only https is reachable");
  expect(machine.count()).toBe(1);
  const refused = auditIn(stage.home, "net.refused").map(
    ({ host, reason }) => `${String(host)} ${String(reason)}`,
  );
  expect(refused).toEqual(
    expect.arrayContaining(["10.0.0.1 no_public_name", "api.listed.example not_https"]),
  );
  expect(stage.botTexts().filter((line) => line.includes("wants to reach"))).toEqual([]);
});

test("a stop withdraws the question and the connection that waits for it", async () => {
  const stage = await openStage([reach("slow.example.com:443"), sayResult], { "slow.example.com": 1 });
  await stage.start();
  await stage.allow("go");
  const asked = await stage.question("slow.example.com");
  stage.chat.send("/stop");
  await stage.waitFor(({ text }) => text.includes("⏹ Stopped."));
  const { keyboard } = await stage.waitFor(
    ({ messageId, text }) => messageId === asked.messageId && text.includes("before anybody answered"),
  );
  expect(keyboard).toBeNull();
});

test("a program that gives up takes its question with it, and the turn goes on", async () => {
  const command = `curl -sS https://gone.example.com/ 2>&1 & p=$!; while [ ! -e give-up ]; do sleep 0.1; done; kill $p; wait; echo "[end]"`;
  const stage = await openStage([callTool("Bash", { command }), sayResult], { "gone.example.com": 1 });
  await stage.start();
  await stage.allow("go");
  const asked = await stage.question("gone.example.com");
  writeFileSync(join(stage.project, "give-up"), "");
  const { keyboard } = await stage.waitFor(
    ({ messageId, text }) => messageId === asked.messageId && text.includes("before anybody answered"),
  );
  expect(keyboard).toBeNull();
  await stage.waitFor(({ text }) => text.includes("got:") && text.includes("[end]"));
});

test("nobody's answer is a no", async () => {
  const stage = await openStage(
    [reach("late.example.com:443"), sayResult],
    { "late.example.com": 1 },
    { APPROVAL_TIMEOUT_SECONDS: "3", CLAUDE_PERMISSION_MODE: "jail" },
  );
  await stage.start();
  stage.chat.send("go");
  await stage.waitFor(({ text }) => text.includes("got:") && text.includes("403"));
  expect(auditIn(stage.home, "tool.answered").map(({ answer }) => answer)).toEqual(["expired"]);
});

test("a member may say [Once]; what holds for the whole project is for owners", async () => {
  const machine = await createMachine("hello member");
  const stage = await openStage(
    [reach("api.example.com:443"), sayResult],
    { "api.example.com": machine.port },
    { ALLOWED_USERS: `${USER},${MEMBER}` },
  );
  await stage.start();
  const chat = stage.api.user({ id: MEMBER, firstName: "Bob" }).chat();
  chat.open();
  const seen = (text: string) =>
    stage.api.waitForMessage(MEMBER, says(text), {
      what: text,
      timeoutMs: WAIT_MS,
    });
  chat.send("go");
  chat.press((await seen("Claude wants to use Bash")).messageId, "Allow once");
  const asked = await seen("wants to reach api.example.com");
  expect(asked.text).toContain("Only an owner can say it for the whole project");
  await chat.press(asked.messageId, "For this project").answered();
  expect(machine.count()).toBe(0);
  expect(auditIn(stage.home, "violation.forged_callback")).toHaveLength(1);
  chat.press(asked.messageId, "Once");
  await seen("got: hello member");
});

test("a loopback port of SANDBOX_LOCAL_PORTS is reached from the jail, another one is not", async () => {
  const [open, closed] = [await createMachine("hello database"), await createMachine("not for you")];
  const ask = (port: number) => `echo hi | timeout 5 socat -t 5 - TCP:127.0.0.1:${port} 2>&1; echo`;
  const stage = await openStage(
    [callTool("Bash", { command: `${ask(open.port)}; ${ask(closed.port)}` }), sayResult],
    {},
    { SANDBOX_LOCAL_PORTS: String(open.port) },
  );
  await stage.start();
  await stage.allow("go");
  const { text } = await stage.waitFor((message) => message.text.includes("got:"));
  expect(text).toContain("hello database");
  expect([open.count(), closed.count()]).toEqual([1, 0]);
});
