import { getCiphers } from "node:crypto";
import { versions } from "node:process";
import { z } from "zod";

/** One kind of algorithm: the names by which SSH knows them, best first. */
export interface AlgorithmNames {
  /** The default. */
  readonly modern: readonly string[];
  /** What an operator may add, for peers that have nothing better. */
  readonly more: readonly string[];
}

const hasChaCha = getCiphers().includes("chacha20");

/** Bun tests the prime of a MODP group anew each time: 0.5 s for group 14 and 28 s for group 18, in which nobody else is served. */
const hasModp = !("bun" in versions);

/**
 * What can be spoken at the gateway. SHA-1, MD5, CBC, RC4, 3DES, DSA, truncated MACs, compression and "none" are in none of the lists,
 * so that no setting brings them back.
 */
export const ALGORITHMS = {
  kexAlgorithms: {
    // The MODP groups take a peer that has not logged in a message, and the server milliseconds of its only thread.
    modern: ["curve25519-sha256", "curve25519-sha256@libssh.org"],
    more: [
      "ecdh-sha2-nistp256",
      "ecdh-sha2-nistp384",
      "ecdh-sha2-nistp521",
      "diffie-hellman-group14-sha256",
      "diffie-hellman-group15-sha512",
      "diffie-hellman-group16-sha512",
      "diffie-hellman-group17-sha512",
      "diffie-hellman-group18-sha512",
    ],
  },
  ciphers: {
    // AES-GCM leads: it is the fastest that every runtime has.
    modern: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr"],
    more: ["aes192-ctr", "chacha20-poly1305@openssh.com"],
  },
  macs: {
    modern: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"],
    // Encrypt-and-MAC.
    more: ["hmac-sha2-256", "hmac-sha2-512"],
  },
  hostKeyAlgorithms: {
    modern: ["ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"],
    more: ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"],
  },
  pubkeyAcceptedAlgorithms: {
    modern: ["ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"],
    more: ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"],
  },
} as const satisfies Record<string, AlgorithmNames>;

export type AlgorithmKind = keyof typeof ALGORITHMS;

/** The lists in force, best first. */
export type SshAlgorithms = { readonly [Kind in AlgorithmKind]: readonly string[] };

/** The modern set. */
export const MODERN = Object.fromEntries(
  Object.entries(ALGORITHMS).map(([kind, { modern }]) => [kind, modern]),
) as unknown as SshAlgorithms;

/**
 * What clients of petit 0.6.x need beside the modern set: none of it is broken. On Node before 12 they have neither Curve25519 nor Ed25519, and on
 * none a MAC of the kind encrypt-then-MAC.
 */
const LEGACY: Partial<SshAlgorithms> = {
  kexAlgorithms: ["ecdh-sha2-nistp256"],
  ciphers: ["aes128-ctr"],
  macs: ["hmac-sha2-256"],
  hostKeyAlgorithms: ["ecdsa-sha2-nistp256"],
};

/** The lists in force, and at their ends what clients of petit 0.6.x need. */
export function withLegacy(algorithms: SshAlgorithms): SshAlgorithms {
  return Object.fromEntries(
    Object.keys(ALGORITHMS).map((kind) => {
      const names = algorithms[kind as AlgorithmKind];
      return [kind, [...new Set([...names, ...LEGACY[kind as AlgorithmKind] ?? []])]];
    }),
  ) as unknown as SshAlgorithms;
}

/** Why this build cannot do what another one can; undefined where it can. */
function missing(name: string): string | undefined {
  if (name.startsWith("chacha20-") && !hasChaCha) return "this build of petit has no ChaCha20";
  if (name.startsWith("diffie-hellman-") && !hasModp) {
    return "this build of petit would stand still for seconds with each of these key exchanges";
  }
  return undefined;
}

/**
 * A list of algorithms in a config, as OpenSSH has it: names, best first; or names that begin with "+", which are added to the default.
 * Each name has to be one that petit has and that is not broken.
 */
export function algorithmList(kind: AlgorithmKind): z.ZodType<string[], string[]> {
  const { modern, more }: AlgorithmNames = ALGORITHMS[kind];
  const all = [...modern, ...more];
  const available = all.filter((name) => missing(name) === undefined);
  const wanted = `wanted a list of ${available.map((name) => `"${name}"`).join(", ")}`;
  return z.array(z.string(wanted), wanted).min(1, wanted).transform((entries, context) => {
    const added = entries.filter((entry) => entry.startsWith("+"));
    if (added.length > 0 && added.length < entries.length) {
      context.addIssue(`wanted either "+" before each name, which adds them to the default, or before none`);
      return z.NEVER;
    }
    const names = entries.map((entry) => entry.replace(/^\+/, ""));
    for (const [index, name] of names.entries()) {
      if (available.includes(name)) continue;
      context.addIssue({
        code: "custom",
        path: [index],
        message: `${(all.includes(name) ? missing(name) : undefined) ?? "not to be had"}; ${wanted}`,
      });
    }
    return [...new Set(added.length > 0 ? [...modern, ...names] : names)];
  });
}
