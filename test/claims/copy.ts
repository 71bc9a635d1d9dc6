import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Edit } from "./mutation.ts";

/** What the tests read of the repository. */
const PARTS = [
  "src",
  "test",
  "bench",
  "launchd",
  "package.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "vitest.config.ts",
  ".env.example",
  "README.md",
  "SECURITY.md",
  "CHANGELOG.md",
];

/** A copy of the tree in a folder of its own, in which mechanisms can be patched out. */
export interface Copy extends Disposable {
  readonly root: string;
  /** Patches the copy. Gives what puts the files back. Throws when a text does not occur exactly once. */
  readonly patch: (edits: readonly Edit[]) => () => void;
}

/** Copies the repository at `root`; its `node_modules` are linked to. */
export function copyTree(root: string): Copy {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), "sallyport-claims-")));
  for (const part of PARTS) {
    if (existsSync(join(root, part))) cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  chmodSync(copy, 0o755); // some tests run a fixture as another user
  symlinkSync(realpathSync(join(root, "node_modules")), join(copy, "node_modules"));
  return {
    root: copy,
    patch: (edits) => {
      const originals = new Map<string, string>();
      for (const [file] of edits) originals.set(file, readFileSync(join(copy, file), "utf8"));
      for (const [file, text] of patchTexts(edits, (path) => originals.get(path) ?? ""))
        writeFileSync(join(copy, file), text);
      return () => {
        for (const [file, text] of originals) writeFileSync(join(copy, file), text);
      };
    },
    [Symbol.dispose]: () => rmSync(copy, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** The texts of the files that `edits` touch, afterwards. Throws when one finds its text not exactly once. */
export function patchTexts(
  edits: readonly Edit[],
  read: (file: string) => string,
): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const [file, find, replace] of edits) {
    const parts = (texts.get(file) ?? read(file)).split(find);
    if (parts.length !== 2)
      throw new Error(`${file} has this ${parts.length - 1} times instead of once:\n${find}`);
    texts.set(file, parts.join(replace));
  }
  return texts;
}
