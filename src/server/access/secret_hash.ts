import { hash, randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from "node:crypto";

/**
 * What is kept of a secret. One that petit has made is random and cannot be guessed, so that one round of SHA-256 is enough; one
 * that a person has chosen costs whoever has stolen the registry 50 ms of processor time and 16 MiB of memory for each guess.
 */
export type SecretHash =
  | { readonly kind: "sha256"; readonly digest: Buffer }
  | { readonly kind: "scrypt"; readonly cost: Cost; readonly salt: Buffer; readonly digest: Buffer };

interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** 16 MiB; OWASP's least for scrypt at p = 5 is the same work. */
const COST: Cost = { N: 2 ** 14, r: 8, p: 1 };

/** Bytes of a salt and of what comes out. */
const SALT = 16;
const LENGTH = 32;

const WRITTEN = /^(?:sha256:([0-9a-f]{64})|scrypt:(\d{1,8}):(\d{1,3}):(\d{1,3}):([0-9a-f]{32}):([0-9a-f]{64}))$/;

/** What is kept of a secret that is random. */
export function hashOfRandom(secret: string): string {
  return `sha256:${hash("sha256", secret, "hex")}`;
}

/** What is kept of a secret that a person has chosen. */
export async function hashOfChosen(secret: string): Promise<string> {
  const salt = randomBytes(SALT);
  const digest = await slowDigest(secret, salt, COST);
  return `scrypt:${COST.N}:${COST.r}:${COST.p}:${salt.toString("hex")}:${digest.toString("hex")}`;
}

/** Reads what was kept; undefined where it is none, which fits no secret. */
export function readHash(written: string): SecretHash | undefined {
  const [, sha256, N, r, p, salt, digest] = WRITTEN.exec(written) ?? [];
  if (sha256 !== undefined) return { kind: "sha256", digest: Buffer.from(sha256, "hex") };
  if (salt === undefined || digest === undefined) return undefined;
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  return { kind: "scrypt", cost, salt: Buffer.from(salt, "hex"), digest: Buffer.from(digest, "hex") };
}

/** Of a secret that nobody knows: what is asked for somebody who is not there takes as long as for somebody who is. */
export const NOBODY = {
  quick: { kind: "sha256", digest: randomBytes(LENGTH) },
  slow: { kind: "scrypt", cost: COST, salt: randomBytes(SALT), digest: randomBytes(LENGTH) },
} as const satisfies Record<string, SecretHash>;

/** Whether a secret is the one that was kept, in a time that does not depend on how much of it is right. */
export function fitsQuick(secret: string, { digest }: SecretHash & { kind: "sha256" }): boolean {
  return timingSafeEqual(hash("sha256", secret, "buffer"), digest);
}

/** The same, without holding up the event loop. */
export async function fitsSlow(
  secret: string,
  { cost, salt, digest }: SecretHash & { kind: "scrypt" },
): Promise<boolean> {
  return timingSafeEqual(await slowDigest(secret, salt, cost), digest);
}

function slowDigest(secret: string, salt: Buffer, cost: Cost): Promise<Buffer> {
  const options: ScryptOptions = { ...cost, maxmem: 256 * cost.N * cost.r };
  return new Promise((resolve, reject) =>
    scrypt(secret, salt, LENGTH, options, (error, key) => error ? reject(error) : resolve(key))
  );
}
