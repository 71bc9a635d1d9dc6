import { extensionOf } from "./file-name.ts";

/** What `UPLOAD_TYPES` may name beside single extensions. */
export const UPLOAD_GROUPS = ["text", "code", "images", "pdf", "archives"] as const;
export type UploadGroup = (typeof UPLOAD_GROUPS)[number];

/** How a file is treated. `other` is what the owner named by its extension. */
export type UploadKind = "text" | "image" | "pdf" | "archive" | "other";

/** The types that are taken: groups and single extensions, in small letters without a dot. */
export interface UploadTypes {
  readonly groups: readonly UploadGroup[];
  readonly extensions: readonly string[];
}

const words = (text: string): readonly string[] => text.split(" ");

/** The extensions of each group. A file without an extension counts as text: `Makefile`, `LICENSE`. */
const EXTENSIONS: Readonly<Record<UploadGroup, readonly string[]>> = {
  text: words(
    "txt md markdown rst adoc org tex bib log csv tsv json jsonl ndjson json5 geojson xml xsd xsl yaml yml toml ini cfg conf " +
      "properties srt vtt ics vcf eml diff patch po pot lock editorconfig gitignore gitattributes dockerignore example",
  ),
  code: words(
    "js mjs cjs jsx ts mts cts tsx vue svelte html htm xhtml css scss sass less svg py pyi ipynb rb php pl pm lua r jl java kt " +
      "kts scala groovy gradle clj cljs ex exs erl hrl hs elm ml mli fs fsx fsi c h cc cpp cxx hh hpp hxx m mm swift go rs zig " +
      "nim d dart cs vb pas asm s v vhd sh bash zsh fish ps1 psm1 bat cmd sql graphql gql proto thrift tf hcl nix cmake mk make " +
      "dockerfile prisma sol wat ino",
  ),
  images: words("png jpg jpeg gif webp"),
  pdf: words("pdf"),
  archives: words("zip tar tgz tar.gz"),
};

const KINDS: Readonly<Record<UploadGroup, UploadKind>> = {
  text: "text",
  code: "text",
  images: "image",
  pdf: "pdf",
  archives: "archive",
};

/** Archives that nothing here unpacks: said in words of their own. */
export const OTHER_ARCHIVES: readonly string[] = words(
  "7z rar gz bz2 tbz tbz2 tar.bz2 xz txz tar.xz zst tar.zst lz4 lzma cab iso dmg arj lha z",
);

/** Programs, by the names that file-type has for them. They are known by their bytes, and taken under no name. */
export const PROGRAM_TYPES: ReadonlySet<string> = new Set(
  words("exe elf macho wasm dex class jar apk deb rpm ar lnk crx xpi cab msi nes swf"),
);

/** Other extensions of what begins as a program does. */
const PROGRAM_EXTENSIONS = words("dll so dylib o sys ocx scr");

/** True for an extension in small letters of which no file is taken, whatever the owner names. */
export function isProgramExtension(extension: string): boolean {
  return PROGRAM_TYPES.has(extension) || PROGRAM_EXTENSIONS.includes(extension);
}

/** True for an extension that one of the groups has. */
export function isOfGroup(extension: string): boolean {
  return UPLOAD_GROUPS.some((group) => EXTENSIONS[group].includes(extension));
}

/** How a file of that name is treated; null when its type is not taken. */
export function uploadKindOf(name: string, types: UploadTypes): UploadKind | null {
  const { groups } = types;
  const extension = extensionOf(name);
  const group = UPLOAD_GROUPS.find((each) => EXTENSIONS[each].includes(extension));
  if (group !== undefined && groups.includes(group)) return KINDS[group];
  if (extension !== "" && types.extensions.includes(extension))
    return group === undefined ? "other" : KINDS[group];
  return extension === "" && (groups.includes("text") || groups.includes("code")) ? "text" : null;
}
