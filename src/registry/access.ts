import { z } from "zod";
import { addressRanges, certificateNames, credentialField, requirements } from "../config/access_values.ts";

/** What a registration says for itself of who may call it; what it does not say is as in [server.access]. */
export const ownAccessSchema = z.strictObject({
  allow: addressRanges(),
  require: requirements(),
  certificates: certificateNames(),
  stripCredentials: z.boolean("wanted true or false"),
  credentialField: credentialField(),
  rawAllow: addressRanges(),
  maxRawCallers: z.int("wanted a whole number from 1 to 1000000").min(1).max(1_000_000),
}).partial();

export type OwnAccess = z.output<typeof ownAccessSchema>;

/** Something secret that a caller shows; the secret itself is kept nowhere. */
export interface Credential {
  /** Twelve hexadecimal digits, by which it is listed and revoked. */
  readonly id: string;
  /** Whose callers it lets in; null for those of all registrations that follow the default. */
  readonly registration: string | null;
  readonly kind: "bearer" | "basic";
  /** The user name of a "basic" one; empty for a token. */
  readonly user: string;
  /** What the operator calls it. */
  readonly label: string;
  /** As `src/server/access/secret_hash.ts` writes it. */
  readonly hash: string;
  /** In milliseconds since 1970, as is the next one. */
  readonly createdAt: number;
  /** Null where it is good until it is revoked. */
  readonly expiresAt: number | null;
}

/**
 * Who may call, as far as it is kept in the registry. All of it stays when a registration is taken away: its id comes back to the same
 * key only, and must not come back open.
 */
export interface AccessStore {
  /** The registrations' own rules by id; "damaged" where one cannot be read: nobody may be let in by it. */
  rules(): ReadonlyMap<string, OwnAccess | "damaged">;
  /** The own rule of one registration. @throws PetitError `registration-unknown` */
  rule(id: string): OwnAccess | "damaged" | undefined;
  /** Sets a registration's own rule, or takes it away. @throws PetitError `registration-unknown` */
  setRule(id: string, rule: OwnAccess | null): void;
  /** All credentials, those that expired too, the oldest first. */
  credentials(): Credential[];
  /** @throws PetitError `registration-unknown`, or `user-taken`: there is such a user there already */
  add(credential: Credential): void;
  /** @throws PetitError `credential-unknown` */
  revoke(id: string): Credential;
}
