import type { Registration, Registry } from "../registry/registry.ts";

/** How often another process's changes to the registry are looked for, in milliseconds. */
const LOOK_EVERY = 500;

/** Host names whose registration is remembered; callers choose them, so there is an end to it. */
const MAX_REMEMBERED_HOSTS = 10_000;

/** Longest of them; a Host field may be as long as a head. */
const MAX_REMEMBERED_HOST = 255;

/** All registrations by whatever they are asked for, in memory, so that no request waits for the disk. */
export class Routes {
  readonly #registry: Registry;
  #byId = new Map<string, Registration>();
  #byAlias = new Map<string, Registration>();
  #byPort = new Map<number, Registration>();
  #byFingerprint = new Map<string, Registration[]>();
  #byHost = new Map<string, Registration>();
  #version: number;
  readonly #timer: NodeJS.Timeout;
  /** Told of a registration that is gone. */
  onRemoved: (registration: Registration) => void = () => {};

  /** Told that the registry was read anew. What it throws has it read once more. */
  onRefreshed: () => void = () => {};

  /** Told when keys, ids or ports may be others than before, once that is known here. */
  onChanged: () => void = () => {};

  /** @param onError called when the registry can't be read; what was known stays */
  constructor(registry: Registry, onError: (error: unknown) => void) {
    this.#registry = registry;
    this.#version = registry.version();
    this.refresh();
    this.#timer = setInterval(() => {
      try {
        const version = registry.version();
        if (version === this.#version) return;
        this.refresh();
        this.#version = version;
      } catch (error) {
        onError(error);
      }
    }, LOOK_EVERY);
  }

  /** Reads the registry anew. */
  refresh(): void {
    const registrations = this.#registry.registrations();
    const before = this.#byId;
    this.#byId = new Map(registrations.map((registration) => [registration.id, registration]));
    this.#byPort = new Map(registrations.map((registration) => [registration.port, registration]));
    this.#byAlias = new Map();
    this.#byFingerprint = new Map();
    this.#byHost = new Map();
    for (const registration of registrations) this.#index(registration);
    for (const [id, registration] of before) if (!this.#byId.has(id)) this.onRemoved(registration);
    this.onChanged();
    this.onRefreshed();
  }

  /** Takes in a registration that this process has just written. */
  add(registration: Registration): void {
    const before = this.#byId.get(registration.id);
    this.#byId.set(registration.id, registration);
    this.#byPort.set(registration.port, registration);
    const others = this.ofKey(registration.fingerprint).filter(({ id }) => id !== registration.id);
    this.#byFingerprint.set(registration.fingerprint, others);
    this.#byHost.clear();
    this.#index(registration);
    // A thousand clients that come back tell news of themselves, and not of these.
    const { key, port, legacy } = registration;
    if (before?.key !== key || before.port !== port || before.legacy !== legacy) this.onChanged();
  }

  /** Forgets a registration that this process has just taken away. */
  remove(id: string): void {
    const registration = this.#byId.get(id);
    if (registration === undefined) return;
    const { port, fingerprint, aliases } = registration;
    this.#byId.delete(id);
    this.#byPort.delete(port);
    for (const alias of aliases) this.#byAlias.delete(alias);
    const others = this.ofKey(fingerprint).filter((other) => other.id !== id);
    if (others.length > 0) this.#byFingerprint.set(fingerprint, others);
    else this.#byFingerprint.delete(fingerprint);
    this.#byHost.clear();
    this.onRemoved(registration);
    this.onChanged();
  }

  #index(registration: Registration): void {
    for (const alias of registration.aliases) this.#byAlias.set(alias, registration);
    const ofKey = this.#byFingerprint.get(registration.fingerprint);
    if (ofKey) ofKey.push(registration);
    else this.#byFingerprint.set(registration.fingerprint, [registration]);
  }

  byId(id: string): Registration | undefined {
    return this.#byId.get(id);
  }

  byPort(port: number): Registration | undefined {
    return this.#byPort.get(port);
  }

  /** The registrations of a key, by its fingerprint. */
  ofKey(fingerprint: string): readonly Registration[] {
    return this.#byFingerprint.get(fingerprint) ?? [];
  }

  get all(): Iterable<Registration> {
    return this.#byId.values();
  }

  get size(): number {
    return this.#byId.size;
  }

  /**
   * Which registration a Host field means: an exact alias; else the digits before the first "-"; else the digits before
   * the first ".". The port does not matter.
   */
  byHost(host: string): Registration | undefined {
    const remembered = this.#byHost.get(host);
    if (remembered !== undefined) return remembered;
    const name = host.toLowerCase().replace(/\.?(?::\d*)?$/, "");
    const id = /^(\d+)(?:[-.]|$)/.exec(name)?.[1];
    const found = this.#byAlias.get(name) ?? (id === undefined ? undefined : this.#byId.get(id));
    if (found !== undefined && this.#byHost.size < MAX_REMEMBERED_HOSTS && host.length <= MAX_REMEMBERED_HOST) {
      // A copy: a part of a string keeps the whole head alive.
      this.#byHost.set(Buffer.from(host, "latin1").toString("latin1"), found);
    }
    return found;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
