import type { ServerConfig } from "../config/schema.ts";
import type { Registry } from "../registry/registry.ts";
import { encodeJoinCode, hashJoinSecret, newJoinSecret } from "../tunnel/join_code.ts";
import { plainSshRegister } from "./plain_ssh.ts";
import { readHostKey } from "./host_key/host_key.ts";
import { toldPort } from "./told_port.ts";

/** A code that is good for more than ten years, in milliseconds, is a mistake. */
export const LONGEST_LIFETIME = 3660 * 24 * 3_600_000;

/** Most clients that one code may be for. */
export const MOST_USES = 1_000_000;

export interface JoinCodeWishes {
  readonly uses: number;
  /** Milliseconds. */
  readonly lifetime: number;
  /** Empty for any brand. */
  readonly brand: string;
  /** In place of [server] publicHost. */
  readonly host?: string | undefined;
}

/** A join code that was made; the code itself is told this once, and kept nowhere. */
export interface MadeJoinCode {
  /** The hash of its secret, under which it is listed and revoked. */
  readonly hash: string;
  readonly code: string;
  /** The host that it names. */
  readonly host: string;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
  /** Fingerprint of the server's host key. */
  readonly hostKey: string;
  /** How somebody without petit registers with it. */
  readonly ssh: string;
}

/** Makes a join code and keeps what it takes to know it again. @throws PetitError `port-unknown`, `host-invalid` or as `readHostKey` */
export function makeJoinCode(config: ServerConfig, registry: Registry, wishes: JoinCodeWishes): MadeJoinCode {
  const { uses, lifetime, brand, host = config.publicHost } = wishes;
  const port = toldPort(config, "A join code names");
  const { publicKey } = readHostKey(config.ssh.hostKey);
  const secret = newJoinSecret();
  const hash = hashJoinSecret(secret);
  const code = encodeJoinCode({ secret, hostKeyFingerprint: publicKey.fingerprint, host, port });
  const now = Date.now();
  const expiresAt = now + lifetime;
  registry.addJoinCode({ hash, brand, usesLeft: uses, createdAt: now, expiresAt });
  return { hash, code, host, expiresAt, hostKey: publicKey.fingerprint, ssh: plainSshRegister(host, port) };
}
