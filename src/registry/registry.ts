import type { ClientVitae } from "../tunnel/messages.ts";
import type { AccessStore } from "./access.ts";

/** What the server knows of one tenant of a client. */
export interface Registration {
  /** "1001" and up. */
  readonly id: string;
  /** Its reverse port, 11081 and up. */
  readonly port: number;
  /** The client's public key, as in an authorized_keys file. */
  readonly key: string;
  /** "SHA256:…" of that key. */
  readonly fingerprint: string;
  readonly brand: string;
  /** Which of its client's tenants it is, as the client calls it. */
  readonly tenant: string;
  readonly aliases: readonly string[];
  readonly vitae: ClientVitae | null;
  /** The address that its client asked the server to bind the reverse port on at its last forward; null until it has asked. */
  readonly bindAddress: string | null;
  /** Whether it came over the plain backchannel of 0.6.x, or was imported from its registry: its client may sign with SHA-1 only. */
  readonly legacy: boolean;
  /** When it was made, in milliseconds since 1970. */
  readonly createdAt: number;
}

/** Whether the request has made it; where it was there before, it has an older date. */
export function isMadeBy({ createdAt }: Registration, { now }: Pick<RegistrationRequest, "now">): boolean {
  return createdAt === now;
}

/** What a new client asks for, with the key that it has proven to hold. */
export interface RegistrationRequest {
  readonly key: string;
  readonly fingerprint: string;
  readonly vitae: ClientVitae;
  /** Which of the client's tenants it is for. */
  readonly tenant: string;
  /** What it had before; granted if it is still the key's: it has it now, or had it last. */
  readonly preferred: { id: string; port: number } | null;
  /** Hash of the join code's secret; null where none is needed. */
  readonly joinHash: string | null;
  /** Whether a client of 0.6.x asks, which does not say for which of its tenants; each of its requests that names no id makes another one. */
  readonly legacy?: boolean;
  /** Reverse port to give away if a new one is needed. */
  readonly port: number;
  /** Now, in milliseconds since 1970. */
  readonly now: number;
}

export interface JoinCodeRecord {
  readonly hash: string;
  /** In milliseconds since 1970. */
  readonly createdAt: number;
  /** How many clients could use it when it was made. */
  readonly uses: number;
  /** Empty where the code is for any brand. */
  readonly brand: string;
  readonly usesLeft: number;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
}

/** How long an expired join code is remembered, in milliseconds: "expired" says more than "unknown". */
export const JOIN_CODES_KEPT = 7 * 24 * 3_600_000;

/** A join code that is made; `createdAt` is 0 where it does not matter. */
export type NewJoinCode = Omit<JoinCodeRecord, "uses" | "createdAt"> & { readonly createdAt?: number };

/** A registration as another system kept it. */
export interface ImportedRegistration {
  readonly id: string;
  readonly port: number;
  readonly key: string;
  readonly fingerprint: string;
  readonly brand: string;
  readonly aliases: readonly string[];
  readonly vitae: ClientVitae | null;
}

/** How registrations of another system are taken in. */
export interface ImportOptions {
  /** Now, in milliseconds since 1970. */
  readonly now: number;
  /** The highest id and port that the other system has given away: neither they nor lower ones are given to anybody new. */
  readonly highest?: { readonly id: number; readonly port: number };
  /** Only finds out what it would come to. */
  readonly dryRun?: boolean;
}

/** What taking in came to. */
export interface ImportResult {
  /** Ids that are new here. */
  readonly added: readonly string[];
  /** Ids that were here already with the same key and port; they are left as they are. */
  readonly known: readonly string[];
  /** What stands in the way; nothing has been changed if there is anything. */
  readonly conflicts: readonly ImportConflict[];
}

export interface ImportConflict {
  readonly id: string;
  /** A sentence without its beginning and its full stop. */
  readonly reason: string;
}

/**
 * Registrations that a key may have before it is given another one; those that it has already stay, and so do imported ones. Where registration is
 * open, a client of 0.6.x registers whatever public key it names, be it somebody else's.
 */
export const MAX_OF_KEY = 256;

/** Why a join code does not open the door; each is a sentence of its own for the customer. */
export type JoinRefusal = "join-code-unknown" | "join-code-used" | "join-code-expired" | "join-code-brand";

/**
 * What survives a restart. A call that returns has been written to disk as a whole; one that throws has changed
 * nothing. Several processes may have it open: the server, and commands beside it.
 */
export interface Registry {
  /** Who may call. */
  readonly access: AccessStore;
  /** All registrations, in the order of their ids. */
  registrations(): Registration[];
  /** The lowest reverse port that was never given away. */
  nextPort(): number;
  /**
   * Makes a registration, or finds the one that this key made with this join code or asks for again; without a join code, the one that it
   * has for this tenant. So an answer that got lost loses nothing.
   * @throws PetitError with a {@link JoinRefusal} as its code, `port-taken`, or `too-many-registrations`: the key has {@link MAX_OF_KEY}
   */
  register(request: RegistrationRequest): Registration;
  /**
   * Takes a registration and its aliases away. Its id and port are never given to another key.
   * @returns what was taken away
   * @throws PetitError `registration-unknown`
   */
  unregister(id: string): Registration;
  /**
   * Takes in registrations of another system, all or none of them. Those that are here already with the same key and port are left as they are.
   * Ids are numbers, and aliases host names in lower case.
   */
  import(registrations: readonly ImportedRegistration[], options: ImportOptions): ImportResult;
  /** Remembers what a client told of itself; one of 0.6.x has told no brand before. */
  setVitae(fingerprint: string, vitae: ClientVitae): void;
  /** Remembers the address that a client asked for, as it named it; of an id that is nobody's nothing is remembered. */
  setBindAddress(id: string, address: string): void;
  /** @throws PetitError `registration-unknown`, `alias-invalid` (not a host name), or `alias-taken`: it is another registration's alias or address */
  addAlias(id: string, alias: string): void;
  /** @throws PetitError `alias-unknown` */
  removeAlias(id: string, alias: string): void;
  /** Keeps a join code, and forgets those that expired {@link JOIN_CODES_KEPT} before it was made. */
  addJoinCode(code: NewJoinCode): void;
  joinCode(hash: string): JoinCodeRecord | undefined;
  /** Whether a key has made a registration for a tenant with a join code. */
  hasJoined(hash: string, fingerprint: string, tenant: string): boolean;
  /** All join codes, also those that are used up or expired, the newest first. */
  joinCodes(): JoinCodeRecord[];
  /**
   * Makes a join code useless.
   * @param hash the hash or the first characters of it, which name one code only
   * @throws PetitError `join-code-unknown` or `join-code-ambiguous`
   */
  revokeJoinCode(hash: string): JoinCodeRecord;
  /** Forgets join codes that expired before that, in milliseconds since 1970. */
  forgetJoinCodes(before: number): void;
  /** Which of the server's next host keys each client has pinned, both by their fingerprints. */
  hostKeysKnown(): Map<string, string>;
  /** Remembers that of several clients at once, and forgets it where it is null. */
  setHostKeysKnown(known: ReadonlyMap<string, string | null>): void;
  /** A number that differs when another process has changed something. @throws PetitError `registry-replaced` where the file is not the one that was opened */
  version(): number;
  close(): void;
}
