import { isIPv4, isIPv6 } from "node:net";

/** How many bits of an address name the network that its holder has. */
export interface BlockSizes {
  readonly ipv4: number;
  readonly ipv6: number;
}

/** "32:64", as in OpenSSH's PerSourceNetBlockSize. The text has been checked by the config. */
export function blockSizes(text: string): BlockSizes {
  const [ipv4 = 32, ipv6 = 64] = text.split(":").map(Number);
  return { ipv4, ipv6 };
}

/**
 * The name of the network that an address belongs to: who has an IPv6 address has 2^64 of them. What is no address is a network of its own.
 *
 * @param address without the prefix of dual-stack sockets
 */
export function netBlock(address: string, sizes: BlockSizes): string {
  if (isIPv4(address)) {
    return sizes.ipv4 >= 32
      ? address
      : `${masked(address.split(".").map(Number), 8, sizes.ipv4).join(".")}/${sizes.ipv4}`;
  }
  if (!isIPv6(address)) return address;
  const groups = masked(ipv6Groups(address), 16, sizes.ipv6);
  const text = groups.map((group) => group.toString(16)).join(":");
  return sizes.ipv6 >= 128 ? text : `${text}/${sizes.ipv6}`;
}

/** Keeps the first bits of a number that is given in groups of `width` bits. */
function masked(groups: readonly number[], width: number, bits: number): number[] {
  return groups.map((group, index) => {
    const kept = Math.min(Math.max(bits - index * width, 0), width);
    return group & ~(2 ** (width - kept) - 1);
  });
}

/** The eight groups of an address (RFC 4291, section 2.2), the zone left out. */
function ipv6Groups(address: string): number[] {
  const [text = ""] = address.split("%");
  const [head = "", tail] = text.replace(/\d+\.\d+\.\d+\.\d+$/, dottedGroups).split("::");
  const before = groupsIn(head);
  if (tail === undefined) return before;
  const after = groupsIn(tail);
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function groupsIn(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}

function dottedGroups(dotted: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split(".").map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
