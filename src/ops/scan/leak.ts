/** A place where a credential stands that it should not stand in. */
export interface Leak {
  readonly credential: string;
  /** A file, a table of the database, or a repository. */
  readonly place: string;
  /** Of a text file. */
  readonly line?: number;
  /** Of a history: the oldest commit that is known to hold it, and the path it has there. */
  readonly commit?: string;
  readonly path?: string;
}

/** What a part of a scan did and found. */
export interface ScanPart {
  readonly leaks: readonly Leak[];
  /** How much was looked through. */
  readonly files: number;
  readonly bytes: number;
  /** What was not looked through, and why; a sentence each. */
  readonly notes: readonly string[];
}

/** What a whole scan did and found. */
export interface ScanResult extends ScanPart {
  /** `whole`: nothing was left out but what never is looked through. `no_database`: the database could not be read to its end. */
  readonly reach: "whole" | "partial" | "no_database";
}
