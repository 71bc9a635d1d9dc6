import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { Transition } from "../../src/domain/fault-point.ts";
import { digestOfToken } from "../../src/security/login-token.ts";
import { prepareHome } from "../../src/store/home.ts";
import { openStore } from "../../src/store/store.ts";
import { hasButton, type Life, USER } from "../support/daemon.ts";
import { queryDaemon } from "../support/daemon-database.ts";
import { until } from "../support/until.ts";
import type { Scene, SceneOptions } from "./scene.ts";
import { answerTo } from "./talk.ts";

const DAY_MS = 86_400_000;

/** What people do in one life of the daemon, so that it comes to certain transitions. */
export interface Act extends SceneOptions {
  readonly name: string;
  /** Transitions that it comes to; `#2` for the second time. */
  readonly reaches: readonly (Transition | `${Transition}#${number}`)[];
  /** What an earlier life leaves behind. */
  readonly before?: (scene: Scene) => Promise<void>;
  /** Begins before the life that is to end; may still be waiting for a message when it ends. */
  readonly play: (scene: Scene) => Promise<unknown>;
}

/** Ends a life of which nothing was asked but to get so far. */
async function cutOff(scene: Scene, life: Life): Promise<void> {
  await life.kill();
  scene.noteDeath();
}

/** A life that stored an update and ended before it was handled. */
async function leaveUnhandled(scene: Scene, text: string | null): Promise<void> {
  const life = await scene.live("inbox.done:before");
  if (text === null) scene.say("say");
  else scene.stage.chat.send(text);
  await life.exited;
  scene.noteDeath();
}

/** Lets a fault happen once to the first call of that method whose text holds `text`. */
function failOnce(
  { stage }: Scene,
  method: string,
  text: string,
  fault: Parameters<typeof stage.api.setIntercept>[0] extends infer I | undefined
    ? I extends (...args: never[]) => infer F
      ? NonNullable<F>
      : never
    : never,
): void {
  let isDone = false;
  stage.api.setIntercept((call) => {
    if (isDone || call.method !== method || !String(call.payload.text).includes(text)) return undefined;
    isDone = true;
    return fault;
  });
}

/** Opens a locked daemon as `sallyport unlock` does. */
function unlock(home: string): void {
  const db = new Database(join(home, "sallyport.db"));
  db.prepare("DELETE FROM facts WHERE key = 'lock'").run();
  db.close();
}

const TOKEN_SECRET = "5f0c2b9d8e7a41630f9ce2ab4d718c365f1c2b9d8e7a41630f9ce2ab4d718c36";
const TOKENS = { ENABLE_TOKEN_AUTH: "true", AUTH_TOKEN_SECRET: TOKEN_SECRET };
const TOKEN = `spt_${"A".repeat(43)}`;

/** What an earlier life left of invites and logins, `ago` ms ago: an invite whose token is `TOKEN`, and perhaps a login. */
function leaveInvite({ stage }: Scene, { isUsed = false, ago = 0 } = {}): void {
  using store = openStore(prepareHome(stage.home).database, () => Date.now() - ago);
  const digest = digestOfToken(TOKEN_SECRET, TOKEN);
  const expiresAt = Date.now() + 3_600_000;
  const { id } = store.invites.make({ digest, role: "member", madeBy: null, expiresAt });
  if (!isUsed) return;
  store.invites.use(id, USER);
  store.logins.begin({ userId: USER, role: "member", inviteId: id, isSecondFactor: true });
}

const tooMany = (seconds: number) =>
  ({ kind: "error", code: 429, description: "Too Many Requests", retryAfterSeconds: seconds }) as const;

/** Shows no placeholder, however long the turn takes. */
function refuseWorking({ stage }: Scene, seconds: number): void {
  stage.api.setIntercept(({ method, payload }) =>
    method === "sendMessage" && String(payload.text).includes("Working") ? tooMany(seconds) : undefined,
  );
}

/** Together they come to every transition that there is. */
export const ACTS: readonly Act[] = [
  {
    name: "a prompt",
    reaches: [
      "inbox.stored",
      "inbox.done",
      "store.flushed",
      "audit.appended",
      "audit.appended#3",
      "audit.appended#4",
      "conversation.made",
      "conversation.project",
      "bucket.saved",
      "work.queued",
      "work.placed",
      "work.preparing",
      "work.running",
      "work.delivering",
      "work.done",
      "session.begun",
      "session.resumable",
      "button.offered",
      "button.used",
      "outbox.queued",
      "outbox.sending",
      "outbox.sending#2",
      "outbox.sent",
      "outbox.sent#2",
      "cost.metered",
      "cost.metered#2",
      "cost.settled",
    ],
    play: async ({ say }) => say("say"),
  },
  {
    name: "a call that is allowed",
    reaches: ["approval.asked", "approval.shown", "work.waiting", "approval.allowed", "work.running#2"],
    play: async ({ say }) => say("write"),
  },
  {
    name: "a call that is denied",
    reaches: ["approval.denied"],
    wants: () => ["Deny", "Run it again"],
    play: async ({ say }) => say("write"),
  },
  {
    name: "a call that nobody answers",
    reaches: ["approval.expired"],
    env: { APPROVAL_TIMEOUT_SECONDS: "1" },
    wants: () => ["Run it again"],
    play: async ({ say }) => say("write"),
  },
  {
    name: "/stop while asked",
    reaches: ["approval.withdrawn", "work.stop_requested", "work.stopped"],
    wants: () => ["Run it again"],
    play: async ({ say, stage }) => {
      say("write");
      await stage.waitFor(hasButton("Allow once"));
      stage.chat.send("/stop");
      // Cut off before it was stopped, it is run again, and stopped then.
      await stage.waitFor(
        ({ text }) => text.includes("The turn ended before") || text.includes("Nobody answered"),
      );
      if (!stage.botTexts().some((text) => text.includes("Stopped"))) stage.chat.send("/stop");
    },
  },
  {
    name: "a question",
    reaches: ["approval.answered"],
    play: async ({ say }) => say("question"),
  },
  {
    name: "a turn that fails",
    reaches: ["work.failed"],
    wants: ({ text }) => (text.includes("restart") ? ["Run it again"] : []),
    play: async ({ say }) => say("fail"),
  },
  {
    name: "a queue",
    reaches: ["work.edited", "work.moved"],
    wants: ({ text }) => (text.includes("restart") ? ["Run it again"] : ["Run now instead"]),
    play: async ({ say, stage }) => {
      say("hang");
      await stage.waitForProgress(({ text }) => text.includes("Let me think"));
      const { messageId, tag } = say("slow");
      stage.chat.edit(messageId, `${tag}: say`);
    },
  },
  {
    name: "a message dropped from the queue",
    reaches: ["work.dropped"],
    wants: ({ text }) => (text.includes("restart") ? ["Run it again"] : ["Drop"]),
    play: async ({ say, stage }) => {
      say("hang");
      await stage.waitForProgress(({ text }) => text.includes("Let me think"));
      say("say");
      await stage.waitFor(({ text }) => text.includes("Dropped"));
      stage.chat.send("/stop");
    },
  },
  {
    name: "a prompt with a file",
    reaches: ["attachment.added", "upload_folder.made", "attachment.held"],
    play: async ({ sayWithFile }) => sayWithFile("say"),
  },
  {
    name: "a turn with a file that was cut off",
    reaches: ["attachment.copied"],
    before: async (scene) => {
      const life = await scene.live();
      scene.sayWithFile("hang");
      await scene.stage.waitForProgress(({ text }) => text.includes("Let me think"));
      await cutOff(scene, life);
    },
    play: async ({ say }) => say("say"),
  },
  {
    name: "a choice of two projects",
    reaches: ["work.assigned", "conversation.project"],
    before: async ({ stage }) => {
      mkdirSync(join(stage.approved, "other"));
    },
    play: async ({ say }) => say("say"),
  },
  {
    name: "a turn that was cut off",
    reaches: ["work.interrupted", "conversation.held", "conversation.released"],
    before: async (scene) => {
      const life = await scene.live();
      scene.say("hang");
      await scene.stage.waitForProgress(({ text }) => text.includes("Let me think"));
      await cutOff(scene, life);
    },
    play: async ({ say }) => say("say"),
  },
  {
    name: "a host that is allowed for the project",
    reaches: ["host.ruled", "approval.allowed#2"],
    wants: () => ["Allow once", "For this project", "Run it again"],
    play: async ({ say }) => say("reach"),
  },
  {
    name: "a host that is closed for the project",
    reaches: ["approval.denied"],
    wants: () => ["Allow once", "Never", "Run it again"],
    play: async ({ say }) => say("reach"),
  },
  {
    name: "a host that is asked about again",
    reaches: ["host.unruled"],
    wants: () => ["Allow once", "For this project", "Run it again", "Remove nowhere.example.com"],
    play: async ({ say, stage }) => {
      const { tag } = say("reach");
      await stage.waitFor(({ text }) => text.includes(answerTo(tag)));
      stage.chat.send("/hosts");
    },
  },
  {
    name: "money that is granted",
    reaches: ["cost.granted"],
    play: async ({ say, stage }) => {
      stage.chat.send(`/grant ${USER} 1`);
      say("say");
    },
  },
  {
    name: "a secret file that is shown",
    reaches: ["exposed.shown"],
    before: async ({ stage }) => writeFileSync(join(stage.project, ".env"), "A=1"),
    play: async ({ say, stage }) => {
      const { tag } = say("say");
      await stage.waitFor(({ text }) => text.includes(answerTo(tag)));
      stage.chat.send("/expose .env");
      say("say");
    },
  },
  {
    name: "a secret file that is hidden again",
    reaches: ["exposed.hidden"],
    wants: () => ["Allow once", "Run it again", "Hide .env"],
    before: async ({ stage }) => writeFileSync(join(stage.project, ".env"), "A=1"),
    play: async ({ say, stage }) => {
      const { tag } = say("say");
      await stage.waitFor(({ text }) => text.includes(answerTo(tag)));
      stage.chat.send("/expose .env");
      await stage.waitFor(({ text }) => text.includes("is shown to Claude"));
      stage.chat.send("/expose");
    },
  },
  {
    name: "a credential that is old",
    reaches: ["credential.seen", "credential.told"],
    env: { TEST_HOUSEKEEPING_MS: "50" },
    before: async (scene) => {
      const home = prepareHome(scene.stage.home);
      const store = openStore(home.database, () => Date.now() - 91 * DAY_MS);
      store.credentials.begin("ANTHROPIC_API_KEY", "of another key");
      store[Symbol.dispose]();
    },
    play: async ({ say, stage }) => {
      say("say");
      await stage.waitFor(({ text }) => text.includes("ANTHROPIC_API_KEY: 91 days"));
    },
  },
  {
    name: "a message that comes too late",
    reaches: ["work.offered", "work.queued#2"],
    play: async ({ say, ago }) => ago(3_600_000, () => say("say")),
  },
  {
    name: "a lock, opened by another process",
    reaches: ["fact.set"],
    play: async ({ say, stage }) => {
      say("hang");
      await stage.waitForProgress(({ text }) => text.includes("Let me think"));
      say("say");
      stage.chat.send("/lock");
      await stage.waitFor(({ text }) => text.startsWith("🔒 Locked."));
      unlock(stage.home);
      // What was cut off before it could be locked asks once more, since no key begins anything in a locked bot.
      await stage.waitFor(({ text }) => text.startsWith("🔓"));
      stage.chat.send("/status");
    },
  },
  {
    name: "a group that becomes a supergroup",
    reaches: ["chat.moved"],
    env: { ALLOWED_CHATS: "-501" },
    play: async ({ say, stage }) => {
      stage.api.addChat({ id: -501, type: "group", title: "Team" });
      const group = stage.person.chat(-501);
      group.open();
      group.send("/help");
      group.sendRaw({ migrate_to_chat_id: -1000501 });
      say("say");
    },
  },
  {
    name: "an invite",
    reaches: ["invite.made"],
    env: TOKENS,
    play: async ({ say, stage }) => {
      stage.chat.send("/invite");
      say("say");
    },
  },
  {
    name: "an invite that is taken back",
    reaches: ["invite.revoked"],
    env: TOKENS,
    before: async (scene) => leaveInvite(scene),
    play: async ({ say, stage }) => {
      stage.chat.send("/revoke invite 1");
      say("say");
    },
  },
  {
    name: "a login after one that failed",
    reaches: ["login.failed", "login.forgiven", "invite.used", "login.begun"],
    env: TOKENS,
    before: async (scene) => leaveInvite(scene),
    play: async ({ say, stage }) => {
      stage.chat.send(`/login spt_${"B".repeat(43)}`);
      stage.chat.send(`/login ${TOKEN}`);
      await stage.waitFor(({ text }) => text.startsWith("You are in"));
      say("say");
    },
  },
  {
    name: "a logout",
    reaches: ["login.ended"],
    env: TOKENS,
    before: async (scene) => leaveInvite(scene, { isUsed: true }),
    play: async ({ say, stage }) => {
      stage.chat.send("/logout");
      say("say");
    },
  },
  {
    name: "somebody who is logged in comes back",
    reaches: ["login.seen"],
    env: TOKENS,
    before: async (scene) => leaveInvite(scene, { isUsed: true, ago: 120_000 }),
    play: async ({ say }) => say("say"),
  },
  {
    name: "an update that was left",
    reaches: ["inbox.resumed"],
    before: (scene) => leaveUnhandled(scene, null),
    play: async () => undefined,
  },
  {
    name: "an update that ended three lives",
    reaches: ["inbox.dead"],
    before: async (scene) => {
      await leaveUnhandled(scene, "poison");
      const db = new Database(join(scene.stage.home, "sallyport.db"));
      db.prepare("UPDATE inbox SET attempts = 3 WHERE state = 'new'").run();
      db.close();
    },
    play: async ({ say }) => say("say"),
  },
  {
    name: "a pause that Telegram asks for",
    reaches: ["outbox.again", "chat.paused"],
    play: async ({ stage, say }) => {
      // On a slow machine the first may be a look at what is still being written, or the answer a message of its own.
      let left = 2;
      stage.api.setIntercept(({ method, payload }) => {
        const isAnswer = /^(?:editMessageText|sendMessage)$/.test(method);
        if (left === 0 || !isAnswer || !String(payload.text).includes("Answer")) return undefined;
        left -= 1;
        return tooMany(1);
      });
      say("say");
    },
  },
  {
    name: "an answer cut off after it was sent",
    reaches: ["outbox.doubtful"],
    play: async (scene) => {
      failOnce(scene, "sendMessage", "/status", { kind: "drop_after" });
      scene.stage.chat.send("/help");
      scene.say("say");
    },
  },
  {
    name: "a message that Telegram refuses",
    reaches: ["outbox.failed"],
    play: async (scene) => {
      const description = "Bad Request: no rights to send";
      failOnce(scene, "sendMessage", "/status", { kind: "error", code: 400, description });
      scene.stage.chat.send("/help");
      scene.say("say");
    },
  },
  {
    name: "a placeholder that is overtaken by its answer",
    reaches: ["outbox.dropped"],
    play: async (scene) => {
      refuseWorking(scene, 8);
      scene.say("say");
    },
  },
  {
    name: "a chat that is shut to the bot, and opened again",
    reaches: ["chat.parked", "chat.served"],
    play: async ({ say, stage }) => {
      say("slow");
      await stage.waitForProgress(({ text }) => text.includes("Working"));
      stage.chat.setBlocked(true);
      const parked = () => queryDaemon(stage.home, "SELECT 1 FROM chats WHERE parked_at IS NOT NULL");
      await until(() => parked().length > 0, "the chat is parked");
      stage.chat.setBlocked(false);
    },
  },
  {
    name: "a placeholder that was not shown yet",
    reaches: ["outbox.folded"],
    before: async (scene) => {
      refuseWorking(scene, 3);
      const life = await scene.live();
      scene.say("hang");
      await until(() => scene.talk.runs.length > 0, "the turn has begun");
      await cutOff(scene, life);
      scene.stage.api.setIntercept(undefined);
    },
    play: async ({ say }) => say("say"),
  },
  {
    name: "an answer of which nobody knows",
    reaches: ["outbox.unsure"],
    play: async ({ say, stage }) => {
      const left = ["Working", "Answer"];
      stage.api.setIntercept(({ method, payload }) => {
        const at =
          method === "sendMessage" ? left.findIndex((text) => String(payload.text).includes(text)) : -1;
        return at < 0 || left.splice(at, 1).length === 0 ? undefined : { kind: "drop_after" };
      });
      say("say");
    },
  },
  {
    name: "a topic that is gone",
    reaches: ["conversation.gone"],
    play: async ({ say, stage }) => {
      stage.api.setIntercept(({ payload }) =>
        payload.message_thread_id === undefined
          ? undefined
          : { kind: "error", code: 400, description: "Bad Request: message thread not found" },
      );
      stage.chat.send("/help", { threadId: stage.chat.createTopic("a topic") });
      say("say");
    },
  },
  {
    name: "what is past its time",
    reaches: ["row.expired", "audit.given_up"],
    env: { TEST_HOUSEKEEPING_MS: "50" },
    before: async ({ stage }) => {
      const long = Date.now() - 400 * 86_400_000;
      using store = openStore(prepareHome(stage.home).database, () => long);
      store.inbox.insert([{ updateId: 1, body: "{}" }]);
      store.inbox.finish(1);
      const event = { type: "command.run", name: "help" } as const;
      store.audit.append({ at: long, risk: "low", userId: USER, conversation: null, event });
    },
    play: async ({ say }) => say("say"),
  },
  {
    name: "a repository that a turn made, accepted",
    reaches: [
      "quarantine.moving",
      "quarantine.held",
      "quarantine.told",
      "quarantine.accepting",
      "quarantine.accepted",
      "baseline.opened",
      "baseline.noted",
      "baseline.closed",
    ],
    wants: () => ["Allow once", "Run it again", "Accept"],
    play: async ({ say }) => say("nest"),
  },
  {
    name: "a repository that a turn made, left out",
    reaches: ["quarantine.dropped"],
    wants: () => ["Allow once", "Run it again", "Leave it out"],
    play: async ({ say }) => say("nest"),
  },
  {
    name: "/new",
    reaches: ["session.ended"],
    play: async ({ say, stage }) => {
      const { tag } = say("say");
      await stage.waitFor(({ text }) => text.includes(`Answer to ${tag}`));
      stage.chat.send("/new");
      say("say");
    },
  },
];
