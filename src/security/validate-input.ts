import type { SentFile } from "../domain/attachment.ts";
import type { Request } from "../domain/request.ts";
import type { Verdict } from "../domain/verdict.ts";
import type { Gate } from "./admit.ts";
import { cleanText, isBlank } from "./clean-text.ts";
import { createJudgeFile, type JudgeFileDeps } from "./judge-file.ts";

interface ValidateInputDeps extends JudgeFileDeps {
  /** The longest prompt, in UTF-16 units, as Telegram counts; measured on the text as it came, before any work on it. */
  readonly maxPromptChars: number;
}

/**
 * Makes the gate for what was typed. A prompt is cleaned of what cannot be seen (`cleanText`), which the request
 * records in `cleaned`; denied are `too_long`, `empty` (nothing visible in it) and `unsupported_content`. What a
 * prompt says is never judged: words about `rm -rf` are words, and the jail, not a pattern, holds what is run.
 * A file is judged by what the message says of it, before anything is fetched (`createJudgeFile`).
 * A command's argument is left as it is, since the command decides what it may be (paths: `security/paths.ts`).
 */
export function createValidateInput({ maxPromptChars, ...uploads }: ValidateInputDeps): Gate {
  const judgeFile = createJudgeFile(uploads);
  const tooLong = (text: string): Verdict | null =>
    text.length <= maxPromptChars
      ? null
      : { kind: "deny", reason: "too_long", detail: `${text.length} of at most ${maxPromptChars}` };

  return (request) => {
    const { body } = request;
    switch (body.kind) {
      case "prompt":
        return firstDenial(body.files, judgeFile) ?? tooLong(body.text) ?? admitCleaned(request, body);
      case "edit":
        return tooLong(body.text) ?? admitCleaned(request, body);
      case "command":
        return tooLong(body.argument) ?? { kind: "admit", request };
      case "button":
      case "login":
        return { kind: "admit", request };
      case "unsupported":
        return { kind: "deny", reason: "unsupported_content", detail: body.what };
    }
  };
}

function firstDenial(
  files: readonly SentFile[] = [],
  judgeFile: (file: SentFile) => Verdict | null,
): Verdict | null {
  for (const file of files) {
    const denial = judgeFile(file);
    if (denial !== null) return denial;
  }
  return null;
}

function admitCleaned(
  request: Request,
  body: Extract<Request["body"], { kind: "prompt" | "edit" }>,
): Verdict {
  const { text, cleaned } = cleanText(body.text);
  const hasFiles = body.kind === "prompt" ? body.files !== undefined && body.files.length > 0 : body.hasFile;
  if (isBlank(text) && !hasFiles) return { kind: "deny", reason: "empty", detail: null };
  return {
    kind: "admit",
    request: { ...request, body: { ...body, text }, cleaned: [...request.cleaned, ...cleaned] },
  };
}
