import type { Request } from "../domain/request.ts";
import type { Verdict } from "../domain/verdict.ts";
import type { Gate } from "./admit.ts";
import { cleanText, isBlank } from "./clean-text.ts";

interface ValidateInputDeps {
  /** The longest prompt, in UTF-16 units, as Telegram counts; measured on the text as it came, before any work on it. */
  readonly maxPromptChars: number;
}

/**
 * Makes the gate for what was typed. A prompt is cleaned of what cannot be seen (`cleanText`), which the request
 * records in `cleaned`; denied are `too_long`, `empty` (nothing visible in it) and `unsupported_content`. What a
 * prompt says is never judged: words about `rm -rf` are words, and the jail, not a pattern, holds what is run.
 * A command's argument is left as it is, since the command decides what it may be (paths: `security/paths.ts`).
 */
export function createValidateInput({ maxPromptChars }: ValidateInputDeps): Gate {
  const tooLong = (text: string): Verdict | null =>
    text.length <= maxPromptChars
      ? null
      : { kind: "deny", reason: "too_long", detail: `${text.length} of at most ${maxPromptChars}` };

  return (request) => {
    const { body } = request;
    switch (body.kind) {
      case "prompt":
      case "edit":
        return tooLong(body.text) ?? admitCleaned(request, body);
      case "command":
        return tooLong(body.argument) ?? { kind: "admit", request };
      case "button":
        return { kind: "admit", request };
      case "unsupported":
        return { kind: "deny", reason: "unsupported_content", detail: body.what };
    }
  };
}

function admitCleaned(request: Request, body: Extract<Request["body"], { text: string }>): Verdict {
  const { text, cleaned } = cleanText(body.text);
  if (isBlank(text)) return { kind: "deny", reason: "empty", detail: null };
  return {
    kind: "admit",
    request: { ...request, body: { ...body, text }, cleaned: [...request.cleaned, ...cleaned] },
  };
}
