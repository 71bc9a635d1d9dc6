import { lockHome } from "../../src/store/lock.ts";

// Holds the lock of the home folder in argv[2] until it is killed.
const lock = lockHome(process.argv[2] ?? "");
process.stdout.write("locked\n");
setInterval(() => lock, 1_000);
