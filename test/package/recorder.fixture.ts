/** Loaded before a program by `--import`: notes every file that is loaded after it in the file LOADED_FILES names. */
import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";

const { LOADED_FILES: list = "" } = process.env;

registerHooks({
  load: (url, context, nextLoad) => {
    appendFileSync(list, `${url}\n`);
    return nextLoad(url, context);
  },
});
