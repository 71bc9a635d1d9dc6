import type { Mutation } from "../mutation.ts";

const NOTHING_GOES = "Nothing goes to Telegram with a secret of the daemon's own";
const CUT = "A secret is replaced whole wherever a text is cut";
const SHAPES = "Other people's secrets are known by their shape";
const APPROVED = "What a person is asked to approve is shown as it is, shapes";
const WRITINGS = "That holds for them in URLs, forms, JSON, hex and base64";
const LOGGED = "Whatever is logged becomes plain data first";

export const REDACTION: readonly Mutation[] = [
  {
    claim: CUT,
    gone: "of a stopped answer the last word is shown as it stands",
    edits: [
      [
        "src/telegram/answer.ts",
        "isPartOpen ? outgoing.cutOff : outgoing.markdown",
        "isPartOpen ? outgoing.markdown : outgoing.markdown",
      ],
    ],
    red: [
      "of an answer that was stopped in the middle of a word, the word is not shown: it may be half a secret",
    ],
  },
  {
    claim: CUT,
    gone: "a quote is cut before it is looked through",
    edits: [["src/telegram/wording-recovery.ts", "redactShapes(line.trim())", "line.trim()"]],
    red: ["a prompt is quoted without half of a secret at its end, and so is what an error says"],
  },
  {
    claim: NOTHING_GOES,
    gone: "the daemon's own values are not looked for",
    edits: [
      [
        "src/log/redact.ts",
        "const known = spansOfKnown(text, forms);",
        "const known = spansOfKnown(text, forms).slice(0, 0);",
      ],
    ],
    red: [
      "H20: neither answers, tool lines nor errors leave a secret of the daemon's on its disk or in its log",
    ],
  },
  {
    claim: NOTHING_GOES,
    gone: "what stands on keys is not redacted",
    edits: [["src/telegram/outgoing.ts", "text: finder.redact(label, shapes),", "text: label,"]],
    red: ["a link that leads to it, a button, a caption, a file and a file's name lose it"],
  },
  {
    claim: CUT,
    gone: "what is still being written is shown at once",
    edits: [
      ["src/telegram/outgoing.ts", "isOpen ? finder.decided(source) : source", "isOpen ? source : source"],
    ],
    red: [
      "a secret that is streamed a character at a time is never on the screen, nor a part of it",
      "a preview cut anywhere in front, of an answer cut anywhere at its end, holds no part of it",
    ],
  },
  {
    claim: CUT,
    gone: "answers are redacted only when they are cut already",
    edits: [
      [
        "src/telegram/outgoing.ts",
        'return richWith(renderMarkdown(beginning), "certain");',
        "return renderMarkdown(beginning === STAND_IN ? beginning : source.slice(0, maxLength));",
      ],
    ],
    red: [
      "a secret where a long answer is cut into messages, or in the file of a very long one, is in none of them",
    ],
  },
  {
    claim: CUT,
    gone: "only whole values are seen",
    edits: [
      [
        "src/log/redact.ts",
        "if (isCut || to === from + form.text.length)",
        "if ((isCut && to < 0) || to === from + form.text.length)",
      ],
    ],
    red: ["what is left of a value before an ellipsis, or where a text ends, is a part of it"],
  },
  {
    claim: WRITINGS,
    gone: "a value is looked for as it is and no other way",
    edits: [
      [
        "src/log/secret-forms.ts",
        "for (const text of writings(value)) {",
        "for (const text of writings(value).slice(0, 1)) {",
      ],
    ],
    red: ["are found as they are, in URLs, in JSON, in hex and in base64 wherever they begin in it"],
  },
  {
    claim: WRITINGS,
    gone: "lines are looked through one by one",
    edits: [
      [
        "src/log/redact.ts",
        "if (joined.length === text.length) return inOne;",
        "if (joined !== '') return inOne;",
      ],
    ],
    red: [
      "are found wrapped at any width, as base64 and hex tools do, and where three full stops end a beginning",
    ],
  },
  {
    claim: SHAPES,
    gone: "the kept rule set is not asked",
    edits: [["src/log/redact.ts", "...spansOfRules(text)]", "...spansOfRules(text).slice(0, 0)]"]],
    red: [
      "of everything that the kept rule set finds, nothing is left of its secret part",
      "the rule set adds what no shape of our own knows, in answers too",
    ],
  },
  {
    claim: SHAPES,
    gone: "answers lose all that is likely to be a secret",
    edits: [["src/log/redact.ts", 'shapes === "certain" ? CERTAIN_SHAPES', 'text === "" ? CERTAIN_SHAPES']],
    red: [
      "what people write, and answers that explain secrets",
      "every file of this program, as an answer would show it",
    ],
  },
  {
    claim: APPROVED,
    gone: "nothing says that a value is not shown",
    edits: [["src/telegram/approval-view.ts", 'hidden === 0 ? ""', 'hidden >= 0 ? ""']],
    red: [
      "H25: an approval shows what only looks like a secret, and says where one of the daemon's own is not shown",
    ],
  },
  {
    claim: APPROVED,
    gone: "shapes are hidden in it",
    edits: [["src/telegram/outgoing.ts", 'finder.redact(whole, "none")', 'finder.redact(whole, "certain")']],
    red: ["in what is to be approved the daemon's own values are replaced and nothing else"],
  },
  {
    claim: LOGGED,
    gone: "pino gets values as they are",
    edits: [
      [
        "src/log/logger.ts",
        "const fields = plainOf(first instanceof Error ? { err: first } : first);",
        "const fields = first instanceof Error ? { err: plainOf(first) } : first;",
      ],
    ],
    red: [
      "as a field, in a list, as an argument and in a child: buffer",
      "causes, errors of many and what libraries put into theirs",
    ],
  },
  {
    claim: "A daemon that crashes tells its fault through the same redaction",
    gone: "a fault is printed as Node would",
    edits: [
      [
        "src/start.ts",
        'log.fatal({ event: "daemon.crashed", origin, err: error }',
        'process.stderr.write(`${error.stack}\\n`);\n    log.fatal({ event: "daemon.crashed", origin, err: error }',
      ],
    ],
    red: ["H23: a daemon that ends on a fault with the token in it tells the fault and not the token: %s"],
  },
  {
    claim: "No text makes redaction slow",
    gone: "a shape is looked for at every place of a word",
    edits: [["src/domain/secret-shapes.ts", "(?<![\\w-])eyJ[\\w-]{10,}", "eyJ[\\w-]{10,}"]],
    red: ["what redaction costs grows with the text and no faster, whatever the text is"],
  },
];
