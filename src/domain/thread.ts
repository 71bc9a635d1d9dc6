import { extname } from "node:path";
import { Worker } from "node:worker_threads";

/**
 * Starts a thread of the daemon's own from the module beside that name (an absolute path without its ending). It has nothing of
 * the daemon's environment and takes no flag of its command line, and the daemon's end does not wait for it.
 */
export function startThread(module: string, data?: unknown): Worker {
  const file = `${module}${extname(import.meta.filename)}`;
  const started = new Worker(file, { workerData: data, env: {}, execArgv: [], stdin: false });
  started.unref();
  return started;
}
