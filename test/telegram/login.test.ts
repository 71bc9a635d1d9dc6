import { describe, expect, test } from "vitest";
import { makeToken } from "../../src/security/login-token.ts";
import { createDoorBench, type DoorBench } from "../support/door.ts";

const STRANGER = 66;
const SECRET = "a-secret-of-thirty-two-characters";

const typesOf = ({ store }: DoorBench, userId: number): readonly string[] =>
  [...store.audit.rows()].filter((row) => row.userId === userId).map(({ type }) => type);

const isTaken = ({ api }: DoorBench) =>
  api.waitFor(() => api.pendingUpdates().length === 0, { what: "all updates are taken" });

test("while the bot is locked a stranger's logins lead to nothing: no row, no call, and owners are told of the knocking", async () => {
  const bench = await createDoorBench({ tokenSecret: SECRET });
  bench.live();
  bench.owner.send("/lock");
  await bench.owner.reads("🔒 Locked.");
  const stranger = bench.chatOf(STRANGER);
  for (let guess = 1; guess <= 30; guess += 1) stranger.send(`/login ${makeToken()}`);
  await bench.owner.reads("who is not admitted has written to me");
  await isTaken(bench);
  bench.owner.send("/help");
  await bench.owner.reads("/status:");
  expect(bench.store.outbox.chats()).not.toContain(STRANGER);
  expect(bench.api.log.filter(({ method }) => method === "deleteMessage")).toEqual([]);
  expect(typesOf(bench, STRANGER)).toEqual(["auth.failure"]);
});

test("owners are told of a stranger who tries tokens, and the message is taken off the screen after the answer", async () => {
  const bench = await createDoorBench({ tokenSecret: SECRET });
  bench.live();
  const stranger = bench.chatOf(STRANGER);
  const { messageId } = stranger.send(`/login ${makeToken()}`);
  await bench.owner.reads("has tried to log in with a token that is not good (id 66)");
  await stranger.reads("That did not work.");
  const isOff = () => bench.api.messages(STRANGER).find((one) => one.messageId === messageId)?.isDeleted;
  await bench.api.waitFor(() => isOff() === true, { what: "the message is deleted" });
  const calls = bench.api.log
    .filter(({ payload }) => payload.chat_id === STRANGER)
    .map(({ method }) => method);
  expect(calls).toEqual(["sendMessage", "deleteMessage"]);
});

test("/revoke says what it ended: of a listed owner with a turn at work only the invite that he made", async () => {
  const bench = await createDoorBench({ tokenSecret: SECRET });
  const life = bench.live();
  bench.partner.send("/invite");
  await bench.partner.reads("good for one login");
  bench.partner.send("long work");
  const turn = await life.asked();
  bench.owner.send("/revoke 9");
  const taken = "1 open invite that 9 made is taken back.";
  const listed =
    "9 stands in ALLOWED_USERS, which is the file of whoever runs this machine: he is taken out there, and the bot started anew.";
  expect((await bench.owner.reads("taken back")).text).toBe(`${taken} ${listed}`);
  expect(turn.signal.aborted).toBe(false);
  bench.owner.send("/invite");
  const { text } = await bench.owner.reads("good for one login");
  bench.partner.send(/\/login \S+/.exec(text)?.[0] ?? "");
  await bench.partner.reads("You are in, as an owner.");
  bench.owner.send("/revoke 9");
  expect((await bench.owner.reads("The login of 9")).text).toBe(`The login of 9 is ended. ${listed}`);
  expect(turn.signal.aborted).toBe(false);
});

test("an admitted person's logins take tokens of what looks and are on record; in a group one answer a window, and every token is burnt", async () => {
  const TEAM = -501;
  const bench = await createDoorBench({
    tokenSecret: SECRET,
    access: { allowedChats: [TEAM] },
    limits: { burst: 3, requestsPerWindow: 1, windowMs: 3_600_000 },
  });
  const life = bench.live();
  bench.api.addChat({ id: TEAM, type: "supergroup", title: "Team" });
  const inGroup = bench.api.user({ id: 8, firstName: "P8" }).chat(TEAM);
  inGroup.open();
  bench.owner.send("/invite");
  const token = /spt_[\w-]{43}/.exec((await bench.owner.reads("good for one login")).text)?.[0] ?? "";
  for (let no = 1; no <= 24; no += 1) inGroup.send(`/login ${makeToken()}`);
  inGroup.send(`/login ${token}`);
  await bench.api.waitFor(() => life.security.access.openInvites().length === 0, { what: "it is burnt" });
  await isTaken(bench);
  const types = typesOf(bench, 8);
  expect(types.filter((type) => type === "command.run")).toHaveLength(9); // three times the burst
  expect(types.filter((type) => type === "request.refused")).toHaveLength(16);
  await bench.api.waitForMessage(TEAM, ({ text }) => text.startsWith("That was a lot at once"), {
    what: "the refusal",
  });
  const said = bench.api.messages(TEAM).filter(({ isFromBot }) => isFromBot);
  expect(said.filter(({ text }) => text.startsWith("Log in in a private chat"))).toHaveLength(1);
  expect(said).toHaveLength(2);
});

test("where no tokens are taken a /login is told so and on record, well-formed or not", async () => {
  const bench = await createDoorBench();
  bench.live();
  for (const text of ["/login", `/login ${makeToken()}`]) {
    bench.guest.send(text);
    await bench.api.waitFor(() => bench.guest.texts().length > (text === "/login" ? 0 : 1), {
      what: "the answer",
    });
  }
  expect(new Set(bench.guest.texts())).toEqual(
    new Set(["No tokens are taken here: ENABLE_TOKEN_AUTH is off."]),
  );
  expect(typesOf(bench, 8)).toEqual(["request.admitted", "command.run", "request.admitted", "command.run"]);
});

test("who writes and is refused has used his login all the same; what a stranger writes uses none", async () => {
  const bench = await createDoorBench({ tokenSecret: SECRET, limits: { maxPromptChars: 10 } });
  const life = bench.live();
  const { people } = life.security;
  const newcomer = bench.chatOf(STRANGER);
  bench.owner.send("/invite");
  const { text } = await bench.owner.reads("good for one login");
  newcomer.send(/\/login \S+/.exec(text)?.[0] ?? "");
  await newcomer.reads("You are in");
  const HOUR_MS = 3_600_000;
  bench.setLocalAhead(41 * HOUR_MS);
  newcomer.send("a message that is too long");
  await newcomer.reads("That message is too long");
  bench.setLocalAhead(82 * HOUR_MS);
  expect(people.roleOf(STRANGER)).toBe("member");
  bench.setLocalAhead(84 * HOUR_MS);
  expect(people.roleOf(STRANGER)).toBeNull();
  newcomer.send("anybody?");
  await bench.owner.reads("who is not admitted has written to me");
  expect(people.roleOf(STRANGER)).toBeNull();
});

describe("what ends a login comes hours late, since the daemon was down", () => {
  const LATE_MS = 3_600_000;

  /** A newcomer who logged in so long ago. */
  async function withLogin(agoMs: number) {
    const bench = await createDoorBench({ tokenSecret: SECRET });
    const life = bench.live();
    const newcomer = bench.chatOf(STRANGER);
    bench.setLocalAhead(-agoMs);
    bench.owner.send("/invite");
    newcomer.send(/\/login \S+/.exec((await bench.owner.reads("good for one login")).text)?.[0] ?? "");
    await newcomer.reads("You are in");
    bench.setLocalAhead(0);
    return { ...bench, newcomer, roleOf: () => life.security.people.roleOf(STRANGER) };
  }

  test("a /revoke and a /logout that were sent after the login began end it", async () => {
    const revoked = await withLogin(2 * LATE_MS);
    revoked.owner.sentBefore(LATE_MS, `/revoke ${STRANGER}`);
    await revoked.owner.reads("The login of 66 is ended");
    expect(revoked.roleOf()).toBeNull();

    const out = await withLogin(2 * LATE_MS);
    out.newcomer.sentBefore(LATE_MS, "/logout");
    await out.api.waitFor(() => out.roleOf() === null, { what: "he is out" });
  });

  test("a /revoke and a /logout of before the login end nothing, and that is told", async () => {
    const { owner, newcomer, roleOf } = await withLogin(LATE_MS / 2);
    owner.sentBefore(LATE_MS, `/revoke ${STRANGER}`);
    await owner.reads("You sent /revoke 1 h ago, while I could not run it.");
    newcomer.sentBefore(LATE_MS, "/logout");
    await newcomer.reads("You sent /logout 1 h ago, while I could not run it.");
    expect(roleOf()).toBe("member");
  });
});

test("/users tells nobody in a group who may come in", async () => {
  const TEAM = -501;
  const bench = await createDoorBench({ tokenSecret: SECRET, access: { allowedChats: [TEAM] } });
  bench.live();
  bench.api.addChat({ id: TEAM, type: "supergroup", title: "Team" });
  const inGroup = bench.api.user({ id: 7, firstName: "P7" }).chat(TEAM);
  inGroup.open();
  inGroup.send("/users");
  await bench.api.waitForMessage(
    TEAM,
    ({ text }) => text === "Who may come in is shown in a private chat with me alone.",
    {
      what: "the answer",
    },
  );
  bench.owner.send("/users");
  await bench.owner.reads("8: member, whitelist");
});
