/** One place of the source, and what stands there instead: file, exact text that occurs once, replacement. */
export type Edit = readonly [file: string, find: string, replace: string];

/** The daemon without one of its mechanisms, and the tests that have to notice it. */
export interface Mutation {
  /** How the text of the claim in SECURITY.md begins, far enough to be the only one. */
  readonly claim: string;
  /** Further claims, of the table of systems mostly, that rest on the same mechanism and name the same tests. */
  readonly also?: readonly string[];
  /** What the daemon does now, in words. */
  readonly gone: string;
  readonly edits: readonly Edit[];
  /** Tests that the claim names; one case of a template may be written out, where the others take long. */
  readonly red: readonly string[];
  /** Variables for the run of the tests, to leave out what takes long. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A test that a claim names and that no mutation of that claim turns red, with the reason why none can. */
export interface Exempt {
  readonly claim: string;
  readonly test: string;
  readonly because: string;
}
