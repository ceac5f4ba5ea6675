import { hash as digestOf, randomBytes } from "node:crypto";
import { FailureThrottle } from "./failure_throttle.ts";
import { fitsQuick, fitsSlow, NOBODY, type SecretHash } from "./secret_hash.ts";

/** What came of a password: right or wrong; `retryAfter` seconds where it was not looked at. */
export type PasswordVerdict = "right" | "wrong" | { readonly retryAfter: number };

/** Passwords that are hashed at the same time, each of which takes a core for 50 ms; and how many more may wait for that: 3 s of work. */
const LIMITS = { atOnce: 2, waiting: 120 };

/** Credentials that were right and are remembered. */
const MAX_REMEMBERED = 10_000;

/**
 * Checks passwords. What was right is remembered under a keyed hash, so that the next request costs half a microsecond; a wrong one costs
 * its sender a place in the queue, and after ten in a minute a wait, where some password is a person's own.
 */
export class Passwords {
  readonly #key = randomBytes(32).toString("hex");
  readonly #throttle: FailureThrottle;
  /** Ids of credentials, by the keyed hash of what was shown. */
  readonly #right = new Map<string, string>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  readonly #limits: typeof LIMITS;

  constructor(throttle = new FailureThrottle(), limits = LIMITS) {
    this.#throttle = throttle;
    this.#limits = limits;
  }

  /**
   * @param hash undefined where there is no such user
   * @param slow whether some user of the same registration has a password of their own choice: the answers for all others take as long then
   * @param address who asks
   */
  check(
    hash: SecretHash | undefined,
    password: string,
    slow: boolean,
    address: string,
  ): PasswordVerdict | Promise<PasswordVerdict> {
    if (hash?.kind === "sha256" && fitsQuick(password, hash)) return "right";
    // Where petit has made all of them there is nothing to guess.
    if (!slow) return "wrong";
    const retryAfter = this.#throttle.begin(address);
    if (retryAfter > 0) return { retryAfter };
    if (this.#running >= this.#limits.atOnce && this.#waiting.length >= this.#limits.waiting) {
      this.#throttle.takeBack(address);
      return { retryAfter: 1 };
    }
    return this.#slowly(hash?.kind === "scrypt" ? hash : NOBODY.slow, password).then((fits) => {
      if (!fits) return "wrong";
      this.#throttle.takeBack(address);
      return "right";
    });
  }

  /** The id of the credential that the same was right for before; whether that is still in force is another question. */
  recall(registration: string, shown: string): string | undefined {
    return this.#right.get(this.#nameOf(registration, shown));
  }

  /** @param shown as it stood in the request */
  remember(registration: string, shown: string, credential: string): void {
    const [oldest] = this.#right.keys();
    if (oldest !== undefined && this.#right.size >= MAX_REMEMBERED) this.#right.delete(oldest);
    this.#right.set(this.#nameOf(registration, shown), credential);
  }

  /** Nobody without the key can tell from a name, or from how long it takes to find, what it is of. */
  #nameOf(registration: string, shown: string): string {
    return digestOf("sha256", `${this.#key}${registration} ${shown}`, "base64");
  }

  async #slowly(hash: SecretHash & { kind: "scrypt" }, password: string): Promise<boolean> {
    if (this.#running >= this.#limits.atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await fitsSlow(password, hash);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
