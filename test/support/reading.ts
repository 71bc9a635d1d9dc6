import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { READING_ENV, type RunReading } from "../../src/jail/read-git-configs.ts";

/** The same command as in the jail, without one: for configs that the test itself wrote. */
export const hostReading: RunReading = async (_project, [file = "", ...argv]) => {
  const env = { ...READING_ENV, PATH: process.env.PATH ?? "", HOME: "/nonexistent" };
  const { stdout } = await promisify(execFile)(file, argv, { env, cwd: "/" });
  return { code: 0, stdout };
};
