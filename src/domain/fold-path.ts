/**
 * A path in the one form in which all spellings are equal that some disk takes for one name: case, composed and compatible
 * Unicode forms, and signs that are not seen (file systems of Macs leave some of them out). It may be given `..` that was
 * worked in before; it is for comparing only and names no file.
 */
export function foldPath(path: string): string {
  return path
    .normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}/gu, "")
    .toUpperCase() // folds what has no small letter of its own, such as the long s
    .toLowerCase()
    .normalize("NFC");
}
