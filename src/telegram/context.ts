import type { Context } from "grammy";
import type { Request } from "../domain/request.ts";

/** What the chain adds to grammY's context. */
interface Flavor {
  /** What is asked, as the gates passed so far left it. */
  request: Request;
  /** What is to be written; all of it in one transaction at the end of the chain, together with the inbox row. */
  readonly effects: (() => void)[];
}

/** The context of every middleware of the bot. */
export type SallyContext = Context & Flavor;
