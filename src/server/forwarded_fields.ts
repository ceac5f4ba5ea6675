import { BlockList, isIPv6 } from "node:net";
import { type Field, joinedValues, withHyphens } from "../http/fields.ts";
import type { ClientCertificate } from "./access/client_certificate.ts";
import { forwardedElements } from "./forwarded_elements.ts";

/** Who is at the other end of a caller's connection. */
export interface Peer {
  /** IPv4 addresses without the IPv6 prefix that dual-stack sockets put before them. */
  readonly address: string;
  readonly port: number;
  /** Whether the connection is TLS. */
  readonly secure: boolean;
  /** Whether it is a load balancer of the operator's, whose word is taken for who the caller is. */
  readonly trusted: boolean;
  /** All of these, where it is one. */
  readonly proxies?: BlockList;
  /** What it has shown in its TLS handshake. */
  readonly certificate?: ClientCertificate;
}

/** The fields that `forwardedLines` writes. */
const FORWARDED_FIELDS = new Set(["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"]);

/**
 * Whether a field claims who called, and is not passed on as it is: what `forwardedLines` writes anew, and of a caller that is not
 * trusted all others of that family. A name that only CGI and its heirs take for one of them, such as "X_Forwarded_For", is nobody's.
 */
export function claimsCaller(lower: string, trusted: boolean): boolean {
  if (FORWARDED_FIELDS.has(lower)) return true;
  if (PLAIN_NAME.test(lower)) return !trusted && isClaim(lower);
  return isClaim(withHyphens(lower));
}

const PLAIN_NAME = /^[a-z0-9-]+$/;

function isClaim(lower: string): boolean {
  return lower.startsWith("x-forwarded-") || lower === "forwarded" || lower === "x-real-ip";
}

/** Field lines with the caller's address, protocol and host, in the customary form and in that of RFC 7239. */
export function forwardedLines(peer: Peer, host: string, fields: readonly Field[]): string {
  const proto = peer.secure ? "https" : "http";
  const node = peer.address.includes(":") ? `"[${peer.address}]"` : peer.address;
  const element = `for=${node};host="${host}";proto=${proto}`;
  if (!peer.trusted) {
    return `X-Forwarded-For: ${peer.address}\r\nX-Forwarded-Proto: ${proto}\r\nX-Forwarded-Host: ${host}\r\nForwarded: ${element}\r\n`;
  }
  const after = (before: string | undefined, value: string) =>
    before === undefined || before === "" ? value : `${before}, ${value}`;
  // What breaks the grammar would hide this element from the service.
  const forwarded = forwardedElements(fields).includes(undefined) ? undefined : joinedValues(fields, "forwarded");
  return `X-Forwarded-For: ${after(joinedValues(fields, "x-forwarded-for"), peer.address)}\r\n` +
    `X-Forwarded-Proto: ${lastValueOf(fields, "x-forwarded-proto") ?? proto}\r\n` +
    `X-Forwarded-Host: ${lastValueOf(fields, "x-forwarded-host") ?? host}\r\n` +
    `Forwarded: ${after(forwarded, element)}\r\n`;
}

/** Of several lines the one that the nearest proxy has added. */
function lastValueOf(fields: readonly Field[], name: string): string | undefined {
  return fields.findLast(({ lower }) => lower === name)?.value;
}

/** Addresses and CIDR ranges, as checked by the config. */
export function addressList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", prefix] = range.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
