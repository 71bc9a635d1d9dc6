/** A call of a tool, as the model makes it. */
export interface Call {
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** What can be seen after all attacks of a run. */
export interface Sight {
  /** What the model was told of this attack's calls. */
  readonly told: string;
  /** Every request that the API got for the attack's prompt, or in its own session. */
  readonly prompted: string;
  /** Every request of the next session. */
  readonly next: string;
}

/** One way to one thing. */
export interface Attack {
  readonly asset: string;
  readonly route: string;
  readonly calls: readonly Call[];
  /** Made by a subagent. */
  readonly isSubagent?: boolean;
  /** A text of the person's (forwarded from a stranger) that attacks by itself. */
  readonly prompt?: string;
  /** Has a session of its own; this happens on the host in the middle of its calls, once the file `begun` is there. */
  readonly midway?: { readonly begun: string; readonly happen: () => void };
  /** Called when the session is over, before the next one. */
  readonly between?: () => void;
  /** Made by the next process on the same folders. */
  readonly nextSession?: readonly Call[];
  /** True when it did what it was for: the effect is looked at, not the answer. */
  readonly isThrough: (sight: Sight) => boolean | Promise<boolean>;
}

export const bash = (command: string): Call => ({
  tool: "Bash",
  input: { command, description: "work" },
});
export const read = (path: string): Call => ({ tool: "Read", input: { file_path: path } });
export const write = (path: string, content: string): Call => ({
  tool: "Write",
  input: { file_path: path, content },
});
