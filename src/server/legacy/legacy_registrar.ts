import { messageOf, PetitError } from "../../error.ts";
import type { ServerConfig } from "../../config/schema.ts";
import { sshKeyOfPem } from "../../registry/ssh_key_of_pem.ts";
import type { Registration } from "../../registry/registry.ts";
import type { PublicKey } from "../../tunnel/keys.ts";
import { type LegacyClientMessage, UNTOLD_CLIENT } from "../../tunnel/legacy_messages.ts";
import type { NewRegistrations } from "../new_registrations.ts";
import type { Routes } from "../routes.ts";
import { legacyKey } from "./legacy_key.ts";

export interface LegacyRegistrarParts {
  /** Read anew each time: a reload changes it. */
  readonly config: ServerConfig;
  readonly routes: Routes;
  readonly registrations: NewRegistrations;
}

/** Registrations that nobody has confirmed, of so many keys at most. */
const MAX_UNCONFIRMED = 1000;

/** Registers clients of 0.6.x, which send a public key and prove nothing: what they get is of use to the key's holder only. */
export class LegacyRegistrar {
  readonly #parts: LegacyRegistrarParts;
  /** By fingerprint: the registration whose answer may have got lost. */
  readonly #unconfirmed = new Map<string, string>();

  constructor(parts: LegacyRegistrarParts) {
    this.#parts = parts;
  }

  /** @throws PetitError `key-refused`, `registration-closed`, or as NewRegistrations.make */
  async register(
    { publicKey, preferred }: LegacyClientMessage & { type: "register1" },
    address: string,
  ): Promise<Registration> {
    const { config, routes, registrations } = this.#parts;
    const { line, fingerprint } = soundKey(publicKey);
    const own = routes.ofKey(fingerprint);
    if (own.some(({ legacy }) => !legacy)) {
      throw new PetitError(
        "key-refused",
        "This key is that of a client which speaks a newer version of the backchannel",
      );
    }
    const wanted = preferred?.id ?? this.#unconfirmed.get(fingerprint);
    const known = own.find(({ id }) => id === wanted);
    if (known !== undefined) return known;
    if (config.registration !== "open") {
      throw new PetitError(
        "registration-closed",
        `This server registers no more clients of petit 0.6 ([server] registration is "${config.registration}"): its operator can set it to "open", ` +
          'or import a registration ("petit server import"); a newer client registers with a join code',
      );
    }
    const registration = await registrations.make({
      key: line,
      fingerprint,
      vitae: UNTOLD_CLIENT,
      tenant: "default",
      preferred,
      joinHash: null,
      legacy: true,
    }, address);
    this.#unconfirmed.set(fingerprint, registration.id);
    for (const oldest of this.#unconfirmed.keys()) {
      if (this.#unconfirmed.size <= MAX_UNCONFIRMED) break;
      this.#unconfirmed.delete(oldest);
    }
    return registration;
  }

  /** Its client has written down what it was given. */
  confirmed({ id, fingerprint }: Registration): void {
    if (this.#unconfirmed.get(fingerprint) === id) this.#unconfirmed.delete(fingerprint);
  }
}

/** @throws PetitError `key-refused` */
function soundKey(pem: string): PublicKey {
  let key: PublicKey;
  try {
    key = sshKeyOfPem(pem);
  } catch (error) {
    throw new PetitError("key-refused", `The public key cannot be used: ${messageOf(error)}`, { cause: error });
  }
  legacyKey(key.line);
  return key;
}
