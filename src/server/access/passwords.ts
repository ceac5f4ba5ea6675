import { createHmac, randomBytes } from "node:crypto";
import { FailureThrottle } from "./failure_throttle.ts";
import { fitsQuick, fitsSlow, NOBODY, type SecretHash } from "./secret_hash.ts";

/** What came of a password: right or wrong; `retryAfter` seconds where it was not looked at. */
export type PasswordVerdict = "right" | "wrong" | { readonly retryAfter: number };

/** Passwords that are hashed at the same time: each takes a core for 50 ms. */
const AT_ONCE = 2;

/** How many more may wait for that; 3 s of work. */
const MAX_WAITING = 120;

/** Right passwords that are remembered. */
const MAX_REMEMBERED = 10_000;

/** Whose password it is said to be. */
export interface PasswordOwner {
  readonly id: string;
  readonly hash: SecretHash | undefined;
}

/**
 * Checks passwords. One that was right is remembered under a keyed hash, so that the next request costs microseconds; a wrong one costs its
 * sender a place in the queue, and after ten in a minute a wait.
 */
export class Passwords {
  readonly #key = randomBytes(32);
  readonly #throttle: FailureThrottle;
  readonly #right = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(throttle = new FailureThrottle()) {
    this.#throttle = throttle;
  }

  /**
   * @param owner undefined where there is no such user
   * @param slow whether some user of the same registration has a password of their own choice: the answers for all others take as long then
   * @param address who asks
   */
  check(
    owner: PasswordOwner | undefined,
    password: string,
    slow: boolean,
    address: string,
  ): PasswordVerdict | Promise<PasswordVerdict> {
    const hash = owner?.hash ?? (slow ? NOBODY.slow : NOBODY.quick);
    if (owner !== undefined && hash.kind === "sha256" && fitsQuick(password, hash)) return "right";
    const name = this.#nameOf(owner, hash, password);
    if (this.#right.has(name)) return "right";
    const retryAfter = this.#throttle.begin(address);
    if (retryAfter > 0) return { retryAfter };
    if (!slow) return "wrong";
    if (this.#running >= AT_ONCE && this.#waiting.length >= MAX_WAITING) {
      this.#throttle.takeBack(address);
      return { retryAfter: 1 };
    }
    return this.#slowly(hash.kind === "scrypt" ? hash : NOBODY.slow, password).then((fits) => {
      if (!fits) return "wrong";
      this.#throttle.takeBack(address);
      this.#remember(name);
      return "right";
    });
  }

  async #slowly(hash: SecretHash & { kind: "scrypt" }, password: string): Promise<boolean> {
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await fitsSlow(password, hash);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  /** Nobody without the key can tell from a name, or from how long it takes to find, what password it is of. */
  #nameOf(owner: PasswordOwner | undefined, { digest }: SecretHash, password: string): string {
    return createHmac("sha256", this.#key).update(owner?.id ?? "").update("\0").update(digest).update(password)
      .digest("base64");
  }

  #remember(name: string): void {
    const [oldest] = this.#right;
    if (oldest !== undefined && this.#right.size >= MAX_REMEMBERED) this.#right.delete(oldest);
    this.#right.add(name);
  }
}
