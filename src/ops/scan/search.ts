import type { NamedSecret } from "../../config/secret.ts";
import { formsOf } from "../../log/secret-forms.ts";

const NEWLINE = 10;

/** What is looked for: the forms of the credentials' values, as bytes, by the credentials' names. */
export interface Needles {
  readonly all: readonly { readonly name: string; readonly bytes: Buffer }[];
  /** The longest, in bytes. */
  readonly longest: number;
  /** Credentials that are too short to be told from ordinary words. */
  readonly tooShort: readonly string[];
}

/** Looks through bytes that come in pieces, however they are cut. */
export interface Search {
  readonly push: (piece: Buffer) => void;
  /** Each credential that was found, with the line of its first place, counted from 1. */
  readonly found: () => ReadonlyMap<string, number>;
}

/** Makes what is looked for of the credentials: as it is, and as it stands in a URL, in JSON, in hex and in base64. */
export function needlesOf(named: readonly Pick<NamedSecret, "name" | "value">[]): Needles {
  const forms = named.map(({ name, value }) => ({
    name,
    texts: formsOf([value.reveal()]).map(({ text }) => text),
  }));
  const all = forms.flatMap(({ name, texts }) => texts.map((text) => ({ name, bytes: Buffer.from(text) })));
  return {
    all,
    longest: Math.max(1, ...all.map(({ bytes }) => bytes.length)),
    tooShort: forms.filter(({ texts }) => texts.length === 0).map(({ name }) => name),
  };
}

/** Keeps no more than the last piece and the length of the longest needle. */
export function createSearch({ all, longest }: Needles): Search {
  const found = new Map<string, number>();
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;

  return {
    push: (piece) => {
      const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      for (const { name, bytes: needle } of all) {
        if (found.has(name)) continue;
        const at = bytes.indexOf(needle);
        if (at >= 0) found.set(name, line + newlinesIn(bytes.subarray(0, at)));
      }
      const done = Math.max(0, bytes.length - longest + 1);
      line += newlinesIn(bytes.subarray(0, done));
      rest = Buffer.from(bytes.subarray(done));
    },
    found: () => found,
  };
}

function newlinesIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}
