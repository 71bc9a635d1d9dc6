import type { ButtonAction } from "../domain/button.ts";
import type { Request } from "../domain/request.ts";
import type { AccessFault } from "../security/access.ts";
import type { Store } from "../store/store.ts";
import type { Turns } from "../turns/turns.ts";
import type { ProjectList, Projects } from "../workspace/projects.ts";
import { repoKeys } from "./project-keys.ts";
import { joinRich } from "./render/rich-text.ts";
import type { Replies } from "./replies.ts";
import { projectText } from "./status-text.ts";
import { WORDS } from "./wording.ts";
import { accessText, misnamedText, noProjectsText, unreadableText } from "./wording-access.ts";

export interface RepoDeps {
  readonly store: Pick<Store, "conversations">;
  readonly turns: Pick<Turns, "chooseProject">;
  readonly projects: Projects;
  /** What the project of that name lacks to be worked in; nothing when there is none. Never rejects. */
  readonly accessOf: (project: string) => Promise<readonly AccessFault[]>;
  readonly replies: Replies;
}

/** The projects that there are, and what the one that was named lacks. */
export interface FoundProjects {
  /** As it stands on the disk, if it is there. */
  readonly named: string;
  readonly list: ProjectList;
  readonly faults: readonly AccessFault[];
}

type RepoAction = Extract<ButtonAction, { kind: "repo" | "repo_page" }>;

export const NO_PROJECTS: FoundProjects = {
  named: "",
  list: { kind: "listed", names: [], misnamed: [] },
  faults: [],
};

/** Looks up what a choice of a project needs, before its transaction. */
export async function findProjects(
  { projects, accessOf }: Pick<RepoDeps, "projects" | "accessOf">,
  typed: string,
): Promise<FoundProjects> {
  const list = await projects.list();
  const named = nameOf(typed, list);
  const found = { named, list, faults: [] };
  const isProject = list.kind === "listed" && list.names.includes(named);
  return isProject ? { ...found, faults: await accessOf(named) } : found;
}

/** The name on the disk: letter by letter as it was typed, or else the only one that is the same text in another form of Unicode. */
function nameOf(typed: string, list: ProjectList): string {
  const all = list.kind === "listed" ? [...list.names, ...list.misnamed] : [];
  if (all.includes(typed)) return typed;
  const [same = typed, ...others] = all.filter((name) => name.normalize() === typed.normalize());
  return others.length === 0 ? same : typed;
}

/** True when a folder has the name that was asked for, whether it may be a project or not. */
export function isThere({ named, list }: FoundProjects): boolean {
  return list.kind === "listed" && [...list.names, ...list.misnamed].includes(named);
}

/** /repo [name or part of it]. Called inside a transaction. */
export function chooseRepo(deps: RepoDeps, request: Request, found: FoundProjects): void {
  const { replies } = deps;
  const { named, list } = found;
  if (list.kind === "unreadable") {
    replies.tell(request, unreadableText(list.mend));
    return;
  }
  const { names, misnamed } = list;
  if (names.includes(named)) {
    choose(deps, request, found);
    return;
  }
  if (names.length === 0 || misnamed.includes(named)) {
    replies.tell(request, noProjectsText(misnamed.includes(named) ? [named] : misnamed));
    return;
  }
  const like = named === "" ? names : names.filter((name) => foldOf(name).includes(foldOf(named)));
  const text = like.length === 0 ? WORDS.noSuchProject : WORDS.pickProject;
  const leftOut = misnamedText(misnamed);
  replies.tell(
    request,
    leftOut === null ? text : `${text}\n\n${leftOut}`,
    repoKeys(replies, request, { names: like.length === 0 ? names : like, page: 0 }),
  );
}

const foldOf = (name: string): string => name.normalize().toLowerCase();

/** A project's key, or one that turns the page. Called inside a transaction. */
export function pressRepo(
  deps: RepoDeps,
  request: Request,
  { action, found }: { readonly action: RepoAction; readonly found: FoundProjects },
): void {
  const { replies } = deps;
  const { list } = found;
  if (list.kind === "unreadable") {
    replies.tell(request, unreadableText(list.mend));
    return;
  }
  const { names } = list;
  if (action.kind === "repo_page") {
    if (names.length > 0)
      replies.tell(request, WORDS.pickProject, repoKeys(replies, request, { names, page: action.page }));
    return;
  }
  if (names.includes(action.project)) choose(deps, request, found);
  else replies.tell(request, WORDS.projectGone);
}

/** One in which nothing could be done is not chosen; what else it lacks is told, with the lines that mend it. */
function choose(deps: RepoDeps, request: Request, { named: project, faults }: FoundProjects): void {
  const { store, turns, replies } = deps;
  const doubts = faults.length === 0 ? "" : accessText(project, faults);
  if (faults.some(({ isGrave }) => isGrave)) {
    replies.tell(request, doubts);
    return;
  }
  turns.chooseProject(store.conversations.at(request.conversation), project);
  replies.tell(request, joinRich(projectText(project), doubts === "" ? "" : `\n\n${doubts}`));
}
