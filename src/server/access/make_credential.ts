import { randomBytes } from "node:crypto";
import { PetitError } from "../../error.ts";
import type { Credential } from "../../registry/access.ts";
import { hashOfChosen, hashOfRandom } from "./secret_hash.ts";

/** A credential that is good for more than ten years, in milliseconds, is a mistake. */
export const LONGEST_LIFETIME = 3660 * 24 * 3_600_000;

/** How long a password may be, in characters; a chosen one has at least the first. */
const SHORTEST = 8;
const LONGEST = 256;

export interface CredentialWishes {
  /** Null for callers of all registrations that follow the default. */
  readonly registration: string | null;
  readonly kind: Credential["kind"];
  /** For "basic". */
  readonly user: string;
  /** Of the user's own choice; undefined has petit make one. */
  readonly password: string | undefined;
  readonly label: string;
  /** Milliseconds; null for good. */
  readonly lifetime: number | null;
}

/** Makes a credential. `secret`, the token or the password, is told this once; nothing leads back to it. @throws PetitError `usage` */
export async function makeCredential(
  wishes: CredentialWishes,
  now: number,
): Promise<{ credential: Credential; secret: string }> {
  const { registration, kind, label, lifetime } = wishes;
  const user = kind === "basic" ? checkedUser(wishes.user) : "";
  if (/[\x00-\x1f\x7f]/.test(label) || label.length > 100) throw wrong("A label is one line of at most 100 characters");
  const id = randomBytes(6).toString("hex");
  const expiresAt = lifetime === null ? null : now + lifetime;
  const credential = { id, registration, kind, user, label, createdAt: now, expiresAt };
  if (kind === "bearer") {
    const secret = `petit_${id}_${randomBytes(32).toString("base64url")}`;
    return { credential: { ...credential, hash: hashOfRandom(secret) }, secret };
  }
  if (wishes.password === undefined) {
    const secret = randomBytes(24).toString("base64url");
    return { credential: { ...credential, hash: hashOfRandom(secret) }, secret };
  }
  const secret = checkedPassword(wishes.password);
  return { credential: { ...credential, hash: await hashOfChosen(secret) }, secret };
}

/** RFC 7617, section 2: no colon and no control characters; it is compared in Unicode's form NFC. */
function checkedUser(typed: string): string {
  const user = typed.normalize("NFC");
  if (user !== "" && user.length <= 128 && !/[:\x00-\x1f\x7f]/.test(user)) return user;
  throw wrong("A user name is 1 to 128 characters without a colon or control characters");
}

function checkedPassword(typed: string): string {
  const password = typed.normalize("NFC");
  if (password.length >= SHORTEST && password.length <= LONGEST && !/[\x00-\x1f\x7f]/.test(password)) return password;
  throw wrong(`A password is ${SHORTEST} to ${LONGEST} characters without control characters`);
}

function wrong(message: string): PetitError {
  return new PetitError("credential-invalid", message, { exitCode: 2 });
}
