import { type BlockList, isIPv6 } from "node:net";
import type { Requirement } from "../../config/access_values.ts";
import type { AccessConfig } from "../../config/schema.ts";
import type { Credential, OwnAccess } from "../../registry/access.ts";
import { addressList } from "../forwarded_fields.ts";
import { readHash, type SecretHash } from "./secret_hash.ts";

/** Who may call one registration, with nothing left open. */
export type EffectiveAccess = Omit<AccessConfig, "clientCa">;

/** A credential as requests are compared with it. */
export interface KnownCredential {
  readonly id: string;
  readonly kind: Credential["kind"];
  readonly hash: SecretHash | undefined;
  /** In milliseconds since 1970; Infinity where it is good until it is revoked. */
  readonly expiresAt: number;
}

/** What a registration says for itself, and what [server.access] says for the rest. */
export function effectiveAccess(
  own: OwnAccess | undefined,
  { clientCa: _, ...fallback }: AccessConfig,
): EffectiveAccess {
  return { ...fallback, ...own as Partial<EffectiveAccess> };
}

/** One rule, ready to be asked. All that it names must be fulfilled: the address, the certificate, and one of the credentials. */
export class AccessRule {
  readonly settings: EffectiveAccess;
  /** What the registry says cannot be read. */
  readonly damaged: boolean;
  /** Whether nothing is asked of requests. */
  readonly isOpen: boolean;
  readonly requiresCertificate: boolean;
  readonly requiresCredential: boolean;
  /** Whether some user has a password that takes time to check. */
  readonly slow: boolean;
  readonly #bearer: boolean;
  readonly #basic: boolean;
  readonly #allow: BlockList | undefined;
  readonly #rawAllow: BlockList | undefined;
  readonly #tokens = new Map<string, KnownCredential>();
  readonly #users = new Map<string, KnownCredential>();
  readonly #usersById: ReadonlyMap<string, KnownCredential>;

  /**
   * @param settings "damaged" lets nobody in
   * @param credentials of two users with the same name the last one counts: a registration's own goes before everybody's
   */
  constructor(settings: EffectiveAccess | "damaged", credentials: readonly Credential[]) {
    const damaged = this.damaged = settings === "damaged";
    this.settings = settings === "damaged" ? NOBODY : settings;
    const { allow, rawAllow, require } = this.settings;
    const requires = (what: Requirement) => require.includes(what);
    this.#bearer = requires("bearer");
    this.#basic = requires("basic");
    this.requiresCredential = this.#bearer || this.#basic;
    this.requiresCertificate = requires("certificate");
    this.#allow = allow.length > 0 || damaged ? addressList(allow) : undefined;
    this.#rawAllow = rawAllow.length > 0 || damaged ? addressList(rawAllow) : undefined;
    this.isOpen = this.#allow === undefined && require.length === 0;
    for (const one of credentials) {
      const known = { id: one.id, kind: one.kind, hash: readHash(one.hash), expiresAt: one.expiresAt ?? Infinity };
      if (one.kind === "bearer") this.#tokens.set(one.id, known);
      else this.#users.set(one.user, known);
    }
    this.#usersById = new Map([...this.#users.values()].map((user) => [user.id, user]));
    this.slow = [...this.#users.values()].some(({ hash }) => hash?.kind === "scrypt");
  }

  /** How many credentials of each kind there are, those that expired too. */
  get counts(): Readonly<Record<Credential["kind"], number>> {
    return { bearer: this.#tokens.size, basic: this.#users.size };
  }

  allows(address: string): boolean {
    return isListed(this.#allow, address);
  }

  allowsRaw(address: string): boolean {
    return isListed(this.#rawAllow, address);
  }

  asksFor(kind: Credential["kind"]): boolean {
    return kind === "bearer" ? this.#bearer : this.#basic;
  }

  token(id: string, now: number): KnownCredential | undefined {
    return inForce(this.#tokens.get(id), now);
  }

  user(name: string, now: number): KnownCredential | undefined {
    return inForce(this.#users.get(name), now);
  }

  userById(id: string, now: number): KnownCredential | undefined {
    return inForce(this.#usersById.get(id), now);
  }

  /** Whether a credential that was good under another rule is good under this one too. */
  stillTakes({ id, kind }: KnownCredential, now: number): boolean {
    if (!this.asksFor(kind)) return false;
    if (kind === "bearer") return this.token(id, now) !== undefined;
    return this.userById(id, now) !== undefined;
  }

  /**
   * What a request without good credentials is told to bring (RFC 9110, section 11.6.1).
   * @param wrong whether it brought some
   */
  challenges(wrong: boolean): string[] {
    const { credentialField: field } = this.settings;
    // No scheme that is registered says that credentials stand elsewhere; one that nobody knows keeps browsers from asking for a password.
    if (field !== "authorization") return [`Petit realm="petit", field="${field}"`];
    return [
      ...(this.#bearer ? [`Bearer realm="petit"${wrong ? ', error="invalid_token"' : ""}`] : []),
      ...(this.#basic ? ['Basic realm="petit", charset="UTF-8"'] : []),
    ];
  }
}

const NOBODY: EffectiveAccess = {
  allow: [],
  require: [],
  certificates: [],
  stripCredentials: true,
  credentialField: "authorization",
  rawAllow: [],
  maxRawCallers: 1,
};

function isListed(list: BlockList | undefined, address: string): boolean {
  return list === undefined || (address !== "unknown" && list.check(address, isIPv6(address) ? "ipv6" : "ipv4"));
}

function inForce(credential: KnownCredential | undefined, now: number): KnownCredential | undefined {
  return credential !== undefined && credential.expiresAt > now ? credential : undefined;
}
