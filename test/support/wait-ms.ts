/** How long a test waits for what should come, in milliseconds; less where it is not expected to come (`test/claims`). */
export const WAIT_MS = Number(process.env.TEST_WAIT_MS ?? 20_000);
/** How much longer than the program promises something may take here: a machine may be slow just now. */
export const SLACK = 5;
