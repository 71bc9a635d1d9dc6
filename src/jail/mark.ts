import { createHash, randomUUID } from "node:crypto";

/** The environment variable that tells whose a process is. It is no secret, and whoever reads it can do nothing with it. */
const VARIABLE = "SALLYPORT_JAIL";
const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/** The mark of one jail: a variable that its programs hand down to whatever they start. */
export interface Mark {
  readonly env: Readonly<Record<string, string>>;
  /** True for this mark and no other. `entry` is `NAME=value` of an environment. */
  readonly isIn: (entry: string) => boolean;
}

/** The marks of one home. */
export interface Marks {
  /** A new mark for a jail. */
  readonly next: () => Mark;
  /** True for every mark that this home has ever given. */
  readonly isIn: (entry: string) => boolean;
}

/** Marks that name a home by its scratch folder (a real path), so that a later life of its daemon knows its own. */
export function createMarks(scratchDir: string): Marks {
  const home = createHash("sha256").update(scratchDir).digest("hex").slice(0, 32);
  const own = new RegExp(`^${VARIABLE}=${home}:${UUID}$`);
  return {
    next: () => {
      const value = `${home}:${randomUUID()}`;
      return { env: { [VARIABLE]: value }, isIn: (entry) => entry === `${VARIABLE}=${value}` };
    },
    isIn: (entry) => own.test(entry),
  };
}
