/** Run by the daemon as a child: copies the database of the first argument to the second, at the lowest priority. Ends with 1 when it could not. */
import { constants, setPriority } from "node:os";
import { messageOf } from "../domain/errors.ts";
import { copyDatabase } from "../store/copy.ts";

const [database = "", file = ""] = process.argv.slice(2);
try {
  setPriority(constants.priority.PRIORITY_LOW);
  process.umask(0o077);
  copyDatabase(database, file);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
