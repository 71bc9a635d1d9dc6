import { lstat, realpath, stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { AppError, isErrno } from "../domain/errors.ts";
import { isWithin } from "./inside-paths.ts";
import { BARE_WORKSHOP, type JailRequest, type LocalPort, type Workshop } from "./jail.ts";
import { type Program, resolveProgram } from "./program.ts";

/** A request whose paths exist, are real, and do not lie in one another. */
export interface CheckedRequest {
  readonly project: string;
  readonly program: Program;
  readonly configDir: string;
  readonly apiSocket: string;
  readonly netSocket: string | null;
  readonly netPort: number | null;
  readonly localPorts: readonly LocalPort[];
  readonly workshop: Workshop;
}

/**
 * Looks a request up on the disk: the project must still be the very folder that was approved (H21), and nothing of the
 * daemon's own may lie inside it (H33).
 * @throws AppError `path_invalid`, `path_outside` or `claude_missing`.
 */
export async function checkRequest(request: JailRequest, scratchDir: string): Promise<CheckedRequest> {
  const project: string = request.project;
  await checkProject(project);
  const { workshop = BARE_WORKSHOP } = request;
  const [program, configDir, apiSocket, netSocket, cacheDir, uploadsDir] = await Promise.all([
    resolveProgram(request.program),
    realFolder(request.configDir, "config folder"),
    realSocket(request.apiSocket),
    request.netSocket === undefined ? null : realSocket(request.netSocket),
    workshop.cacheDir === null ? null : realFolder(workshop.cacheDir, "cache folder"),
    workshop.uploadsDir === null ? null : realFolder(workshop.uploadsDir, "folder of uploads"),
  ]);
  const localPorts = await Promise.all(
    (request.localPorts ?? []).map(async ({ port, socket }) => ({ port, socket: await realSocket(socket) })),
  );
  const own = [
    program.file,
    configDir,
    apiSocket,
    await realpath(scratchDir),
    netSocket,
    cacheDir,
    uploadsDir,
  ].filter((path) => path !== null);
  const inside = own.find((path) => isWithin(path, project));
  if (inside !== undefined) {
    throw new AppError(
      "path_invalid",
      `Project ${project} holds ${inside}, a part of Sallyport itself: keep the two apart`,
    );
  }
  for (const folder of [configDir, await realpath(scratchDir), cacheDir, uploadsDir]) {
    if (folder !== null && isWithin(project, folder)) {
      throw new AppError(
        "path_invalid",
        `Project ${project} lies in Sallyport's own folder ${folder}: move it out`,
      );
    }
  }
  return {
    project,
    program,
    configDir,
    apiSocket,
    netSocket,
    netPort: request.netPort ?? null,
    localPorts,
    workshop: { ...workshop, cacheDir, uploadsDir },
  };
}

async function checkProject(project: string): Promise<void> {
  const real = await realpath(project).catch((error: unknown) => {
    if (isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR")) {
      throw new AppError("path_invalid", `Project must exist, but there is no ${project}`, { cause: error });
    }
    throw error;
  });
  if (!isAbsolute(project) || real !== project) {
    throw new AppError("path_outside", `Project must be a real path, but ${project} leads to ${real}`);
  }
  if (!(await lstat(project)).isDirectory()) {
    throw new AppError("path_invalid", `Project must be a directory, but ${project} is not`);
  }
}

async function realFolder(path: string, what: string): Promise<string> {
  const found = await stat(path).catch(() => null); // whatever the reason, it is no folder for us
  if (found?.isDirectory()) return realpath(path);
  throw new AppError("path_invalid", `The ${what} must be a directory, but ${path} is not`);
}

async function realSocket(path: string): Promise<string> {
  const found = await stat(path).catch(() => null); // as above
  if (found?.isSocket()) return realpath(path);
  throw new AppError("path_invalid", `A socket must be listening at ${path}, but there is no socket`);
}
