import {
  isOfGroup,
  isProgramExtension,
  UPLOAD_GROUPS,
  type UploadGroup,
  type UploadTypes,
} from "../domain/upload-types.ts";
import { nearestName } from "./nearest.ts";
import { type Parser, wordList } from "./values.ts";

const EXPECTED = "text, code, images, pdf, archives or extensions such as docx, separated by commas";
/** Below that an extension may well be a sign away from a group's name, as `texi` is from `text`. */
const LONG = 5;

/** Groups of file types and single extensions. Refused: those of programs, of which none is taken, and what is a group's name misspelt. */
export const uploadTypes: Parser<UploadTypes> = wordList(
  EXPECTED,
  /^\.?[A-Za-z0-9][A-Za-z0-9.]{0,15}$/,
).transform((words, context) => {
  const names = words.map((word) => word.toLowerCase().replace(/^\./, ""));
  const groups = UPLOAD_GROUPS.filter((group) => names.includes(group));
  const extensions = names.filter((name) => !groups.some((group) => group === name));
  for (const remark of extensions.flatMap(remarkOn))
    context.addIssue({ code: "custom", message: `${EXPECTED} (${remark})` });
  return { groups, extensions };
});

function remarkOn(name: string): readonly string[] {
  if (isProgramExtension(name)) return [`never ${name}: programs are not taken`];
  const group = isOfGroup(name) ? undefined : groupMeantBy(name);
  return group === undefined ? [] : [`did you mean ${group} for ${name}?`];
}

/** The group of which the name is a slip of the pen: its letters in another order, one or many of it, or near it and long. */
function groupMeantBy(name: string): UploadGroup | undefined {
  const near = name.length < LONG ? null : nearestName(name, UPLOAD_GROUPS);
  return UPLOAD_GROUPS.find(
    (group) =>
      group === near ||
      `${name}s` === group ||
      name === `${group}s` ||
      sortedLetters(name) === sortedLetters(group),
  );
}

function sortedLetters(text: string): string {
  return Array.from(text).sort().join("");
}
