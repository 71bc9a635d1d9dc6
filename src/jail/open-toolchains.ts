import { homedir } from "node:os";
import { AppError } from "../domain/errors.ts";
import { loginPath } from "./login-path.ts";
import { findToolchains, namedToolchains, type Toolchains } from "./toolchains.ts";

/** `SANDBOX_TOOLS`. */
export type ToolsSetting =
  | { readonly kind: "auto" }
  | { readonly kind: "none" }
  | { readonly kind: "folders"; readonly folders: readonly string[] };

/** Service managers and macOS put few folders on PATH; Homebrew is found even where no shell says so. */
const USUAL = ["/opt/homebrew/bin", "/home/linuxbrew/.linuxbrew/bin", "/usr/local/bin"];

/**
 * The toolchains of the setting. `closed` are folders that none may hold or lie in.
 * @throws AppError `config_invalid` when a folder that was named cannot be shown, with the reason.
 */
export async function openToolchains(
  setting: ToolsSetting,
  closed: readonly string[],
  signal: AbortSignal,
): Promise<Toolchains> {
  const places = { home: homedir(), closed };
  switch (setting.kind) {
    case "none":
      return { tools: [], path: [], refused: [] };
    case "auto":
      return findToolchains([...(await loginPath({ home: homedir(), signal })), ...USUAL], places);
    case "folders": {
      const named = await namedToolchains(setting.folders, places);
      if (typeof named !== "string") return named;
      throw new AppError("config_invalid", `SANDBOX_TOOLS: ${named}`);
    }
  }
}
