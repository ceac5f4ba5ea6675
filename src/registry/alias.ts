import { PetitError } from "../error.ts";

/** RFC 1123, section 2.1: letters, digits and hyphens in parts of at most 63, parted by dots. */
const HOST_NAME = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** An alias as it is kept, in lower case. @throws PetitError `alias-invalid`, with exit code 2 */
export function checkedAlias(typed: string): string {
  const alias = typed.toLowerCase();
  if (HOST_NAME.test(alias)) return alias;
  throw new PetitError("alias-invalid", `"${typed.slice(0, 300)}" is not a host name`, {
    hint: "Wanted: a name such as db.example.com, without a port; other letters than these in their xn-- form",
    exitCode: 2,
  });
}

/**
 * The id whose address a host name is if it is not an alias: "1002", "1002-x" and "1002.example.com" are all 1002's. An exact alias goes
 * before that, so whoever had such an alias would get that registration's callers.
 */
export function idAddressed(host: string): number | undefined {
  const digits = /^([1-9]\d{0,14})(?:[-.]|$)/.exec(host)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
