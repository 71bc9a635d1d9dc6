import { callTool, reply } from "./messages-api/scripts.ts";
import type { ModelReply, ModelRequest } from "./messages-api/types.ts";

const PACE = { chunkSize: 24, delayMs: 60 } as const;

const WELCOME = `I am a **scripted model**: what I say is written down, but everything between us is real.

Try one of these:
1. \`make a file\`: a tool call, which you allow or deny
2. \`run the tests\`: a command in the jail
3. \`ask me something\`: a question with buttons
4. \`tell a long story\`, then \`/stop\`

| what | where |
|---|---|
| commands | \`/help\` |
| projects | \`/repo\` |`;

/** What the demo's model says: one answer or tool call for each thing to try. */
export function demoScript(project: string): (request: ModelRequest) => ModelReply {
  return ({ isAuxiliary, lastUserText, toolResults }) => {
    if (isAuxiliary) return reply("demo");
    const [result] = toolResults;
    if (result) {
      const text = result.text.trim().slice(0, 800) || "(nothing)";
      if (result.isError) return reply(`That was not done:\n\n> ${text.replaceAll("\n", "\n> ")}`, PACE);
      return reply(`Done. The tool said:\n\n\`\`\`\n${text}\n\`\`\``, PACE);
    }
    const wish = lastUserText.toLowerCase();
    if (wish.includes("file")) {
      const input = { file_path: `${project}/hello.txt`, content: "Hello from the jail.\n" };
      return callTool("Write", input, "I will write a small file.");
    }
    if (wish.includes("test") || wish.includes("run")) {
      const command = "node --test 2>&1 | tail -8 || true; ls -a; id -u; ls /home /root 2>&1 | head -5";
      return callTool(
        "Bash",
        { command, description: "Run the tests and look round" },
        "I will run the tests.",
      );
    }
    if (wish.includes("ask")) return callTool("AskUserQuestion", { questions: [QUESTION] });
    if (wish.includes("story")) return reply(STORY.repeat(12), { chunkSize: 12, delayMs: 80 });
    return reply(WELCOME, PACE);
  };
}

const QUESTION = {
  question: "Which colour should the shed have?",
  header: "Colour",
  multiSelect: false,
  options: [
    { label: "Red", description: "as everybody's" },
    { label: "Green", description: "as nobody's" },
  ],
};

const STORY =
  "Once there was a small, well-guarded door in the wall of a fortress. Whoever knew its keeper came in; everybody else heard nothing at all.\n\n";
