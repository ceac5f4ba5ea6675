import { BlockList, isIPv6 } from "node:net";
import { type Field, joinedValues, valueOf } from "../http/fields.ts";

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
}

/** The fields that say who called; a caller's own are dropped unless it is trusted. */
const FORWARDED_FIELDS = new Set(["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"]);

/** Whether a field claims who called. CGI and its heirs take "_" for "-", so a caller's "X_Forwarded_For" is one too. */
export function claimsCaller(lower: string): boolean {
  return FORWARDED_FIELDS.has(lower) || (lower.includes("_") && FORWARDED_FIELDS.has(lower.replaceAll("_", "-")));
}

/** Field lines with the caller's address, protocol and host, in the customary form and in that of RFC 7239. */
export function forwardedLines(peer: Peer, host: string, fields: readonly Field[]): string {
  const proto = peer.secure ? "https" : "http";
  const node = peer.address.includes(":") ? `"[${peer.address}]"` : peer.address;
  const element = `for=${node};host="${host}";proto=${proto}`;
  if (!peer.trusted) {
    return `X-Forwarded-For: ${peer.address}\r\nX-Forwarded-Proto: ${proto}\r\nX-Forwarded-Host: ${host}\r\nForwarded: ${element}\r\n`;
  }
  const after = (name: string, value: string) => {
    const before = joinedValues(fields, name);
    return before === undefined || before === "" ? value : `${before}, ${value}`;
  };
  return `X-Forwarded-For: ${after("x-forwarded-for", peer.address)}\r\n` +
    `X-Forwarded-Proto: ${valueOf(fields, "x-forwarded-proto") ?? proto}\r\n` +
    `X-Forwarded-Host: ${valueOf(fields, "x-forwarded-host") ?? host}\r\n` +
    `Forwarded: ${after("forwarded", element)}\r\n`;
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
