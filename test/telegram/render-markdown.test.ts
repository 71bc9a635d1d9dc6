import type { MessageEntity } from "grammy/types";
import { describe, expect, test } from "vitest";
import type { Entity } from "../../src/telegram/render/entity.ts";
import { renderMarkdown } from "../../src/telegram/render/markdown.ts";
import { previewMarkdown } from "../../src/telegram/render/preview.ts";
import { splitRichText } from "../../src/telegram/render/split.ts";
import { sourceTail } from "../../src/telegram/render/tail.ts";

/** An entity as its type (with language or address) and the text it covers. */
type Shown = readonly [kind: string, covered: string];

function shown(text: string, entities: readonly Entity[]): readonly Shown[] {
  return entities.map((entity) => {
    const extra =
      entity.type === "pre" ? entity.language : entity.type === "text_link" ? entity.url : undefined;
    const covered = text.slice(entity.offset, entity.offset + entity.length);
    return [extra === undefined ? entity.type : `${entity.type} ${extra}`, covered];
  });
}

interface Example {
  readonly name: string;
  readonly markdown: string;
  readonly text: string;
  readonly entities?: readonly Shown[];
}

function check(examples: readonly Example[]): void {
  test.each(examples)("$name", ({ markdown, text, entities = [] }) => {
    const rich = renderMarkdown(markdown);
    expect(rich.text).toBe(text);
    expect(shown(rich.text, rich.entities)).toEqual(entities);
  });
}

const lines = (...all: readonly string[]) => all.join("\n");

test("offsets and lengths count UTF-16 units, and the entities are grammY's", () => {
  const rich = renderMarkdown("👍 **fett** ```\n[`x`](https://e.org)");
  const entities: MessageEntity[] = [...renderMarkdown("👍 **bold**").entities];
  expect(entities).toEqual([{ type: "bold", offset: 3, length: 4 }]);
  expect(rich.entities[0]).toEqual({ type: "bold", offset: 3, length: 4 });
});

describe("styles", () => {
  check([
    { name: "bold", markdown: "a **b** c", text: "a b c", entities: [["bold", "b"]] },
    {
      name: "italic by star and by underscore",
      markdown: "*a* _b_",
      text: "a b",
      entities: [
        ["italic", "a"],
        ["italic", "b"],
      ],
    },
    {
      name: "bold by underscores with a space inside",
      markdown: "__a b__",
      text: "a b",
      entities: [["bold", "a b"]],
    },
    { name: "strikethrough", markdown: "~~a~~ ~b~", text: "a ~b~", entities: [["strikethrough", "a"]] },
    {
      name: "nested styles",
      markdown: "**a _b_**",
      text: "a b",
      entities: [
        ["bold", "a b"],
        ["italic", "b"],
      ],
    },
    {
      name: "bold in bold is one",
      markdown: "**a __b c__ d**",
      text: "a b c d",
      entities: [["bold", "a b c d"]],
    },
    {
      name: "code cuts the bold round it",
      markdown: "**a `b` c**",
      text: "a b c",
      entities: [
        ["bold", "a"],
        ["code", "b"],
        ["bold", "c"],
      ],
    },
    { name: "bold over two lines", markdown: "**a\nb**", text: "a\nb", entities: [["bold", "a\nb"]] },
    {
      name: "bold in text without spaces",
      markdown: "这是**粗体**字",
      text: "这是粗体字",
      entities: [["bold", "粗体"]],
    },
    {
      name: "bold beside CJK punctuation",
      markdown: "**注意：**这是**「好」**、**강조(x)**는 *強調：*後",
      text: "注意：这是「好」、강조(x)는 強調：後",
      entities: [
        ["bold", "注意："],
        ["bold", "「好」"],
        ["bold", "강조(x)"],
        ["italic", "強調："],
      ],
    },
    {
      name: "bold before a letter",
      markdown: "**10**x faster",
      text: "10x faster",
      entities: [["bold", "10"]],
    },
    { name: "escapes and character references", markdown: "\\*a\\* &lt;b&gt; &#64;", text: "*a* <b> @" },
    { name: "soft and hard breaks are line breaks", markdown: "a\nb  \nc\\\nd", text: "a\nb\nc\nd" },
    {
      name: "code keeps its spaces and is not formatted",
      markdown: "x `` a*b*`c `` y",
      text: "x a*b*`c y",
      entities: [["code", "a*b*`c"]],
    },
    { name: "blank code is no entity", markdown: "a ` ` b", text: "a   b" },
    { name: "LaTeX is literal", markdown: "$a_1 * b_2$ and $$x^2$$", text: "$a_1 * b_2$ and $$x^2$$" },
    { name: "nothing but marks is nothing", markdown: "&nbsp;\n\n&#8203;\n", text: "" },
  ]);
});

describe("H62: what looks like emphasis in code is literal", () => {
  check([
    ...[
      "2*3*4",
      "x**2 + y**2",
      "__init__",
      "__init__.py and __main__",
      "src/*.ts and test/*.ts",
      "snake_case_name",
      "f(x)*y and z*(w)",
      "**/*.ts, **/*.js",
      "*/5 * * * *",
      "(__tests__/a)",
      "x *= y*z",
    ].map((markdown) => ({ name: markdown, markdown, text: markdown })),
    { name: "c++ fence", markdown: "```c++\nint x;\n```", text: "int x;", entities: [["pre c++", "int x;"]] },
    {
      name: "c# fence with more words",
      markdown: "~~~c# title=a\nint x;\n~~~",
      text: "int x;",
      entities: [["pre c#", "int x;"]],
    },
    {
      name: "fence without a usable word",
      markdown: "```{.python}\nx\n```",
      text: "x",
      entities: [["pre", "x"]],
    },
    {
      name: "fence with attributes behind the word",
      markdown: "```js{1,3}\nx\n```",
      text: "x",
      entities: [["pre js", "x"]],
    },
  ]);
});

describe("H61: what HTML would choke on is text", () => {
  check([
    { name: "raw HTML", markdown: "<b>x</b> a<br>b & c < d", text: "<b>x</b> a<br>b & c < d" },
    {
      name: "an HTML block",
      markdown: "<details>\n<summary>s</summary>\n\n**b**\n</details>",
      text: "<details>\n<summary>s</summary>\n\nb\n</details>",
      entities: [["bold", "b"]],
    },
    {
      name: "angle brackets in code",
      markdown: "`a<b>&amp;`",
      text: "a<b>&amp;",
      entities: [["code", "a<b>&amp;"]],
    },
  ]);
});

describe("headings, rules and paragraphs", () => {
  check([
    {
      name: "first level is bold and underlined",
      markdown: "# A\nb",
      text: "A\n\nb",
      entities: [
        ["bold", "A"],
        ["underline", "A"],
      ],
    },
    {
      name: "further levels are bold",
      markdown: "a\n### B #\n\nc",
      text: "a\n\nB\n\nc",
      entities: [["bold", "B"]],
    },
    {
      name: "code in a heading",
      markdown: "## Use `x` now",
      text: "Use x now",
      entities: [
        ["bold", "Use"],
        ["code", "x"],
        ["bold", "now"],
      ],
    },
    { name: "bold in a heading adds nothing", markdown: "## **A**", text: "A", entities: [["bold", "A"]] },
    {
      name: "underlined heading",
      markdown: "A\n===\nB\n---",
      text: "A\n\nB",
      entities: [
        ["bold", "A"],
        ["underline", "A"],
        ["bold", "B"],
      ],
    },
    { name: "rule", markdown: "a\n\n---\n\nb", text: "a\n\n──────────\n\nb" },
    { name: "blank lines are one", markdown: "\n\n  a\n\n\n\nb  \n\n", text: "a\n\nb" },
    {
      name: "the end of a style is trimmed with the text",
      markdown: "**a &#32;**",
      text: "a",
      entities: [["bold", "a"]],
    },
  ]);
});

describe("lists", () => {
  check([
    {
      name: "bullets by level, indented under their text",
      markdown: "- a\n  * b\n    + c\n      - d\n- e",
      text: "• a\n  ◦ b\n    ▪ c\n      ▪ d\n• e",
    },
    {
      name: "numbers from the start, whatever is written",
      markdown: "3. a\n3. b\n   1. c\n3. d",
      text: "3. a\n4. b\n   1. c\n5. d",
    },
    { name: "numbers with a parenthesis", markdown: "9) a\n10) b", text: "9) a\n10) b" },
    {
      name: "a list right under a line stays there",
      markdown: "a:\n- b\n\nc\n\n- d",
      text: "a:\n• b\n\nc\n\n• d",
    },
    { name: "loose lists keep their blank lines", markdown: "- a\n\n- b\n\n  c", text: "• a\n\n• b\n\n  c" },
    {
      name: "lines of an item stay under it",
      markdown: "1. a\nb\n2. **c\n   d**",
      text: "1. a\n   b\n2. c\n   d",
      entities: [["bold", "c\n   d"]],
    },
    {
      name: "tasks",
      markdown: "- [ ] a\n- [x] **b**\n- [X] c\n- [y] d\n1. [x] e",
      text: "☐ a\n☑ b\n☑ c\n• [y] d\n\n1. ☑ e",
      entities: [["bold", "b"]],
    },
    { name: "an empty task and an empty item", markdown: "- [ ]\n-\n- a", text: "☐ \n• \n• a" },
    {
      name: "a fence in an item is not indented",
      markdown: "1. a\n   ```sh\n   x\n     y\n   ```\n2. b",
      text: "1. a\nx\n  y\n2. b",
      entities: [["pre sh", "x\n  y"]],
    },
    {
      name: "a fence that opens an item",
      markdown: "- ```\n  x\n  ```\n- b",
      text: "• \nx\n• b",
      entities: [["pre", "x"]],
    },
    {
      name: "a quote does not make its list loose",
      markdown: "- a\n  > q\n- b\n  ```\n  x\n  ```",
      text: "• a\n  q\n• b\nx",
      entities: [
        ["blockquote", "q"],
        ["pre", "x"],
      ],
    },
    {
      name: "a quote in an item",
      markdown: "- > q\n- b",
      text: "• \n  q\n• b",
      entities: [["blockquote", "q"]],
    },
  ]);
});

describe("code blocks", () => {
  check([
    {
      name: "fence with its language",
      markdown: "a\n```ts\n  let x;\n\n```\nb",
      text: "a\n\n  let x;\n\nb",
      entities: [["pre ts", "  let x;"]],
    },
    {
      name: "unclosed fence is code to the end",
      markdown: "```py\n**x** <b>",
      text: "**x** <b>",
      entities: [["pre py", "**x** <b>"]],
    },
    {
      name: "indented code",
      markdown: "a\n\n    x\n      y",
      text: "a\n\nx\n  y",
      entities: [["pre", "x\n  y"]],
    },
    {
      name: "tabs become four spaces",
      markdown: "```\n\tx\n```",
      text: "    x",
      entities: [["pre", "    x"]],
    },
    { name: "empty fence is nothing", markdown: "a\n```\n\n```\nb", text: "a\n\nb" },
  ]);
});

describe("quotes", () => {
  const long = Array.from({ length: 11 }, (_, index) => `line ${index}`);
  check([
    {
      name: "quote with formatting and code",
      markdown: "> a **b** `c`\n\nd",
      text: "a b c\n\nd",
      entities: [
        ["blockquote", "a b c"],
        ["bold", "b"],
        ["code", "c"],
      ],
    },
    {
      name: "inner quotes keep their mark",
      markdown: "> a\n> > b\n> > c\n>\n> d",
      text: "a\n\n> b\n> c\n\nd",
      entities: [["blockquote", "a\n\n> b\n> c\n\nd"]],
    },
    {
      name: "code block in a quote",
      markdown: "> a\n> ```js\n>   x\n> ```",
      text: "a\n\n  x",
      entities: [
        ["blockquote", "a\n\n  x"],
        ["pre js", "  x"],
      ],
    },
    {
      name: "a quote that begins with indented code holds it whole",
      markdown: "> ```\n>   x\n> ```",
      text: "  x",
      entities: [
        ["blockquote", "  x"],
        ["pre", "  x"],
      ],
    },
    {
      name: "a quote that ends with a space in code holds it whole",
      markdown: "> `a `\n\nb",
      text: "a \n\nb",
      entities: [
        ["blockquote", "a "],
        ["code", "a "],
      ],
    },
    {
      name: "quotes of many lines fold",
      markdown: long.map((line) => `> ${line}`).join("\n"),
      text: lines(...long),
      entities: [["expandable_blockquote", lines(...long)]],
    },
    {
      name: "long quotes fold",
      markdown: `> ${"x".repeat(601)}`,
      text: "x".repeat(601),
      entities: [["expandable_blockquote", "x".repeat(601)]],
    },
    { name: "an empty quote is nothing", markdown: "a\n\n>\n\nb", text: "a\n\nb" },
  ]);
});

describe("H62: tables are readable", () => {
  check([
    {
      name: "columns are aligned as asked",
      markdown: "| Name | Qty | M |\n|:--|--:|:-:|\n| **Äpfel** | 1 | x |\n| `b` | 12345 | yyy |",
      ...pre("Name  |   Qty |  M\n------|-------|----\nÄpfel |     1 |  x\nb     | 12345 | yyy"),
    },
    {
      name: "wide characters take two columns",
      markdown: "|a|b|\n|-|-|\n|你好|1|\n|👨‍👩‍👧|2|\n|é́|3|",
      ...pre("a    | b\n-----|--\n你好 | 1\n👨‍👩‍👧   | 2\né́    | 3"),
    },
    {
      name: "addresses are written out, escaped pipes are pipes, missing cells are empty",
      markdown: "|a|b|\n|-|-|\n|[x](https://e.org)|p\\|q|\n|y|",
      ...pre("a                 | b\n------------------|----\nx (https://e.org) | p|q\ny                 |"),
    },
    {
      name: "a row with more cells than the header would lose them, so the source is shown",
      markdown: "a\n\n|a|b|\n|-|-|\n|`x|y`|z|\n\nc",
      text: "a\n\n|a|b|\n|-|-|\n|`x|y`|z|\n\nc",
      entities: [["pre", "|a|b|\n|-|-|\n|`x|y`|z|"]],
    },
    {
      name: "what a terminal would take for a colour has its width",
      markdown: "|a|b|\n|-|-|\n|\u009b31mx|1|",
      ...pre("a    | b\n-----|--\n\u009b31mx | 1"),
    },
    {
      name: "a table in a list",
      markdown: "- |a|b|\n  |-|-|\n  |1|2|",
      text: "• \na | b\n--|--\n1 | 2",
      entities: [["pre", "a | b\n--|--\n1 | 2"]],
    },
  ]);
});

/** A text that is one code block. */
function pre(text: string): Pick<Example, "text" | "entities"> {
  return { text, entities: [["pre", text]] };
}

describe("links and images", () => {
  check([
    {
      name: "link",
      markdown: "see [**a** b](https://e.org/p?q=1#f)",
      text: "see a b",
      entities: [
        ["text_link https://e.org/p?q=1#f", "a b"],
        ["bold", "a"],
      ],
    },
    {
      name: "code in a link is plain, the link matters more",
      markdown: "[a `b`](https://e.org)",
      text: "a b",
      entities: [["text_link https://e.org", "a b"]],
    },
    {
      name: "address in angle brackets",
      markdown: "<https://e.org/a>",
      text: "https://e.org/a",
      entities: [["text_link https://e.org/a", "https://e.org/a"]],
    },
    {
      name: "bare addresses are left to Telegram",
      markdown: "https://e.org/a_b_c",
      text: "https://e.org/a_b_c",
    },
    {
      name: "link without text",
      markdown: "[](https://e.org)",
      text: "https://e.org",
      entities: [["text_link https://e.org", "https://e.org"]],
    },
    {
      name: "reference link; an unused definition is not lost",
      markdown: "[a][1]\n\n[1]: https://e.org\n[2]: src/b.ts 'T'",
      text: 'a\n\n[2]: src/b.ts "T"',
      entities: [["text_link https://e.org", "a"]],
    },
    {
      name: "tg link",
      markdown: "[a](tg://resolve?domain=x)",
      text: "a",
      entities: [["text_link tg://resolve?domain=x", "a"]],
    },
    {
      name: "image is a link with its description",
      markdown: "![a *b*](https://e.org/i.png) ![](https://e.org/j.png)",
      text: "a b image",
      entities: [
        ["text_link https://e.org/i.png", "a b"],
        ["text_link https://e.org/j.png", "image"],
      ],
    },
    { name: "image that cannot be a link", markdown: "![a](i.png)", text: "a (i.png)" },
    {
      name: "image in a link",
      markdown: "[![a](https://e.org/i.png)](https://e.org/p)",
      text: "a",
      entities: [["text_link https://e.org/p", "a"]],
    },
    {
      name: "host in another script",
      markdown: "[a](https://bücher.de/ü)",
      text: "a",
      entities: [["text_link https://xn--bcher-kva.de/%C3%BC", "a"]],
    },
  ]);
});

describe("H63: an address that Telegram would refuse is text", () => {
  check(
    [
      ["[a](http://localhost:3000)", "a (http://localhost:3000)"],
      ["[http://localhost:3000](http://localhost:3000)", "http://localhost:3000"],
      ["<http://localhost:3000/x>", "http://localhost:3000/x"],
      ["[`a.ts`](src/a.ts#L1)", "a.ts (src/a.ts#L1)", "a.ts"],
      ["[a](mailto:x@e.org) <x@e.org>", "a (x@e.org) x@e.org"],
      ["[a](javascript:alert%281%29)", "a (javascript:alert(1))"],
      ["[a](file:///etc/passwd)", "a (file:///etc/passwd)"],
      ["[a](https://e.org@evil.org/)", "a (https://e.org@evil.org/)"],
      ["[a](https://e.org:70000/)", "a (https://e.org:70000/)"],
      ["[a](https://e.org:0/)", "a (https://e.org:0/)"],
      ["[a](https://e%zz.org)", "a (https://e%25zz.org)"],
      ["[a](https://e..org)", "a (https://e..org)"],
      ["[a](https://1.2.3.999/)", "a (https://1.2.3.999/)"],
      ["[a](https://[::1]:3000/)", "a (https://[::1]:3000/)"],
      ["[a](tg://user?id=1)", "a (tg://user?id=1)"],
      ["[a](<https://e.org /x y>)", "a (https://e.org%20/x%20y)"],
      [`[a](https://e.org/${"x".repeat(2048)})`, `a (https://e.org/${"x".repeat(2048)})`],
      ["[a]()", "a"],
    ].map(([markdown = "", text = "", code]) => ({
      name: markdown.slice(0, 60),
      markdown,
      text,
      entities: code === undefined ? [] : [["code", code]],
    })),
  );
});

describe("odd input", () => {
  check([
    { name: "empty", markdown: "", text: "" },
    {
      name: "lone surrogates are replaced",
      markdown: "a\ud83d **b\udc00**",
      text: "a\ufffd b\ufffd",
      entities: [["bold", "b\ufffd"]],
    },
    {
      name: "controls, bidi overrides and separators as Telegram cleans them",
      markdown: "a\u0007b\u001b[1m \u202eabc\u2028d\r\ne\rf",
      text: "a b [1m abcd\ne\nf",
    },
    {
      name: "a decomposed ring is composed, since Telegram would drop it",
      markdown: "A\u030angstro\u0308m",
      text: "Ångstro\u0308m",
    },
    { name: "NUL is replaced by the parser", markdown: "a\0b", text: "a\ufffdb" },
    { name: "newlines by character reference", markdown: "- a&#10;b", text: "• a\n  b" },
    {
      name: "deeper than the parser goes is shown as written",
      markdown: `${">".repeat(300)} a`,
      text: `${">".repeat(300)} a`,
    },
  ]);
});

describe("H64: previews", () => {
  const answer = Array.from({ length: 400 }, (_, index) => `Line ${index} is **bold** here.`).join("\n\n");

  test("H64: a preview shows the end, and the final answer is whole, whatever the preview was cut to", () => {
    const preview = previewMarkdown(answer, { maxLength: 500 });
    const whole = renderMarkdown(answer);
    expect(preview.text.length).toBeLessThanOrEqual(500);
    expect(preview.text).toMatch(/^Line \d+ is bold here\./u);
    expect(whole.text.endsWith(preview.text)).toBe(true);
    const pieces = splitRichText(whole);
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.map(({ text }) => text).join("\n\n")).toBe(whole.text);
  });

  test("a preview that fits is the rendering itself", () => {
    expect(previewMarkdown("**a** `b", { maxLength: 4096 })).toEqual({
      text: "a `b",
      entities: [{ type: "bold", offset: 0, length: 1 }],
    });
  });

  test("an unclosed fence longer than the message stays code of its language", () => {
    const preview = previewMarkdown(`Intro\n\n\`\`\`ts\n${"const x = 1;\n".repeat(5000)}`, {
      maxLength: 400,
    });
    expect(preview.text.startsWith("const x = 1;")).toBe(true);
    expect(preview.entities).toEqual([
      { type: "pre", offset: 0, length: preview.text.length, language: "ts" },
    ]);
    expect(preview.text.length).toBeGreaterThan(350);
  });

  test("a fence that was closed long before does not make the end code", () => {
    const closed = `\`\`\`ts\n${"x\n".repeat(200)}\`\`\`\n\n`;
    const preview = previewMarkdown(closed + answer, { maxLength: 200 });
    expect(new Set(preview.entities.map(({ type }) => type))).toEqual(new Set(["bold"]));
  });

  test("a preview is cut between characters a person sees", () => {
    const family = "👨‍👩‍👧‍👦";
    const preview = previewMarkdown(family.repeat(50), { maxLength: 100 });
    expect(preview.text).toBe(family.repeat(9));
  });

  test("only the end of a long answer is rendered, however its lines are", () => {
    expect(sourceTail(`${"x".repeat(50_000)} **a**`, 100)).toHaveLength(100);
    expect(sourceTail(`# a\n\n${"b\n".repeat(50_000)}`, 100).length).toBeLessThan(110);
    expect(sourceTail(`${answer}\n\n- c\n`, 100)).toMatch(/^Line \d+ /u);
    expect(sourceTail(`~~~~sh\n${"~~~\n".repeat(500)}`, 100)).toMatch(/^~~~~sh\n~~~\n/u);
    expect(sourceTail("short", 100)).toBe("short");
  });

  test("one endless line is cut to its end", () => {
    expect(previewMarkdown("ab".repeat(40_000), { maxLength: 64 }).text).toBe("ab".repeat(32));
  });

  test("more than 100 formatted stretches are cut to the last 100", () => {
    const preview = previewMarkdown("**a** ".repeat(300), { maxLength: 4096 });
    expect(preview.entities).toHaveLength(100);
    expect(preview.entities.at(-1)).toEqual({ type: "bold", offset: preview.text.length - 1, length: 1 });
  });

  test("nothing to see yet is empty", () => {
    expect(previewMarkdown("```ts\n")).toEqual({ text: "", entities: [] });
  });
});
