import { createSecretFinder } from "../../src/log/redact.ts";
import { createOutgoing } from "../../src/telegram/outgoing.ts";
import { renderMarkdown } from "../../src/telegram/render/markdown.ts";
import { type Bench, type Figure, repeat } from "../harness/figure.ts";
import { median } from "../harness/statistics.ts";

const NAME = "redaction";
const GOES = 25;
const LENGTH = 100_000;

/** Secrets of a daemon with both kinds of Claude credential and three git hosts; they open nothing. */
const SECRETS: readonly string[] = [
  `123456789:${"AAbench-token_".repeat(3).slice(0, 35)}`,
  `sk-ant-api03-${"bench9Key_".repeat(10)}`,
  `sk-ant-oat01-${"bench9Key-".repeat(10)}`,
  ...["ghp_", "glpat-", ""].map((prefix) => `${prefix}${"benchToken0".repeat(4)}`),
];
const PARAGRAPH = `The **token bucket** refills; see \`limit-rate.ts\`, lines 12-40, or https://example.com/a?b=c.

\`\`\`ts
const key = readKey(process.argv[2]); // password: "…"
\`\`\`

- one item, 123456 of them
- and another\n\n`;

/** What taking secrets out of an answer of 100,000 characters costs, and out of a line of the log. */
export const redaction: Bench = {
  name: NAME,
  measure: async (options) => {
    const finder = createSecretFinder(SECRETS);
    const outgoing = createOutgoing(finder);
    const text = PARAGRAPH.repeat(Math.ceil(LENGTH / PARAGRAPH.length)).slice(0, LENGTH);
    const line = '{"level":"info","event":"outbox.sent","chatId":7,"outboxId":12,"msg":"sent","attempts":1}';
    const runs = await repeat(options, NAME, async () => ({
      answer: medianMs(() => void finder.redact(text, "certain")),
      all: medianMs(() => void finder.redact(text, "all")),
      line: medianMs(() => void finder.redact(line, "all")),
      rendered: medianMs(() => void outgoing.markdown(text)),
      bare: medianMs(() => void renderMarkdown(text)),
    }));
    const figure = (name: string, key: "answer" | "all" | "line", aim?: number): Figure => ({
      bench: NAME,
      name,
      unit: "ms",
      bare: null,
      runs: runs.map((run) => ({ ours: run[key], bare: null })),
      ...(aim === undefined ? {} : { aim: { of: "ours", atMost: aim } }),
    });
    return [
      figure("100,000 characters as an answer", "answer", 5),
      figure("100,000 characters as an error", "all"),
      figure("a line of the log", "line"),
      {
        bench: NAME,
        name: "100,000 characters rendered without secrets",
        unit: "ms",
        bare: "rendered as they are",
        runs: runs.map(({ rendered, bare }) => ({ ours: rendered, bare })),
      },
    ];
  },
};

function medianMs(act: () => void): number {
  for (let go = 0; go < 5; go += 1) act();
  const times = Array.from({ length: GOES }, () => {
    const startedAt = performance.now();
    act();
    return performance.now() - startedAt;
  });
  return median(times);
}
