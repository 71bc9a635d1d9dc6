/** What the daemon asks of the thread that watches for secrets. Paths are absolute. */
export type ToWatcher =
  | {
      readonly kind: "open";
      readonly id: number;
      readonly project: string;
      /** The owner's additions to the list of secrets. */
      readonly additions: readonly string[];
      /** Secrets that are masked, by path, with device and inode as `dev:ino`. */
      readonly masked: ReadonlyMap<string, string>;
      /** Secrets that are shown because an owner said so. */
      readonly exposed: readonly string[];
    }
  | { readonly kind: "settle"; readonly id: number; readonly token: number }
  | { readonly kind: "close"; readonly id: number };

/** What it says. `lost` comes before the `opened` or `settled` that it belongs to. */
export type FromWatcher =
  | { readonly kind: "opened"; readonly id: number }
  | { readonly kind: "settled"; readonly token: number }
  /** A secret is in the project that is neither masked nor exposed. */
  | { readonly kind: "lost"; readonly id: number; readonly path: string }
  /** The project cannot be watched any more; `code` is the system's. */
  | { readonly kind: "failed"; readonly id: number; readonly code: string };
