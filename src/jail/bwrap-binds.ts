import { type Bridge, portSocketOf } from "./bridge.ts";
import { type Bind, insideArgv, programBinds } from "./bwrap-options.ts";
import type { CheckedRequest } from "./check-request.ts";
import { INSIDE } from "./inside-paths.ts";
import type { InsidePaths } from "./jail.ts";

/** Where things are in the jail of that request. */
export function insidePaths(
  { project, program, workshop }: CheckedRequest,
  isNetworked: boolean,
): InsidePaths {
  const { configDir, apiSocket, home, tmp } = INSIDE;
  return {
    program: insideArgv(program),
    project,
    configDir,
    apiSocket,
    home,
    tmp,
    path: [...workshop.path, INSIDE.path].join(":"),
    proxyPort: isNetworked ? INSIDE.proxyPort : null,
    cacheDir: workshop.cacheDir === null ? null : INSIDE.cacheDir,
  };
}

/** The ports of the jail's loopback that lead out of it. */
export function bridgesOf({ netSocket, localPorts }: CheckedRequest): readonly Bridge[] {
  const proxy = { port: INSIDE.proxyPort, socket: INSIDE.netSocket };
  return [
    ...(netSocket === null ? [] : [proxy]),
    ...localPorts.map(({ port }) => ({ port, socket: portSocketOf(port) })),
  ];
}

/** What is mounted, in order, under the project's protections. */
export function bindsOf({
  program,
  configDir,
  apiSocket,
  netSocket,
  localPorts,
  workshop,
  project,
}: CheckedRequest): readonly Bind[] {
  const readonly = (source: string, target = source): Bind => ({ source, target, isWritable: false });
  const { cacheDir, uploadsDir } = workshop;
  return [
    ...workshop.tools.map((tool) => readonly(tool)),
    { source: configDir, target: INSIDE.configDir, isWritable: true },
    ...(cacheDir === null ? [] : [{ source: cacheDir, target: INSIDE.cacheDir, isWritable: true }]),
    ...(uploadsDir === null ? [] : [readonly(uploadsDir, INSIDE.uploads)]),
    ...programBinds(program),
    readonly(apiSocket, INSIDE.apiSocket),
    ...(netSocket === null ? [] : [readonly(netSocket, INSIDE.netSocket)]),
    ...localPorts.map(({ port, socket }) => readonly(socket, portSocketOf(port))),
    { source: project, target: project, isWritable: true },
  ];
}
