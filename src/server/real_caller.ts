import { isIP, isIPv6 } from "node:net";
import { type Field, joinedValues } from "../http/fields.ts";
import { plainAddress } from "../platform/address.ts";
import type { Peer } from "./forwarded_fields.ts";

/**
 * The address of the caller itself: that of the connection, or what trusted proxies say of it. Each proxy adds to the right
 * who connected to it, so the list is believed from the right, up to the first address that is not a trusted proxy's.
 */
export function realCaller(peer: Peer, fields: readonly Field[]): string {
  if (!peer.trusted) return peer.address;
  let nearest = peer.address;
  for (const entry of claimed(fields).reverse()) {
    const address = addressIn(entry);
    if (address === undefined) break;
    nearest = address;
    if (!peer.proxies?.check(address, isIPv6(address) ? "ipv6" : "ipv4")) break;
  }
  return nearest;
}

function claimed(fields: readonly Field[]): string[] {
  const listed = joinedValues(fields, "x-forwarded-for");
  if (listed !== undefined) return listed.split(",");
  const forwarded = joinedValues(fields, "forwarded") ?? "";
  return [...forwarded.matchAll(/(?:^|[;,])\s*for=("[^"]*"|[^;,]*)/gi)].map(([, node = ""]) =>
    node.replaceAll('"', "")
  );
}

/** "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80". */
function addressIn(entry: string): string | undefined {
  const text = entry.trim();
  const bare = /^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
  return isIP(bare) === 0 ? undefined : plainAddress(bare);
}
