import { randomUUID } from "node:crypto";
import type { AuditEvent } from "../domain/audit-event.ts";
import type { ButtonAction, ButtonSpec } from "../domain/button.ts";
import type { Owners } from "../domain/person.ts";
import type { Request } from "../domain/request.ts";
import { redactShapes } from "../log/redact.ts";
import type { NamedFile } from "../security/named-file.ts";
import { shorten } from "../security/visible.ts";
import type { Store } from "../store/store.ts";
import type { Turns } from "../turns/turns.ts";
import { isForOwner, type RecordRequest } from "./owners-only.ts";
import type { Replies } from "./replies.ts";
import {
  EXPOSE_WORDS,
  exposedText,
  hiddenText,
  hideLabel,
  plainText,
  shownBeforeText,
  shownText,
} from "./wording-expose.ts";

/** The longest path that is put on record, and the longest on a key. */
const MAX_PATH = 200;
const MAX_LABEL = 60;

export interface ExposeDeps {
  readonly store: Store;
  readonly replies: Replies;
  readonly turns: Pick<Turns, "renew">;
  readonly owners: Owners;
  readonly record: RecordRequest;
}

/**
 * /expose: has the jails of the chosen project show a file of the list of secrets, or tells which they show. Called inside a
 * transaction, with what was found by the name.
 */
export function exposeFile(deps: ExposeDeps, request: Request, file: NamedFile): void {
  const { store, replies, owners } = deps;
  const isOpen = file.kind === "gone" || file.kind === "unnamed";
  if (!isOpen && !isForOwner(deps, request, EXPOSE_WORDS.ownersOnly)) return;
  switch (file.kind) {
    case "gone":
      replies.tell(request, EXPOSE_WORDS.noProject);
      return;
    case "unnamed": {
      const { project } = store.conversations.at(request.conversation);
      const paths = store.exposedFiles.of(file.root);
      const rows = owners.has(request.principal?.userId ?? 0)
        ? paths.map((path) => [hiding(file.root, path)])
        : [];
      const keys = rows.length > 0 ? replies.keys(request, `expose:${randomUUID()}`, rows) : [];
      replies.tell(request, exposedText(project ?? "", paths), keys);
      return;
    }
    case "missing":
      replies.tell(request, EXPOSE_WORDS.missing);
      return;
    case "plain":
      replies.tell(request, plainText(file.path));
      return;
    case "secret":
      replies.tell(request, show(deps, request, file));
      return;
  }
}

function show(
  { store, record }: ExposeDeps,
  request: Request,
  { root, path }: Extract<NamedFile, { kind: "secret" | "plain" }>,
): string {
  const userId = request.principal?.userId ?? 0;
  const shown = store.exposedFiles.show(root, path, userId);
  if (shown === "before") return shownBeforeText(path);
  if (shown === "too_many") return EXPOSE_WORDS.tooMany;
  record(eventOf("secret.exposed", root, path), { userId, conversation: request.conversation });
  return shownText(path);
}

/** Hides a file again, for who is still an owner. Called inside a transaction. */
export function hideFile(
  deps: ExposeDeps,
  request: Request,
  { root, path }: Extract<ButtonAction, { kind: "expose_hide" }>,
): void {
  const { store, replies, turns, record } = deps;
  if (!isForOwner(deps, request, EXPOSE_WORDS.ownersOnly)) return;
  if (store.exposedFiles.hide(root, path)) {
    const who = { userId: request.principal?.userId ?? 0, conversation: request.conversation };
    record(eventOf("secret.hidden", root, path), who);
    turns.renew();
  }
  replies.tell(request, hiddenText(path));
}

function hiding(root: string, path: string): ButtonSpec {
  return { label: shorten(hideLabel(path), MAX_LABEL), action: { kind: "expose_hide", root, path } };
}

function eventOf(type: "secret.exposed" | "secret.hidden", root: string, path: string): AuditEvent {
  return {
    type,
    project: shorten(redactShapes(root), MAX_PATH),
    path: shorten(redactShapes(path), MAX_PATH),
  };
}
