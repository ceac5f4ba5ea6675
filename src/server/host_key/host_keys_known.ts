import type { Registry } from "../../registry/registry.ts";

/** Milliseconds for which news is gathered: a thousand clients tell at once, and each transaction waits for the disk. */
const WRITE_AFTER = 200;

/** Which client has pinned which of the server's next host keys, both by fingerprint: in memory, and in the registry a moment later. */
export class HostKeysKnown {
  readonly #registry: Registry;
  readonly #onError: (error: unknown) => void;
  readonly #known: Map<string, string>;
  #unwritten = new Map<string, string | null>();
  #timer: NodeJS.Timeout | undefined;
  readonly #listeners = new Set<(client: string) => void>();

  /** @param onError called when it cannot be written; it is tried again with the next news */
  constructor(registry: Registry, onError: (error: unknown) => void) {
    this.#registry = registry;
    this.#onError = onError;
    this.#known = registry.hostKeysKnown();
  }

  of(client: string): string | undefined {
    return this.#known.get(client);
  }

  set(client: string, hostKey: string, knows: boolean): void {
    if ((this.#known.get(client) === hostKey) === knows) return;
    if (knows) this.#known.set(client, hostKey);
    else this.#known.delete(client);
    this.#unwritten.set(client, knows ? hostKey : null);
    this.#timer ??= setTimeout(() => this.#write(), WRITE_AFTER);
    for (const listener of this.#listeners) listener(client);
  }

  /** Has `listener` told of each client that there is news of. @returns ends that */
  listen(listener: (client: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets all of it. @throws PetitError as the registry's */
  forget(): void {
    for (const client of [...this.#known.keys(), ...this.#registry.hostKeysKnown().keys()]) {
      this.#unwritten.set(client, null);
    }
    this.#known.clear();
    this.#write();
  }

  /** Takes in what another process has written. */
  reread(): void {
    for (const [client, hostKey] of this.#registry.hostKeysKnown()) {
      if (!this.#unwritten.has(client)) this.#known.set(client, hostKey);
    }
  }

  close(): void {
    if (this.#unwritten.size > 0) this.#write();
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const unwritten = this.#unwritten;
    this.#unwritten = new Map();
    try {
      this.#registry.setHostKeysKnown(unwritten);
    } catch (error) {
      this.#unwritten = new Map([...unwritten, ...this.#unwritten]);
      this.#onError(error);
    }
  }
}
