import { BlockList, isIP } from "node:net";
import { z } from "zod";

/** The values that say who may call: those of [server.access], and of a registration's own rule. */

const text = () => z.string("wanted a string in quotes");

/** An address or a range of addresses. */
export const cidr = () =>
  text().refine((value) => {
    const [address, prefix, ...more] = value.split("/");
    if (address === undefined || more.length > 0) return false;
    if (isIP(address) === 0) return false;
    try {
      const family = address.includes(":") ? "ipv6" : "ipv4";
      if (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) return false;
      new BlockList().addSubnet(
        address,
        prefix === undefined ? (family === "ipv6" ? 128 : 32) : Number(prefix),
        family,
      );
      return true;
    } catch {
      return false;
    }
  }, 'wanted an address or a range in CIDR notation, such as "10.0.0.0/8"');

export const addressRanges = () => z.array(cidr(), 'wanted a list, such as ["10.0.0.0/8"]').max(1000);

/** What a caller may be asked to show. */
export const REQUIREMENTS = ["bearer", "basic", "certificate"] as const;
export type Requirement = typeof REQUIREMENTS[number];

export const requirements = () =>
  z.array(
    z.enum(REQUIREMENTS, 'wanted "bearer", "basic" or "certificate"'),
    'wanted a list, such as ["bearer"]',
  ).max(REQUIREMENTS.length);

export const certificateNames = () =>
  z.array(
    text().regex(/^[^\x00-\x1f\x7f]{1,255}$/, "wanted a name without control characters").refine(
      (name) => !/^sha256:/i.test(name) || /^sha256:[0-9a-f]{64}$/i.test(name),
      'wanted "sha256:" and the 64 hexadecimal digits of a fingerprint, without colons',
    ),
    'wanted a list, such as ["billing.example.com"]',
  ).max(1000);

const FIELD = 'wanted "authorization" or a name that begins with "x-", such as "x-petit-authorization"';

/** Where credentials stand: in a field that callers choose for nothing else. */
export const credentialField = () =>
  text().regex(/^(?:[Aa]uthorization|[Xx]-[A-Za-z0-9-]{1,60})$/, FIELD)
    .refine((name) => !/^x-forwarded-/i.test(name), FIELD).toLowerCase();
