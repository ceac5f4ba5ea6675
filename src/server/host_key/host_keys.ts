import { existsSync } from "node:fs";
import { messageOf, PetitError } from "../../error.ts";
import type { Audit, AuditFacts } from "../../audit/audit_event.ts";
import type { Log } from "../../observe/log.ts";
import { within } from "../../platform/within.ts";
import type { Registry } from "../../registry/registry.ts";
import {
  type DatedHostKey,
  finishingSteps,
  formerFingerprint,
  formerOf,
  type HostKeyFiles,
  makeNext,
  nextOf,
  readHostKeys,
  removeNext,
  tidy,
} from "./host_key_files.ts";
import { HostKeysKnown } from "./host_keys_known.ts";
import type { KeyedClient } from "./keyed_clients.ts";

/** A client that does not know the next host key. */
export type UnawareClient = Omit<KeyedClient, "fingerprint">;

/** The host keys of a server, as an operator sees them. */
export interface HostKeyStatus {
  readonly current: { readonly fingerprint: string; readonly since: string };
  /** Null where the key is not being replaced. */
  readonly next: {
    readonly fingerprint: string;
    readonly since: string;
    /** How many clients have pinned it. */
    readonly aware: number;
    readonly unaware: readonly UnawareClient[];
  } | null;
  /** The one before; null where there is none. */
  readonly former: { readonly fingerprint: string | null; readonly file: string } | null;
  /** How many clients are registered. */
  readonly clients: number;
  /** Those that can be used, and name the current key. */
  readonly openJoinCodes: number;
}

export interface HostKeysParts {
  /** The file of the current one. */
  readonly file: string;
  readonly registry: Registry;
  readonly log: Log;
  readonly audit: Audit;
  /** Refuses a private key that no client would be shown. @throws PetitError `host-key-refused` */
  check(privatePem: string): void;
  /** All clients that are registered. */
  clients(): KeyedClient[];
}

/** Clients that a refusal names. */
const MOST_NAMED = 10;

/** Ids that an entry of the audit log names. */
const MOST_AUDITED = 100;

/** The key by which clients know this server, and how it is replaced: the current one vouches for the next. */
export class HostKeys {
  readonly #parts: HostKeysParts;
  readonly #known: HostKeysKnown;
  #files: HostKeyFiles;
  /** Told when other keys are offered than before. `announce`: whether clients that are connected are to hear of it. */
  onChanged: (announce: boolean) => void = () => {};

  /** @throws PetitError as `readHostKey` */
  constructor(parts: HostKeysParts) {
    this.#parts = parts;
    this.#files = this.#read();
    try {
      tidy(parts.file);
    } catch (error) {
      this.#warn(error);
    }
    this.#known = new HostKeysKnown(parts.registry, (error) => this.#warn(error));
  }

  /** What is shown to whoever connects. */
  get current(): DatedHostKey {
    return this.#files.current;
  }

  /** All that this server proves. */
  get offered(): readonly DatedHostKey[] {
    const { current, next } = this.#files;
    return next === undefined ? [current] : [current, next];
  }

  /** A client has said which host keys of this server it has pinned. */
  told(client: string, pinned: readonly string[]): void {
    const next = this.#files.next?.publicKey.fingerprint;
    if (next !== undefined) this.#known.set(client, next, pinned.includes(next));
  }

  /**
   * A client that says nothing of the kind has asked for the proof of these, and got it: OpenSSH does that for keys that it is going to keep. A library
   * that asks for all of them, the current one too, keeps none.
   */
  asked(client: string, proven: readonly string[]): void {
    const { current, next } = this.#files;
    if (next === undefined || proven.includes(current.publicKey.fingerprint)) return;
    if (proven.includes(next.publicKey.fingerprint)) this.#known.set(client, next.publicKey.fingerprint, true);
  }

  /** Waits until all clients that are connected know the next key, but for that many milliseconds at most. */
  async settle(milliseconds: number): Promise<void> {
    const waiting = new Set(this.#unaware().filter(({ connected }) => connected).map(({ fingerprint }) => fingerprint));
    if (waiting.size === 0) return;
    let stop = () => {};
    const settled = new Promise<void>((resolve) => {
      stop = this.#known.listen((client) => {
        if (waiting.delete(client) && waiting.size === 0) resolve();
      });
    });
    await within(milliseconds, settled).finally(stop);
  }

  status(): HostKeyStatus {
    const { file, registry } = this.#parts;
    const { current, next } = this.#files;
    const clients = this.#parts.clients();
    const unaware = this.#unaware(clients);
    const former = formerFingerprint(file);
    return {
      current: facts(current),
      next: next === undefined
        ? null
        : { ...facts(next), aware: clients.length - unaware.length, unaware: unaware.map(shown) },
      // It is the current one where a replacement was begun and not finished.
      former: former === undefined || former === current.publicKey.fingerprint
        ? null
        : { fingerprint: former, file: formerOf(file) },
      clients: clients.length,
      openJoinCodes: openJoinCodes(registry).length,
    };
  }

  /**
   * Makes the next host key, and tells all clients that are connected.
   *
   * @throws PetitError `host-key-rotating`, `host-key-refused` or `state-unwritable`; nothing has changed then
   */
  rotate(): void {
    const { file } = this.#parts;
    if (existsSync(nextOf(file))) {
      throw new PetitError("host-key-rotating", `There is a next host key already: "${nextOf(file)}"`, {
        hint: '"petit server hostkey" shows which clients know it; "finish" makes it the host key, "abort" gives it up',
      });
    }
    makeNext(file);
    const files = this.#read();
    try {
      this.#check(files);
    } catch (error) {
      removeNext(file);
      throw error;
    }
    this.#take(files, true, "begun", "Made the next host key; clients are told of it");
  }

  /**
   * Makes the next host key the current one.
   *
   * @param force also where clients do not know it, which have to register anew then
   * @returns how many join codes named the one before, and are revoked
   * @throws PetitError `host-key-not-rotating`, `host-key-unaware`, `host-key-refused` or `state-unwritable`; nothing has changed then
   */
  finish(force: boolean): { revokedJoinCodes: number; unaware: readonly UnawareClient[] } {
    const { file } = this.#parts;
    this.#check(this.#files);
    if (this.#files.next === undefined) throw notRotating();
    const clients = this.#parts.clients();
    const unaware = this.#unaware(clients);
    if (unaware.length > 0 && !force) throw areUnaware(unaware, clients.length);
    const [keep, replace, settle] = finishingSteps(file) as [() => void, () => void, () => void];
    keep();
    replace();
    // From here on it is done, whatever becomes of the rest.
    this.#tolerate(settle);
    this.#take(this.#read(), false, "finished", "The next host key is the host key now", unaware);
    this.#tolerate(() => this.#known.forget());
    return { revokedJoinCodes: this.#revokeJoinCodes(), unaware: unaware.map(shown) };
  }

  /** Gives the next host key up; clients forget it. @throws PetitError `host-key-not-rotating` or `state-unwritable` */
  abort(): void {
    const { file } = this.#parts;
    if (!existsSync(nextOf(file))) throw notRotating();
    removeNext(file);
    this.#take(this.#read(), true, "given up", "Gave up the next host key; clients are told to forget it");
    this.#tolerate(() => this.#known.forget());
  }

  /** Takes up what another process has done to the files, and is done with: the one before this. */
  reread(): void {
    const fingerprints = () => this.offered.map(({ publicKey }) => publicKey.fingerprint).join();
    this.#tolerate(() => {
      const before = fingerprints();
      const read = this.#read();
      this.#known.reread();
      this.#files = read;
      if (fingerprints() !== before) this.onChanged(true);
    });
  }

  /** Writes what has not been written yet. */
  close(): void {
    this.#known.close();
  }

  #unaware(clients = this.#parts.clients()): KeyedClient[] {
    const next = this.#files.next?.publicKey.fingerprint;
    if (next === undefined) return [];
    return clients.filter(({ fingerprint }) => this.#known.of(fingerprint) !== next);
  }

  /** Settings may have come in its way since it was made. */
  #check({ next, problem }: HostKeyFiles): void {
    if (problem !== undefined) throw problem;
    if (next !== undefined) this.#parts.check(next.privatePem);
  }

  #read(): HostKeyFiles {
    const read = readHostKeys(this.#parts.file);
    if (read.problem !== undefined) this.#warn(read.problem);
    return read;
  }

  #take(
    files: HostKeyFiles,
    announce: boolean,
    replacement: string,
    told: string,
    left: readonly KeyedClient[] = [],
  ): void {
    this.#files = files;
    const { log, audit } = this.#parts;
    const facts = { hostKey: files.current.publicKey.fingerprint, next: files.next?.publicKey.fingerprint };
    log.info(facts, told);
    audit.record("host-key-changed", { ...facts, replacement, ...leftBehind(left) });
    this.onChanged(announce);
  }

  /** They name a key that the server does not have any more: no client would go on with them. */
  #revokeJoinCodes(): number {
    const { registry } = this.#parts;
    let revoked = 0;
    this.#tolerate(() => {
      for (const { hash } of openJoinCodes(registry)) {
        registry.revokeJoinCode(hash);
        revoked++;
      }
    });
    return revoked;
  }

  #tolerate(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#warn(error);
    }
  }

  #warn(error: unknown): void {
    const { code, hint } = error instanceof PetitError ? error : { code: "internal", hint: undefined };
    this.#parts.log.error({ code, hint, err: code === "internal" ? error : undefined }, messageOf(error));
  }
}

function facts({ publicKey, since }: DatedHostKey): { fingerprint: string; since: string } {
  return { fingerprint: publicKey.fingerprint, since: new Date(since).toISOString() };
}

/** Clients that have to register anew, for the audit log; nothing where there are none. */
function leftBehind(left: readonly KeyedClient[]): AuditFacts {
  if (left.length === 0) return {};
  return { clientsLeft: left.length, ids: left.flatMap(({ ids }) => ids).slice(0, MOST_AUDITED) };
}

/** Without the fingerprint of its key, which nobody looks for. */
function shown({ ids, connected }: KeyedClient): UnawareClient {
  return { ids, connected };
}

function openJoinCodes(registry: Registry) {
  const now = Date.now();
  return registry.joinCodes().filter(({ usesLeft, expiresAt }) => usesLeft > 0 && expiresAt > now);
}

function notRotating(): PetitError {
  return new PetitError("host-key-not-rotating", "There is no next host key", {
    hint: '"petit server hostkey rotate" makes one',
  });
}

function areUnaware(unaware: readonly UnawareClient[], clients: number): PetitError {
  const named = unaware.slice(0, MOST_NAMED).map(({ ids, connected }) =>
    `${ids.join("+")}${connected ? "" : " (away)"}`
  );
  const more = unaware.length - named.length;
  return new PetitError(
    "host-key-unaware",
    `${unaware.length} of ${clients} clients do not know the next host key yet: ${named.join(", ")}${
      more > 0 ? ` and ${more} more` : ""
    }`,
    {
      hint:
        'Each learns it when it connects ("petit server disconnect ID" has one come back). With --force they are left behind: they refuse the server until they register again with a new join code',
    },
  );
}
