import type { ServerConfig } from "../../config/schema.ts";
import { DEFAULT_BRAND } from "../../default_brand.ts";
import { PetitError } from "../../error.ts";
import type { Registry } from "../../registry/registry.ts";
import { checkTenantName, DEFAULT_TENANT } from "../../tenant_name.ts";
import type { PublicKey } from "../../tunnel/keys.ts";
import { readPublicKey } from "../../tunnel/public_key_text.ts";
import { loginOf, type RegisteredKey, registeredKey } from "../plain_ssh.ts";
import type { Registrar } from "../registrar.ts";
import type { Routes } from "../routes.ts";
import type { SshClient } from "./ssh_client.ts";

export interface RegisterParts {
  readonly config: ServerConfig;
  readonly registry: Registry;
  readonly routes: Routes;
  readonly registrar: Registrar;
  /** Fingerprint of the server's host key. */
  readonly hostKey: string;
}

/**
 * Registers a key for whoever has logged in with a join code.
 *
 * @param typed the public key as it came on standard input; empty for the one that the client has proven
 * @throws PetitError where the key is none, where it may not be registered, or as `loginOf` and `Registrar.make`
 */
export async function registerCommand(
  parts: RegisterParts,
  client: SshClient,
  typed: Buffer,
  tenant: string = DEFAULT_TENANT,
): Promise<RegisteredKey> {
  const { config, registry, registrar, hostKey } = parts;
  const { join, address, software } = client;
  if (join === undefined) {
    throw new PetitError("join-needed", 'A registration is made by the user "join" only', {
      hint: 'Log in as "join", with a join code as the password',
      exitCode: 2,
    });
  }
  checkTenantName(tenant);
  const key = keyOf(parts, client, typed);
  refuseOthersKey(parts, client, key, tenant);
  const brand = (join.hash === null ? "" : registry.joinCode(join.hash)?.brand) || DEFAULT_BRAND;
  const vitae = { brand, version: software };
  const { line, fingerprint } = key;
  const request = { key: line, fingerprint, vitae, tenant, preferred: null, joinHash: join.hash };
  // First: what cannot be told afterwards would have cost a join code.
  const login = loginOf(config, hostKey);
  const registration = await registrar.make(request, address);
  client.registered();
  return registeredKey(config, registration, login);
}

/** @throws PetitError `key-missing`, or as `readPublicKey` */
function keyOf({ config }: RegisterParts, { key }: SshClient, typed: Buffer): PublicKey {
  if (typed.toString("latin1").trim() !== "") return readPublicKey(typed, config.ssh.pubkeyAcceptedAlgorithms);
  if (key !== undefined) return key;
  throw new PetitError("key-missing", "There is no public key to register on standard input", {
    hint: "Add < ~/.ssh/id_ed25519.pub, or log in with the key too",
    exitCode: 2,
  });
}

/**
 * That a key on standard input is whose it is said to be, nobody has proven. To one that has registrations already, nobody else may add
 * some: its owner would be told of registrations that are not theirs. The first one that is made for a key is of no use without it, and whoever
 * has it can take it away.
 */
function refuseOthersKey(
  { routes, registry }: RegisterParts,
  { key, join }: SshClient,
  { fingerprint }: PublicKey,
  tenant: string,
): void {
  if (key?.fingerprint === fingerprint || routes.ofKey(fingerprint).length === 0) return;
  // An answer that got lost may be asked for again, with the same code.
  if (typeof join?.hash === "string" && registry.hasJoined(join.hash, fingerprint, tenant)) return;
  throw new PetitError(
    "key-unproven",
    "This key has a registration already, and this login does not prove that it is yours",
    {
      hint: "Log in with the key too, such as by ssh -i ~/.ssh/id_ed25519, to give it another one",
    },
  );
}
