import type { Log } from "../observe/log.ts";
import { OnceAMinute } from "../observe/once_a_minute.ts";
import { RecordFile } from "../observe/record_file.ts";
import type { Audit, AuditEvent, AuditFacts } from "./audit_event.ts";
import { AuditStore, type NewEntry } from "./audit_store.ts";

/** Milliseconds that an entry waits for others before all are written; a killed server loses these. */
const WRITE_AFTER = 50;

/** Milliseconds until what could not be written is tried again. */
const RETRY_AFTER = 1000;

/** Entries written at a time: a few milliseconds. */
const AT_ONCE = 200;

/** Entries that may wait for a disk that takes none, at about 300 bytes each. */
const MAX_WAITING = 20_000;

/** Milliseconds between two looks for entries that are too old. */
const PRUNE_EVERY = 3_600_000;

/** Characters of a text that is not petit's own. */
const MAX_TEXT = 200;

export interface AuditLogOptions {
  /** Path of the SQLite file. */
  readonly path: string;
  readonly log: Log;
  /** How long entries are kept, in milliseconds; read anew each time. */
  readonly retention: () => number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Milliseconds to wait for another process that writes; a server does not hold its callers for long. */
  readonly patience?: number;
  /** For what is counted by the minute: milliseconds of a clock that nobody sets. */
  readonly clock?: () => number;
}

/**
 * What concerns security, written down in the order in which it happened, each entry with a hash over all before it (audit_chain.ts). A disk that
 * takes nothing keeps nobody from their work: entries wait in memory, and those beyond that are counted.
 */
export class AuditLog implements Audit {
  readonly #file: RecordFile<AuditStore>;
  readonly #log: Log;
  readonly #retention: () => number;
  readonly #now: () => number;
  readonly #noise: OnceAMinute;
  #waiting: NewEntry[] = [];
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;
  #pruneDue = 0;

  constructor(options: AuditLogOptions) {
    const { path, log, retention, now = Date.now, clock, patience = 50 } = options;
    this.#log = log;
    this.#retention = retention;
    this.#now = now;
    this.#noise = new OnceAMinute(clock);
    this.#file = new RecordFile(
      path,
      {
        code: "audit",
        name: "The audit log",
        meanwhile: "its entries wait in memory",
        open: (file) => new AuditStore(file, now, patience),
      },
      log,
      now,
    );
    // Made, or found to be damaged, before there are clients. Where it stands goes into a log that is kept elsewhere, perhaps.
    try {
      const { seq, hash } = this.#file.use((store) => store.head);
      log.info({ seq, hash }, `The audit log stands at entry ${seq}`);
    } catch {
      // Has been logged, and is tried again.
    }
  }

  /** Why nothing can be written at the moment; null where all is well. */
  get fault(): string | null {
    return this.#file.fault;
  }

  /** How many entries wait to be written. */
  get waiting(): number {
    return this.#waiting.length;
  }

  record(event: AuditEvent, facts: AuditFacts): void {
    if (this.#waiting.length >= MAX_WAITING) this.#lost++;
    else this.#waiting.push({ at: this.#now(), event, facts: factsText(facts) });
    this.#writeAfter(this.#file.fault === null ? WRITE_AFTER : RETRY_AFTER);
  }

  recordOften(event: AuditEvent, kind: string, facts: AuditFacts): void {
    this.#noise.tellOf(
      event,
      kind,
      (repeated) => this.record(event, { ...facts, repeated: repeated || undefined }),
    );
  }

  /** Writes what waits, as far as that is possible. Never throws. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      while (this.#writeSome());
      this.#prune();
    } catch {
      this.#writeAfter(RETRY_AFTER);
    }
  }

  /** The last entries, the newest first; those that wait are written first. @throws PetitError `audit-unusable` */
  latest(limit: number, before?: number, event?: string) {
    this.flush();
    return this.#file.use((store) => store.latest(limit, before, event));
  }

  close(): void {
    this.flush();
    clearTimeout(this.#timer);
    if (this.#waiting.length > 0) {
      this.#log.error(
        { code: "audit-lost", lost: this.#waiting.length + this.#lost },
        "The audit log could not be written, and its last entries are lost",
      );
    }
    this.#waiting = [];
    this.#file.close();
  }

  #writeAfter(milliseconds: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#writeSlice(), milliseconds);
    this.#timer.unref();
  }

  /** A few entries, and the others a moment later: whoever is served meanwhile does not wait for them. */
  #writeSlice(): void {
    this.#timer = undefined;
    try {
      if (this.#writeSome()) this.#writeAfter(0);
      else this.#prune();
    } catch {
      this.#writeAfter(RETRY_AFTER);
    }
  }

  /** Whether there are more. @throws PetitError `audit-unusable` */
  #writeSome(): boolean {
    const entries = this.#waiting.slice(0, AT_ONCE);
    const lost = this.#lost;
    if (lost > 0 && entries.length < AT_ONCE) {
      entries.push({ at: this.#now(), event: "entries-lost", facts: factsText({ count: lost }) });
    }
    if (entries.length === 0) return false;
    this.#file.use((store) => store.add(entries));
    const told = entries.at(-1)?.event === "entries-lost";
    if (told) this.#lost -= lost;
    this.#waiting.splice(0, entries.length - (told ? 1 : 0));
    return this.#waiting.length > 0;
  }

  #prune(): void {
    const now = this.#now();
    if (now < this.#pruneDue) return;
    const pruned = this.#file.use((store) => store.prune(now - this.#retention(), now, AT_ONCE));
    // The others in a moment: the event loop is not held for long.
    if (pruned === AT_ONCE) this.#writeAfter(WRITE_AFTER);
    else this.#pruneDue = now + PRUNE_EVERY;
  }
}

/** The facts as they are hashed. What came from outside is cut, and what is not there left out. */
export function factsText(facts: AuditFacts): string {
  return JSON.stringify(facts, (_key, value) => typeof value === "string" ? value.slice(0, MAX_TEXT) : value);
}
