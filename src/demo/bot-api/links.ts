/**
 * Says what is wrong with a link as Telegram sees it, or null: http, https, tg and ton only, and a host with a dot
 * (so `http://localhost:3000` is none). The words are the real server's (td, `LinkManager::check_link`).
 */
export function checkLink(link: string): string | null {
  const fault = faultOf(link);
  return fault === null ? null : `URL '${link}' is invalid: ${fault}`;
}

function faultOf(link: string): string | null {
  if (/^(tg|ton|tonsite):(\/\/)?[\w.-]+([/?#].*)?$/is.test(link)) return null;
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(link)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== "http" && scheme !== "https") return "Unsupported URL protocol";
  const url = URL.parse(scheme === undefined ? `http://${link}` : link);
  if (url === null) return "Wrong HTTP URL";
  return url.hostname.includes(".") || url.hostname.startsWith("[") ? null : "Wrong HTTP URL";
}
