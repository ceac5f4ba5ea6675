import type { ClientVitae } from "../tunnel/messages.ts";

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
  /** When it was made, in milliseconds since 1970. */
  readonly createdAt: number;
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

/** Why a join code does not open the door; each is a sentence of its own for the customer. */
export type JoinRefusal = "join-code-unknown" | "join-code-used" | "join-code-expired" | "join-code-brand";

/**
 * What survives a restart. A call that returns has been written to disk as a whole; one that throws has changed
 * nothing. Several processes may have it open: the server, and commands beside it.
 */
export interface Registry {
  /** All registrations, in the order of their ids. */
  registrations(): Registration[];
  /** The lowest reverse port that was never given away. */
  nextPort(): number;
  /**
   * Makes a registration, or finds the one that this key made with this join code or asks for again.
   * @throws PetitError with a {@link JoinRefusal} as its code, or `port-taken`
   */
  register(request: RegistrationRequest): Registration;
  /**
   * Takes a registration and its aliases away. Its id and port are never given to another key.
   * @throws PetitError `registration-unknown`
   */
  unregister(id: string): void;
  /**
   * Takes in registrations of another system, all or none of them. Those that are here already, to the letter, are left as they are.
   * @returns how many were new
   * @throws PetitError `import-conflict` where an id, a port or an alias is taken already
   */
  import(registrations: readonly ImportedRegistration[], now: number): number;
  /** Remembers what a client told of itself. */
  setVitae(fingerprint: string, vitae: ClientVitae): void;
  /** @throws PetitError `registration-unknown` or `alias-taken` */
  addAlias(id: string, alias: string): void;
  /** @throws PetitError `alias-unknown` */
  removeAlias(id: string, alias: string): void;
  addJoinCode(code: NewJoinCode): void;
  joinCode(hash: string): JoinCodeRecord | undefined;
  /** All join codes, also those that are used up or expired, the newest first. */
  joinCodes(): JoinCodeRecord[];
  /**
   * Makes a join code useless.
   * @param hash the hash or the first characters of it, which name one code only
   * @throws PetitError `join-code-unknown` or `join-code-ambiguous`
   */
  revokeJoinCode(hash: string): JoinCodeRecord;
  /** Forgets join codes that can't be used any more and are older than `before`, in milliseconds since 1970. */
  forgetJoinCodes(before: number): void;
  /** A number that differs when another process has changed something. */
  version(): number;
  close(): void;
}
