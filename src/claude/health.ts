import { z } from "zod";
import { permissionModeOf } from "./argv.ts";
import type { ClaudeProcess } from "./process.ts";
import type { ClaudeSettings } from "./types.ts";

const modeReply = z.looseObject({ mode: z.string() });

/** Asks a warm process for the mode of the settings: the cheapest sign of life, and plan mode does not leak into the next turn. Never rejects. */
export async function isHealthy(
  { connection, isOver }: ClaudeProcess,
  settings: ClaudeSettings,
  timeoutMs: number,
): Promise<boolean> {
  if (isOver()) return false;
  const mode = permissionModeOf(settings);
  try {
    const reply = await connection.request({ subtype: "set_permission_mode", mode }, timeoutMs);
    return modeReply.safeParse(reply).data?.mode === mode;
  } catch {
    return false; // whatever the reason: a fresh process takes its place
  }
}
