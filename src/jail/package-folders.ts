/**
 * Folders of what package managers install. They are large, and full of examples, certificates and settings under names of
 * secrets, which nobody obeys there and which are as public as the package: for secrets and settings they are not looked into.
 */
const PACKAGE_FOLDERS: ReadonlySet<string> = new Set(["node_modules", "site-packages", "dist-packages"]);

/** True for the name of such a folder. */
export function isPackageFolder(name: string): boolean {
  return PACKAGE_FOLDERS.has(name);
}

/** True for a path that leads into one, or to it. */
export function isInPackages(path: string): boolean {
  return path.split("/").some(isPackageFolder);
}
