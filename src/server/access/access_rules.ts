import type { AccessConfig } from "../../config/schema.ts";
import type { AccessStore, Credential, OwnAccess } from "../../registry/access.ts";
import { AccessRule, effectiveAccess } from "./access_rule.ts";
import { Passwords } from "./passwords.ts";

/** The longest that a timer can wait, in milliseconds. */
const LONGEST_WAIT = 2 ** 31 - 1;

/** A caller that was not let in. */
export interface AccessRefusal {
  /** Null where the request names no registration. */
  readonly id: string | null;
  readonly code: string;
  /** Of the caller itself, as far as trusted proxies tell it. */
  readonly address: string;
  readonly kind: "http" | "tcp";
}

export interface AccessRulesParts {
  readonly store: AccessStore;
  /** Read anew at each `refresh`. */
  readonly config: { readonly access: AccessConfig };
  readonly passwords?: Passwords;
  /** In milliseconds since 1970. */
  readonly now?: () => number;
}

/** Who may call each registration, in memory: no request waits for the disk. */
export class AccessRules {
  readonly passwords: Passwords;
  readonly now: () => number;
  readonly #parts: AccessRulesParts;
  #default: Kept | undefined;
  #own = new Map<string, Kept>();
  #expiry: NodeJS.Timeout | undefined;
  /** Told when somebody who was let in may not be let in any more. */
  onChanged: () => void = () => {};
  /** Told of each caller that was not let in. */
  onRefused: (refusal: AccessRefusal) => void = () => {};

  constructor(parts: AccessRulesParts) {
    this.#parts = parts;
    this.passwords = parts.passwords ?? new Passwords();
    this.now = parts.now ?? Date.now;
    this.refresh();
  }

  /** The rule of a registration; of none, the one that holds where nothing else is said. */
  of(id: string | undefined): AccessRule {
    const own = id === undefined || this.#own.size === 0 ? undefined : this.#own.get(id);
    return (own ?? this.#default as Kept).rule;
  }

  /** Reads registry and config anew. A rule that has not changed stays the same object. @throws PetitError `registry-unusable` */
  refresh(): void {
    const { store, config: { access } } = this.#parts;
    const rules = store.rules();
    const credentials = store.credentials();
    const byRegistration = grouped(credentials);
    const general = byRegistration.get(null) ?? [];
    const before = this.#own;
    const formerDefault = this.#default;
    this.#default = kept(undefined, general, access, this.#default);
    this.#own = new Map();
    let changed = this.#default !== formerDefault;
    for (const id of new Set([...rules.keys(), ...byRegistration.keys()])) {
      if (id === null) continue;
      const rule = rules.get(id);
      const own = kept(rule, credentialsOf(rule, byRegistration.get(id) ?? [], general), access, before.get(id));
      this.#own.set(id, own);
      if (own !== before.get(id)) changed = true;
    }
    for (const id of before.keys()) if (!this.#own.has(id)) changed = true;
    this.#awaitExpiry(credentials);
    if (changed) this.onChanged();
  }

  /** Whoever was let in by a credential goes when it expires. */
  #awaitExpiry(credentials: readonly Credential[]): void {
    clearTimeout(this.#expiry);
    const now = this.now();
    const next = credentials.reduce(
      (soonest, { expiresAt }) => expiresAt !== null && expiresAt > now ? Math.min(soonest, expiresAt) : soonest,
      Infinity,
    );
    if (next === Infinity) return;
    this.#expiry = setTimeout(() => {
      this.onChanged();
      this.#awaitExpiry(credentials);
    }, Math.min(next - now + 1, LONGEST_WAIT));
    this.#expiry.unref();
  }

  close(): void {
    clearTimeout(this.#expiry);
  }
}

function grouped(credentials: readonly Credential[]): Map<string | null, Credential[]> {
  const groups = new Map<string | null, Credential[]>();
  for (const one of credentials) {
    const others = groups.get(one.registration);
    if (others) others.push(one);
    else groups.set(one.registration, [one]);
  }
  return groups;
}

/**
 * What lets a registration's callers in: its own credentials and, where it asks for what everybody asks for, everybody's. One with a
 * requirement of its own is opened by its own only.
 */
function credentialsOf(
  rule: OwnAccess | "damaged" | undefined,
  own: readonly Credential[],
  general: readonly Credential[],
): readonly Credential[] {
  return rule !== undefined && rule !== "damaged" && rule.require !== undefined ? own : [...general, ...own];
}

/** A rule, and what it was made of. */
interface Kept {
  readonly rule: AccessRule;
  readonly madeOf: string;
}

function kept(
  own: OwnAccess | "damaged" | undefined,
  credentials: readonly Credential[],
  config: AccessConfig,
  before: Kept | undefined,
): Kept {
  const settings = own === "damaged" ? own : effectiveAccess(own, config);
  const madeOf = JSON.stringify([settings, credentials]);
  return before?.madeOf === madeOf ? before : { rule: new AccessRule(settings, credentials), madeOf };
}
