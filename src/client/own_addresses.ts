import { networkInterfaces } from "node:os";

/** All addresses of this machine; without those that only it can reach where `internal` is false. */
export function addressesOf(internal = true): string[] {
  return Object.values(networkInterfaces()).flat()
    .flatMap((one) => one === undefined || (one.internal && !internal) ? [] : one.address);
}

/** Whether a connection that goes out from `address` can still do so. IPv4 addresses may be written as IPv6 ones. */
export function isReachable(address: string | undefined, own: readonly string[]): boolean {
  if (address === undefined) return false;
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
  return own.includes(plain) || /^127\./.test(plain);
}
