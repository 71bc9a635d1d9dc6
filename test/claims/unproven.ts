/** Tests that SECURITY.md names and that no mutation turns red yet: this list only shrinks. */
export const UNPROVEN: readonly string[] = [];
