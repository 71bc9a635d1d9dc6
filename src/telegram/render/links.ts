/** Longer addresses are shown as text: what the service takes at most is not documented. */
const MAX_LINK_LENGTH = 2048;
/** http(s), a host of plain ASCII labels with a dot, an optional port; no user part, which would disguise the host. */
const WEB = /^https?:\/\/[a-z0-9_-]+(?:\.[a-z0-9_-]+)+\.?(?::(?<port>\d{1,5}))?(?:[/?#]|$)/iu;
const TELEGRAM = /^tg:\/\/(?<action>[a-z0-9_-]+)(?:[/?#]|$)/iu;

/**
 * True when Telegram takes `href` as the `url` of a `text_link`. It refuses the whole message for a host without a dot
 * ("Wrong HTTP URL", H63) and for an unknown person in `tg://user`, and turns `mailto:a@b.c` into `http://mailto:a@b.c/`
 * (an address that stands in the text it finds itself). Source: `LinkManager::check_link` and `parse_url` in tdlib.
 */
export function isLinkable(href: string): boolean {
  if (href.length > MAX_LINK_LENGTH) return false;
  const web = WEB.exec(href);
  if (web !== null) {
    const port = web.groups?.port;
    return Number(port ?? 443) > 0 && URL.canParse(href);
  }
  const action = TELEGRAM.exec(href)?.groups?.action;
  return action !== undefined && action.toLowerCase() !== "user";
}
