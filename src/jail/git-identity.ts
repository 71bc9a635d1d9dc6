import { runToEnd } from "./spawn.ts";

const TIMEOUT_MS = 5_000;
/** Where the owner has told git no name: commits must be possible all the same, and say who made them. */
const NOBODY = { name: "Claude by Sallyport", email: "claude@sallyport.invalid" };

/**
 * The variables by which git in a jail commits as the owner: his name and address from his own git config, which itself stays
 * outside. Read in the root folder, with no repository in sight.
 */
export async function gitIdentity(home: string): Promise<Readonly<Record<string, string>>> {
  const env = {
    HOME: home,
    PATH: "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin",
    GIT_CONFIG_NOSYSTEM: "0",
  };
  const [name = "", email = ""] = await Promise.all(
    ["user.name", "user.email"].map(async (key) => {
      const argv = ["git", "config", "--global", "--get", key];
      const { code, stdout } = await runToEnd("/usr/bin/env", argv, { timeoutMs: TIMEOUT_MS, env });
      return code === 0 ? stdout.trim() : "";
    }),
  );
  const who = name === "" || email === "" ? NOBODY : { name, email };
  return {
    GIT_AUTHOR_NAME: who.name,
    GIT_AUTHOR_EMAIL: who.email,
    GIT_COMMITTER_NAME: who.name,
    GIT_COMMITTER_EMAIL: who.email,
  };
}
