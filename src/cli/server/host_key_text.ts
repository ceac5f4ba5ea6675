import type { HostKeyStatus, UnawareClient } from "../../server/host_key/host_keys.ts";
import { momentText } from "../../time_text.ts";

/** Clients that are named one by one. */
const MOST_NAMED = 20;

/** The host keys, and what to do next, for a person. */
export function hostKeyText({ current, next, former, clients, openJoinCodes }: HostKeyStatus): string {
  const since = (moment: string) => momentText(Date.parse(moment));
  const lines = [`Host key       ${current.fingerprint}  since ${since(current.since)}`];
  if (next !== null) {
    lines.push(`Next host key  ${next.fingerprint}  since ${since(next.since)}`);
    const all = next.unaware.length === 0;
    lines.push(`Known to       ${all ? `all clients (${clients})` : `${next.aware} of ${clients} clients`}`);
    if (!all) lines.push(`Not to         ${idsOf(next.unaware).join(", ")}`);
  }
  if (former !== null) lines.push(`Former         ${former.fingerprint ?? "unreadable"}  in "${former.file}"`);
  if (next !== null) {
    if (openJoinCodes > 0) {
      lines.push(
        `Join codes     ${openJoinCodes} not used yet: they name the host key, and are revoked when the next one takes its place`,
      );
    }
    lines.push(
      "",
      next.unaware.length === 0
        ? 'Now "petit server hostkey finish" makes it the host key.'
        : 'Each client learns it when it connects. When all know it, "petit server hostkey finish" makes it the host key.',
    );
  } else if (former !== null) {
    lines.push(
      "",
      "Nobody needs the former key any more: keep its file as long as you may want to go back, then delete it.",
    );
  }
  return `${lines.join("\n")}\n`;
}

/** The registrations of each client; those of one client belong together. */
export function idsOf(clients: readonly UnawareClient[]): string[] {
  const named = clients.slice(0, MOST_NAMED).map(({ ids, connected }) =>
    `${ids.join("+")} (${connected ? "connected" : "away"})`
  );
  const more = clients.length - named.length;
  return more > 0 ? [...named, `and ${more} more`] : named;
}
