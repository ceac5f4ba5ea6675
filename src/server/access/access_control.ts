import type { Log } from "../../observe/log.ts";
import type { Credential, OwnAccess } from "../../registry/access.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Routes } from "../routes.ts";
import { accessLine } from "./access_line.ts";
import type { EffectiveAccess } from "./access_rule.ts";
import type { AccessRules } from "./access_rules.ts";
import { type CredentialWishes, makeCredential } from "./make_credential.ts";

/** Who may call a registration: what it says for itself, what is in force, and its credentials. */
export interface RegistrationAccess {
  readonly line: string;
  /** Null where it says nothing; "damaged" where that cannot be read, and nobody is let in. */
  readonly own: OwnAccess | "damaged" | null;
  readonly effective: EffectiveAccess;
}

export interface AccessControlParts {
  readonly registry: Registry;
  readonly routes: Routes;
  readonly rules: AccessRules;
  readonly log: Log;
}

/** What an operator can ask and change of who may call, in a server that runs. It is in force when a call returns. */
export class AccessControl {
  readonly #parts: AccessControlParts;

  constructor(parts: AccessControlParts) {
    this.#parts = parts;
  }

  /** Who may call a registration, in one line. */
  line(id: string): string {
    return accessLine(this.#parts.rules.of(id));
  }

  /** @throws PetitError `registration-unknown` */
  of(id: string): RegistrationAccess {
    const { registry, rules } = this.#parts;
    const own = registry.access.rule(id) ?? null;
    return { line: this.line(id), own, effective: rules.of(id).settings };
  }

  /** @param rule null to have the default hold @throws PetitError `registration-unknown` */
  set(id: string, rule: OwnAccess | null): void {
    this.#parts.registry.access.setRule(id, rule);
    this.#changed(
      { id },
      `Who may call ${id} has been changed: ${rule === null ? "as by default" : "a rule of its own"}`,
    );
  }

  /** All credentials, or those of one registration. */
  credentials(registration?: string): Credential[] {
    const all = this.#parts.registry.access.credentials();
    return registration === undefined ? all : all.filter((one) => one.registration === registration);
  }

  /** @throws PetitError `registration-unknown`, `user-taken` or `credential-invalid` */
  async grant(wishes: CredentialWishes): Promise<{ credential: Credential; secret: string }> {
    const made = await makeCredential(wishes, Date.now());
    const { id, registration } = made.credential;
    this.#parts.registry.access.add(made.credential);
    this.#changed({ id: registration, credential: id }, `The credential ${id} was made`);
    return made;
  }

  /** @throws PetitError `credential-unknown` */
  revoke(id: string): Credential {
    const credential = this.#parts.registry.access.revoke(id);
    this.#changed({ id: credential.registration, credential: id }, `The credential ${id} was revoked`);
    return credential;
  }

  #changed(fields: object, told: string): void {
    this.#parts.routes.refresh();
    this.#parts.log.info(fields, told);
  }
}
