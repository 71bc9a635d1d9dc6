/** Where a header of a tar has its type (tar(5)), and GNU's type of a volume's label, which has no content. */
const TYPE_AT = 156;
const LABEL = "V".charCodeAt(0);

/** True for a tar that begins with the label of a volume (`tar -V`): one block before its first header. */
export function isVolumeLabel(head: Buffer): boolean {
  return head[TYPE_AT] === LABEL;
}
