import { ALGORITHMS, MODERN, type SshAlgorithms } from "../config/ssh_algorithms.ts";
import { PetitError } from "../error.ts";
import { type ConnectionInternals, utils } from "./ssh_library.ts";

const { modern, more } = ALGORITHMS.hostKeyAlgorithms;

/** What a client offers, in the library's words. It takes any host key that is not broken: the one that it knows is of some kind. */
export const clientOffer = {
  kex: MODERN.kexAlgorithms,
  serverHostKey: [...modern, ...more],
  cipher: MODERN.ciphers,
  hmac: MODERN.macs,
  compress: ["none"],
};

/** The algorithms by which a host key signs. */
function signaturesOf(type: string): string[] {
  return type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type];
}

/** The library's flag for a server that takes RSA with SHA-2 without saying so (RFC 8308). */
const IMPLY_RSA_SHA2_SIGALGS = 1 << 4;

/**
 * Has a client sign with SHA-2 where its key is RSA, whatever the server says it takes: the library would fall back to SHA-1. To be called between the
 * server's identification and the login.
 */
export function signRsaWithSha2(client: object): void {
  (client as ConnectionInternals)._protocol._compatFlags |= IMPLY_RSA_SHA2_SIGALGS;
}

/**
 * Refuses to start with a host key that no client would be shown.
 *
 * @param hostKeys private keys, PEM
 * @throws PetitError `host-key-refused`
 */
export function checkHostKeys(hostKeys: readonly (string | Buffer)[], { hostKeyAlgorithms }: SshAlgorithms): void {
  const types = hostKeys.map((pem) => utils.parseKey(pem)).flatMap((key) => key instanceof Error ? [] : [key.type]);
  const names = types.flatMap(signaturesOf);
  if (types.length < hostKeys.length || names.some((name) => hostKeyAlgorithms.includes(name))) return;
  throw new PetitError(
    "host-key-refused",
    `The host key is of the type "${types.join(", ")}", and [server.ssh] hostKeyAlgorithms has only ${
      hostKeyAlgorithms.join(", ")
    }`,
    { hint: `Add ${names.map((name) => `"+${name}"`).join(" or ")} to hostKeyAlgorithms, or have another host key` },
  );
}

/**
 * Has a connection of the server offer `algorithms`, and no others: the library would add RSA with SHA-1 for an RSA host key. To be called
 * before its KEXINIT is sent.
 */
export function setServerOffer(connection: object, algorithms: SshAlgorithms): void {
  const { _protocol: protocol } = connection as ConnectionInternals;
  const hostKeys = protocol._hostKeys ?? {};
  const direction = { cipher: algorithms.ciphers, mac: algorithms.macs, compress: ["none"], lang: [] };
  const Offer = protocol._offer.constructor as new (lists: object) => object;
  protocol._offer = new Offer({
    // Strict key exchange, the answer to the Terrapin attack (CVE-2023-48795).
    kex: [...algorithms.kexAlgorithms, "kex-strict-s-v00@openssh.com"],
    serverHostKey: algorithms.hostKeyAlgorithms.filter((name) => name in hostKeys),
    cs: direction,
    sc: direction,
  });
}
