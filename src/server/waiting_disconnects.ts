import { type DisconnectFacts, together } from "./disconnect.ts";
import type { DisconnectStore } from "./disconnect_store.ts";

/** How many of all clients may wait, and how many registrations to be forgotten: as many as clients that a server is made for, twice. */
const MAX_WAITING = 20_000;

interface Waiting {
  readonly key: string;
  readonly facts: DisconnectFacts;
}

/** The names of what has been written. */
interface Written {
  readonly disconnects: readonly string[];
  readonly forgotten: readonly string[];
}

/** Ends of tunnels that are not written yet, in the order of their coming, and registrations that are still to be forgotten. */
export class WaitingDisconnects {
  readonly #byName = new Map<string, Waiting>();
  readonly #byKey = new Map<string, Set<string>>();
  readonly #forgotten = new Map<string, { key: string; id: string }>();
  readonly #keptPerKey: number;

  constructor(keptPerKey: number) {
    this.#keptPerKey = keptPerKey;
  }

  get any(): boolean {
    return this.#byName.size > 0 || this.#forgotten.size > 0;
  }

  /** The oldest first. */
  get all(): Waiting[] {
    return [...this.#byName.values()];
  }

  /** Those of a key, the oldest first. */
  of(key: string): DisconnectFacts[] {
    return [...this.#byKey.get(key) ?? []].map((name) => (this.#byName.get(name) as Waiting).facts);
  }

  /** A client that tells of many takes no room of others: beyond the bounds its own oldest goes, and then the oldest of all. */
  add(key: string, facts: DisconnectFacts): void {
    const name = `${key} ${facts.tunnel}`;
    const before = this.#byName.get(name);
    this.#byName.set(name, { key, facts: before === undefined ? facts : together(before.facts, facts) });
    let names = this.#byKey.get(key);
    if (names === undefined) this.#byKey.set(key, names = new Set());
    names.add(name);
    if (names.size > this.#keptPerKey) this.#delete(first(names));
    if (this.#byName.size > MAX_WAITING) this.#delete(first(this.#byName.keys()));
  }

  forget(key: string, id: string): void {
    for (const facts of this.of(key)) {
      if (!facts.ids.includes(id)) continue;
      const name = `${key} ${facts.tunnel}`;
      const ids = facts.ids.filter((one) => one !== id);
      if (ids.length === 0) this.#delete(name);
      else this.#byName.set(name, { key, facts: { ...facts, ids } });
    }
    this.#forgotten.set(`${key} ${id}`, { key, id });
    if (this.#forgotten.size > MAX_WAITING) this.#forgotten.delete(first(this.#forgotten.keys()));
  }

  /** Whether what is stored of a registration is still to be forgotten. */
  isForgotten(key: string, id: string): boolean {
    return this.#forgotten.has(`${key} ${id}`);
  }

  /** Writes from the oldest on, as one transaction, until it is late: what is to be forgotten first, since what waits came after it. */
  write(store: DisconnectStore, late: () => boolean): Written {
    const disconnects: string[] = [];
    const forgotten: string[] = [];
    store.transaction(() => {
      for (const [name, { key, id }] of this.#forgotten) {
        store.forget(key, id);
        forgotten.push(name);
        if (late()) return;
      }
      for (const [name, waiting] of this.#byName) {
        store.put(waiting.key, waiting.facts);
        disconnects.push(name);
        if (late()) return;
      }
    });
    return { disconnects, forgotten };
  }

  /** These need not wait any more. */
  written({ disconnects, forgotten }: Written): void {
    for (const name of disconnects) this.#delete(name);
    for (const name of forgotten) this.#forgotten.delete(name);
  }

  #delete(name: string): void {
    const waiting = this.#byName.get(name);
    if (waiting === undefined) return;
    this.#byName.delete(name);
    const names = this.#byKey.get(waiting.key);
    names?.delete(name);
    if (names?.size === 0) this.#byKey.delete(waiting.key);
  }
}

function first(names: Iterable<string>): string {
  for (const name of names) return name;
  throw new Error("There is none");
}
