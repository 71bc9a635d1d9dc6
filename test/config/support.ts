import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { type LoadConfigInput, type LoadedConfig, loadConfig } from "../../src/config/load.ts";
import { AppError } from "../../src/domain/errors.ts";

export const BOT_TOKEN = "123456789:AAExample-bot_token-0123456789abcde";
export const API_KEY = "sk-ant-api03-example-key-of-the-console";
export const TOKEN_SECRET = "9c1f4e0b7d2a8563c4f0e1d9b8a7263540fedcba98162534c7b28e14e5f60718";
export const OAUTH_TOKEN = "sk-ant-oat01-example-token-of-a-subscription";

/** A machine in a temporary folder: a home, the program's checkout, a folder of projects. */
export function createWorld() {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "sallyport-config-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const at = (path: string) => join(root, path);
  for (const folder of ["home", "program", "projects", "elsewhere"]) mkdirSync(at(folder));
  const write = (path: string, text: string, mode = 0o600): string => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
    chmodSync(at(path), mode);
    return at(path);
  };
  write("runtime/node", "", 0o755);
  const minimal = {
    TELEGRAM_BOT_TOKEN: BOT_TOKEN,
    APPROVED_DIRECTORY: at("projects"),
    ALLOWED_USERS: "11,22",
    CLAUDE_AUTH: "api-key",
    ANTHROPIC_API_KEY: API_KEY,
  };
  const input = (env: Record<string, string | undefined> = {}, rest: Partial<LoadConfigInput> = {}) => ({
    env: { ...minimal, ...env },
    argv: {},
    cwd: at("elsewhere"),
    programDir: at("program"),
    homeDir: at("home"),
    platform: "linux",
    nodePath: at("runtime/node"),
    userId: process.geteuid?.() ?? null,
    ...rest,
  });
  const load = (env?: Record<string, string | undefined>, rest?: Partial<LoadConfigInput>): LoadedConfig =>
    loadConfig(input(env, rest));
  /** The lines of the error that loading ends with, the heading first. */
  const faults = (
    env?: Record<string, string | undefined>,
    rest?: Partial<LoadConfigInput>,
  ): readonly string[] => {
    try {
      load(env, rest);
    } catch (error) {
      if (error instanceof AppError && error.code === "config_invalid") return error.message.split("\n");
      throw error;
    }
    return [];
  };
  return { at, write, minimal, load, faults };
}
