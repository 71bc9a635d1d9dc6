import { randomUUID } from "node:crypto";
import type { ButtonSpec } from "../domain/button.ts";
import type { MessageBody } from "../domain/outbox.ts";
import type { Request } from "../domain/request.ts";
import type { Replies } from "./replies.ts";
import { LABELS } from "./wording.ts";

const PAGE = 8;

/** One page of the projects as keys; the names stay with the nonces (H01, H24). */
export function repoKeys(
  replies: Replies,
  request: Request,
  { names, page }: { readonly names: readonly string[]; readonly page: number },
): MessageBody["buttons"] {
  const start = Math.min(page, Math.floor((names.length - 1) / PAGE)) * PAGE;
  const rows = names
    .slice(start, start + PAGE)
    .map((name): ButtonSpec[] => [{ label: name, action: { kind: "repo", project: name } }]);
  const turn: ButtonSpec[] = [];
  if (start > 0) turn.push({ label: LABELS.previous, action: { kind: "repo_page", page: start / PAGE - 1 } });
  if (start + PAGE < names.length)
    turn.push({ label: LABELS.next, action: { kind: "repo_page", page: start / PAGE + 1 } });
  return replies.keys(request, `repo:${randomUUID()}`, turn.length > 0 ? [...rows, turn] : rows);
}
