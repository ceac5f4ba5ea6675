/** What is open at the moment, and a promise for the moment when nothing is. */
export class OpenSet<T> implements Iterable<T> {
  readonly #members = new Set<T>();
  #waiting: (() => void)[] = [];

  add(member: T): void {
    this.#members.add(member);
  }

  delete(member: T): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting = [];
  }

  get size(): number {
    return this.#members.size;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#members[Symbol.iterator]();
  }

  /** Settles when the set is empty. */
  empty(): Promise<void> {
    return this.#members.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
