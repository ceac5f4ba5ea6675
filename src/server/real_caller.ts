import { isIPv6 } from "node:net";
import { type Field, joinedValues } from "../http/fields.ts";
import { canonicalAddress } from "../platform/address.ts";
import { forwardedElements } from "./forwarded_elements.ts";
import type { Peer } from "./forwarded_fields.ts";

/** Where a request comes from, as far as it can be told. */
interface Source {
  readonly address: string;
  /** Whether each word of it comes from a proxy that is trusted, and none contradicts it. */
  readonly proven: boolean;
}

/**
 * The address of the caller itself, for records: that of the connection, or what trusted proxies say of it. Each proxy adds to the
 * right who connected to it, so the list is believed from the right, up to the first address that is not a trusted proxy's. Where a
 * proxy does not say who called it, that is the proxy itself. X-Forwarded-For wins over Forwarded.
 */
export function realCaller(peer: Peer, fields: readonly Field[]): string {
  return peer.trusted ? sourceOf(peer, fields).address : peer.address;
}

/**
 * The same for permissions: "unknown", which no list of addresses holds, where a trusted proxy does not say who called it, and where
 * X-Forwarded-For and Forwarded say different things. Most proxies write one of the two and pass the other on as the caller wrote it.
 */
export function provenCaller(peer: Peer, fields: readonly Field[]): string {
  if (!peer.trusted) return peer.address;
  const { address, proven } = sourceOf(peer, fields);
  return proven ? address : "unknown";
}

function sourceOf(peer: Peer, fields: readonly Field[]): Source {
  const listed = joinedValues(fields, "x-forwarded-for")?.split(",");
  const customary = listed && followed(peer, listed);
  const elements = forwardedElements(fields);
  // An element may speak of the protocol alone.
  const standard = elements.some((element) => element === undefined || element.has("for"))
    ? followed(peer, elements.map((element) => element?.get("for") ?? ""))
    : undefined;
  if (customary === undefined) return standard ?? { address: peer.address, proven: true };
  if (standard === undefined) return customary;
  const agreed = customary.proven && standard.proven && customary.address === standard.address;
  return { address: customary.address, proven: agreed };
}

function followed(peer: Peer, entries: readonly string[]): Source {
  let nearest = peer.address;
  for (let index = entries.length - 1; index >= 0; index--) {
    const address = addressIn(entries[index] as string);
    if (address === undefined) return { address: nearest, proven: false };
    nearest = address;
    if (!peer.proxies?.check(address, isIPv6(address) ? "ipv6" : "ipv4")) break;
  }
  return { address: nearest, proven: true };
}

/** "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80"; not "unknown", "_hidden" (RFC 7239, section 6.3) or nothing. */
function addressIn(entry: string): string | undefined {
  const text = entry.trim();
  const bare = /^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
  return canonicalAddress(bare);
}
