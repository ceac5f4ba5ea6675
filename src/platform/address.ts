/** An address as people, services and lists know it: IPv4 without the prefix that dual-stack sockets put before it. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return "unknown";
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice("::ffff:".length) : address;
}
