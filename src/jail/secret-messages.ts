/** What the thread that watches a project is started with. Paths are absolute. */
export interface WatchOrder {
  /** The daemon's own folder, which shows the thread what it has noticed. */
  readonly sentinelDir: string;
  readonly project: string;
  /** The owner's additions to the list of secrets. */
  readonly additions: readonly string[];
  /** Secrets that are masked, by path, with device and inode as `dev:ino`. */
  readonly masked: ReadonlyMap<string, string>;
  /** Secrets that are shown because an owner said so. */
  readonly exposed: readonly string[];
}

/** What the daemon asks of it. */
export interface ToWatcher {
  readonly kind: "settle";
  readonly token: number;
}

/** What it says. `lost` comes before the `opened` or `settled` that it belongs to. */
export type FromWatcher =
  | { readonly kind: "opened" }
  | { readonly kind: "settled"; readonly token: number }
  /** A secret is in the project that is neither masked nor exposed. */
  | { readonly kind: "lost"; readonly path: string }
  /** A folder cannot be watched, or not any more; `code` is the system's. */
  | { readonly kind: "failed"; readonly code: string; readonly path: string };
