import { rules } from "@secretlint/secretlint-rule-preset-recommend";
import type { SecretLintRuleContext, SecretLintSourceCode } from "@secretlint/types";
import type { Span } from "./spans.ts";

/**
 * Rules that are left out: of comments that switch rules off, of files that are no text, and of addresses with a password,
 * which report the whole address where our own shape takes the secret part, and would do so in an answer that explains one.
 */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "filter-comments",
  "gcp",
  "basicauth",
  "database-connection-string",
]);

const scanners = rules
  .map((rule) => ({ name: rule.meta.id.replace("@secretlint/secretlint-rule-", ""), rule }))
  .filter(({ name }) => !LEFT_OUT.has(name));

/**
 * Where the recommended rules of secretlint, which its authors keep up with what vendors give out, see a secret. They are
 * called here without their engine: each is a few regular expressions, run at once, that report ranges.
 */
export function spansOfRules(text: string): readonly Span[] {
  const spans: Span[] = [];
  const context: SecretLintRuleContext = {
    sharedOptions: {},
    createTranslator: () => (_id, data) => ({ message: "", messageId: "", data }),
    report: ({ range: [from, to] }) => {
      spans.push({ from, to });
    },
    ignore: () => undefined,
  };
  const source = sourceOf(text);
  for (const { rule } of scanners) {
    void rule.create(context, {}).file?.(source); // the rules that would wait for something are left out above
  }
  return spans;
}

/** A text as the rules are given files; none of the rules that are used asks for lines. */
function sourceOf(content: string): SecretLintSourceCode {
  return {
    content,
    contentType: "text",
    hasBOM: false,
    ext: "",
    filePath: "text",
    physicalFilePath: undefined,
    getFilePath: () => "text",
    getPhysicalFilePath: () => undefined,
    locationToRange: () => [0, 0],
    rangeToLocation: () => ({ start: { line: 1, column: 0 }, end: { line: 1, column: 0 } }),
    positionToIndex: () => 0,
    indexToPosition: () => ({ line: 1, column: 0 }),
  };
}
