declare const approved: unique symbol;

/** An absolute real path inside the approved directory. Only `security/paths.ts` makes one. */
export type ApprovedPath = string & { readonly [approved]: true };
