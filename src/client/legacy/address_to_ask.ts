import { lookup } from "node:dns/promises";
import { BlockList, isIP, isIPv6 } from "node:net";
import { PetitError } from "../../error.ts";
import { canonicalAddress } from "../../platform/address.ts";

/** This machine, and who shares a cable with it (RFC 1122, 3927, 4291): where cloud providers have their keys too. */
const HERE = listOf("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "::/127", "fe80::/10");

/** Networks of their own (RFC 1918, 4193, 6598). */
const PRIVATE = listOf("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7");

/**
 * The address of an endpoint, where this client may ask there. A server of 0.6.x says over plain TCP what is to be asked, or whoever is between: it is
 * not to reach through this client what only this client can reach.
 *
 * @param name host of the endpoint, as `URL.hostname` has it
 * @param server host of the server
 * @throws PetitError `endpoint-not-asked`, or the system's error where a name is not found
 */
export async function addressToAsk(name: string, server: string): Promise<string> {
  // Below "localhost" is what the server's operator has not changed: callers on the server's own machine are meant, and not those here.
  if (name === "localhost" || name.endsWith(".localhost")) return server;
  const host = name.startsWith("[") ? name.slice(1, -1) : name;
  const { address } = await lookup(host);
  const own = (await lookup(server, { all: true })).map(({ address }) => address);
  if (mayBeAsked(address, own, isIP(host) === 0)) return address;
  throw new PetitError("endpoint-not-asked", `${address} is in a network of its own, and not the server's address`);
}

/**
 * @param own the server's addresses
 * @param named whether the endpoint has a name: those of a site's own network may lead to another machine there than the server
 */
export function mayBeAsked(address: string, own: readonly string[], named: boolean): boolean {
  const plain = canonicalAddress(address);
  if (plain === undefined) return false;
  const servers = own.map((address) => canonicalAddress(address) ?? "");
  if (servers.includes(plain)) return true;
  if (isIn(HERE, plain)) return false;
  return !isIn(PRIVATE, plain) || (named && servers.some((server) => isIn(PRIVATE, server)));
}

function isIn(list: BlockList, address: string): boolean {
  return isIP(address) !== 0 && list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

function listOf(...ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", prefix] = range.split("/");
    list.addSubnet(address, Number(prefix), isIPv6(address) ? "ipv6" : "ipv4");
  }
  return list;
}
