import { callTool, fail, reply } from "../../src/demo/messages-api/scripts.ts";
import type { ModelReply, ModelRequest, ModelScript } from "../../src/demo/messages-api/types.ts";

/** What a message asks of the scripted model; the message reads `<tag>: <kind>`, e.g. `m7: write`. */
export type Kind = "nest" | "say" | "write" | "question" | "hang" | "fail" | "slow" | "reach";

/** A run of a prompt: the model was asked for the first time in it. */
export interface Run {
  readonly tag: string;
  /** The prompt asks to go on after a restart. */
  readonly isContinuation: boolean;
}

/** A model that does what each message asks, whatever the order and however often, and notes what was run. */
export interface Talk {
  readonly script: ModelScript;
  readonly runs: readonly Run[];
  /** From now on nothing hangs. */
  readonly calm: () => void;
}

/** The text that answers a message. */
export const answerTo = (tag: string): string => `Answer to ${tag}.`;

export function createTalk(fileOf: (tag: string) => string): Talk {
  const runs: Run[] = [];
  let isCalm = false;

  function begin({ lastUserText }: ModelRequest, tag: string, kind: Kind): ModelReply {
    const isFirst = !runs.some((run) => run.tag === tag);
    runs.push({ tag, isContinuation: lastUserText.startsWith("The turn before this one was cut off") });
    switch (kind) {
      case "say":
        return reply(answerTo(tag));
      case "slow":
        return reply(answerTo(tag), { chunkSize: 3, delayMs: 60 });
      case "fail":
        return fail(402, "billing_error", "Pay first.");
      case "hang":
        return isFirst && !isCalm
          ? { kind: "hang", afterText: `Let me think of ${tag}` }
          : reply(answerTo(tag));
      case "write":
        return callTool("Write", { file_path: fileOf(tag), content: tag });
      case "reach": // a host that is not there: what is asked about it is what counts
        return callTool("Bash", { command: `curl -s -m 20 -x "$HTTPS_PROXY" https://nowhere.example.com/` });
      case "nest":
        return callTool("Bash", { command: `git init -q ${tag}` });
      case "question": {
        const options = [{ label: "Yes" }, { label: "No" }];
        const questions = ["First?", "Second?"].map((question) => ({ question, header: "Q", options }));
        return callTool("AskUserQuestion", { questions });
      }
    }
  }

  return {
    runs,
    calm: () => {
      isCalm = true;
    },
    script: (request) => {
      if (request.isAuxiliary) return reply("ok");
      const [, tag, kind] = request.lastUserText.match(/(m\d+): (\w+)(?:\n\n\[The person sent|$)/) ?? [];
      if (tag === undefined) return fail(402, "billing_error", `no message: ${request.lastUserText}`);
      return request.toolResults.length > 0 ? reply(answerTo(tag)) : begin(request, tag, kind as Kind);
    },
  };
}
