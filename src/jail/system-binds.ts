import { chmod, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Identity } from "./identity.ts";
import { INSIDE } from "./inside-paths.ts";
import { lstatOrNull } from "./protection.ts";

/** Folders that lead into /usr on a merged system and are folders of their own on an older one. */
const USR_LINKS = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/**
 * What programs need of /etc, file by file: neither /etc/passwd nor a private key is among it (/etc/ssl/private and
 * /etc/pki/tls/private hold such, and root may read them).
 */
const ETC = [
  "/etc/alternatives",
  "/etc/ca-certificates",
  "/etc/crypto-policies",
  "/etc/ld.so.cache",
  "/etc/localtime",
  "/etc/nsswitch.conf",
  "/etc/pki/ca-trust",
  "/etc/pki/tls/cert.pem",
  "/etc/pki/tls/certs",
  "/etc/pki/tls/openssl.cnf",
  "/etc/ssl/cert.pem",
  "/etc/ssl/certs",
  "/etc/ssl/openssl.cnf",
];

/** The folders of those, parents first. */
const ETC_FOLDERS = ["/etc", "/etc/pki", "/etc/pki/tls", "/etc/ssl"];

/** The part of a jail that is the same for all: bwrap options for the system, and the file that masks show. */
export interface SystemBinds {
  readonly options: readonly string[];
  readonly emptyFile: string;
}

/**
 * Looks at how this host is laid out, and writes the few made-up files of /etc and the empty file into `scratchDir`,
 * which exists and is closed to others; the files are not, since whoever runs in the jail reads them.
 */
export async function systemBinds(
  scratchDir: string,
  { uid, gid }: Identity = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
): Promise<SystemBinds> {
  const emptyFile = join(scratchDir, "empty");
  const madeUp = await Promise.all([
    madeUpFile(scratchDir, "passwd", `bot:x:${uid}:${gid}:bot:${INSIDE.home}:/bin/sh\n`),
    madeUpFile(scratchDir, "group", `bot:x:${gid}:\n`),
    madeUpFile(scratchDir, "hosts", "127.0.0.1 localhost\n::1 localhost\n"),
  ]);
  await rm(emptyFile, { force: true });
  await writeFile(emptyFile, "");
  await chmod(emptyFile, 0o444);
  const usrLinks = await Promise.all(USR_LINKS.map(linkOrBind));
  const folders = await Promise.all(ETC_FOLDERS.map(openFolder));
  const etc = ETC.flatMap((path) => ["--ro-bind-try", path, path]);
  return {
    options: ["--ro-bind", "/usr", "/usr", ...usrLinks.flat(), ...folders.flat(), ...etc, ...madeUp.flat()],
    emptyFile,
  };
}

async function madeUpFile(scratchDir: string, name: string, text: string): Promise<readonly string[]> {
  const path = join(scratchDir, name);
  await writeFile(path, text);
  await chmod(path, 0o644);
  return ["--ro-bind", path, `/etc/${name}`];
}

/** A folder in the way that bwrap, run by root, would close to whom root becomes. */
async function openFolder(path: string): Promise<readonly string[]> {
  return (await lstatOrNull(path)) === null ? [] : ["--perms", "0755", "--dir", path];
}

async function linkOrBind(path: string): Promise<readonly string[]> {
  const stats = await lstatOrNull(path);
  if (stats === null) return [];
  return stats.isSymbolicLink() ? ["--symlink", await readlink(path), path] : ["--ro-bind", path, path];
}
