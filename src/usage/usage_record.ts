import { setTimeout as sleep } from "node:timers/promises";
import type { ExchangeObserver, ExchangeReport } from "../observe/exchange_report.ts";
import type { Log } from "../observe/log.ts";
import { RecordFile } from "../observe/record_file.ts";
import type { Outcome } from "./outcome.ts";
import { UsageBacklog } from "./usage_backlog.ts";
import { UsageCounter } from "./usage_counter.ts";
import { UsageFigures } from "./usage_figures.ts";
import { type UsageEntry, UsageStore } from "./usage_store.ts";

export interface UsageOptions {
  /** Path of the SQLite file. */
  readonly path: string;
  /** Length of a time bucket, in milliseconds. */
  readonly bucket: number;
  /** How long figures are kept, in milliseconds. */
  readonly retention: number;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How many registrations' figures of one bucket may wait in memory; about 1 KiB each. */
  readonly maxWaiting?: number;
}

/** How often figures are written, in milliseconds. */
const WRITE_EVERY = 5000;

/** Milliseconds for which the event loop is held at a time, and for which it is left alone then. */
const SLICE = 1;
const PAUSE = 5;

const MAX_WAITING = 20_000;

/** Rows that are deleted at a time. */
const FORGET_AT_ONCE = 100;

const HOUR = 3_600_000;

const KIND = {
  code: "usage",
  name: "The usage record",
  meanwhile: "its figures wait in memory",
  open: (path: string) => new UsageStore(path),
};

/** A stretch of time, both ends included, in milliseconds since 1970. */
export interface UsageRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The usage record: counts in memory, writes every few seconds in small slices, and answers questions from what is written
 * and what is not yet. Nothing that happens to its file disturbs a request.
 */
export class UsageRecord implements ExchangeObserver {
  /** Length of a time bucket, in milliseconds. */
  readonly bucket: number;
  readonly #options: UsageOptions;
  readonly #counter: UsageCounter;
  readonly #backlog: UsageBacklog;
  readonly #file: RecordFile<UsageStore>;
  readonly #timer: NodeJS.Timeout;
  /** Reading and writing take turns, so that nothing is counted twice or not at all in between. */
  #turn: Promise<unknown> = Promise.resolve();
  #writing: Promise<void> | undefined;
  #forgetAt = 0;
  #closing = false;

  constructor(options: UsageOptions) {
    const { path, bucket, log, now } = options;
    this.#options = options;
    this.bucket = bucket;
    this.#counter = new UsageCounter(bucket, now);
    this.#backlog = new UsageBacklog(options.maxWaiting ?? MAX_WAITING);
    this.#file = new RecordFile(path, KIND, log, now);
    this.#timer = setInterval(() => void this.flush(), WRITE_EVERY);
    this.#timer.unref();
  }

  connectionBegun(report: ExchangeReport): void {
    this.#counter.connectionBegun(report);
  }

  exchangeDone(report: ExchangeReport): void {
    this.#counter.exchangeDone(report);
  }

  /** A registration was made. */
  registered(id: string, brand: string): void {
    this.#backlog.addRegister({ id, brand, at: this.#options.now() });
  }

  /** Requests and raw connections whose figures were lost since the start. */
  get dropped(): number {
    return this.#backlog.dropped;
  }

  /** How many registrations' figures of one bucket wait to be written. */
  get waiting(): number {
    return this.#backlog.size;
  }

  /** Why nothing can be written at the moment; null where all is well. */
  get fault(): string | null {
    return this.#file.fault;
  }

  /** Writes what has been counted. Never rejects: what cannot be written waits. */
  flush(): Promise<void> {
    this.#writing ??= this.#inTurn(() => this.#write()).catch(() => {}).finally(() => this.#writing = undefined);
    return this.#writing;
  }

  /** Writes what is left, and ends. What cannot be written now is lost, and said to be. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#timer);
    // Connections that were closed a moment ago are still to tell of it.
    await new Promise(setImmediate);
    await this.flush();
    // What was counted while the last but one was under way.
    await this.flush();
    this.#backlog.dropAll();
    if (this.dropped > 0) {
      this.#options.log.warn(
        { code: "usage-dropped", dropped: this.dropped },
        `The usage record lacks ${this.dropped} requests and connections that could not be written`,
      );
    }
    this.#file.close();
  }

  /** The figures of one registration, bucket by bucket, in order. @throws PetitError `usage-unusable` */
  usageOf(id: string, range: UsageRange): Promise<Map<number, UsageFigures>> {
    return this.#series(range, (store, bucket) => store.usage(bucket, id), (entry) => entry.id === id);
  }

  /** Requests of a brand (null: of all) with one of these outcomes, and with this status if one is named. @throws PetitError `usage-unusable` */
  async requests(
    range: UsageRange,
    brand: string | null,
    outcomes: readonly Outcome[],
    status?: number,
  ): Promise<number> {
    const ofBrand = (entry: UsageEntry) => brand === null || entry.brand === brand;
    const series = await this.#series(range, (store, bucket) => store.totals(bucket, brand), ofBrand);
    let total = 0;
    for (const figures of series.values()) total += figures.count(outcomes, status);
    return total;
  }

  /** How many registrations of a brand (null: of all) were made. @throws PetitError `usage-unusable` */
  registers({ start, end }: UsageRange, brand: string | null): Promise<number> {
    return this.#inTurn(() => {
      if (this.#backlog.registers.length > 0) this.#writeRegisters();
      return this.#file.use((store) => store.registers(start, end, brand));
    });
  }

  #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  #collect(): void {
    for (const entry of this.#counter.take()) this.#backlog.add(entry);
  }

  async #write(): Promise<void> {
    this.#collect();
    if (this.#backlog.registers.length > 0) this.#writeRegisters();
    while (this.#backlog.size > 0) {
      const until = performance.now() + SLICE;
      this.#backlog.written(
        this.#file.use((store) => store.add(this.#backlog.entries, () => performance.now() >= until)),
      );
      if (this.#backlog.size > 0) await this.#pause();
    }
    const now = this.#options.now();
    if (now < this.#forgetAt || this.#closing) return;
    while (this.#file.use((store) => store.forget(now - this.#options.retention, FORGET_AT_ONCE))) await this.#pause();
    this.#forgetAt = now + Math.min(HOUR, this.#options.retention);
  }

  #writeRegisters(): void {
    this.#file.use((store) => store.addRegisters(this.#backlog.registers));
    this.#backlog.registersWritten();
  }

  async #series(
    { start, end }: UsageRange,
    stored: (store: UsageStore, bucket: number) => UsageFigures[],
    waits: (entry: UsageEntry) => boolean,
  ): Promise<Map<number, UsageFigures>> {
    return await this.#inTurn(async () => {
      this.#collect();
      const first = Math.floor(start / this.bucket) * this.bucket;
      const series = new Map<number, UsageFigures>();
      const add = (bucket: number, figures: UsageFigures) => {
        const known = series.get(bucket);
        if (known === undefined) series.set(bucket, figures);
        else known.merge(figures);
      };
      let until = performance.now() + SLICE;
      for (const bucket of this.#file.use((store) => store.buckets(first, end))) {
        for (const figures of this.#file.use((store) => stored(store, bucket))) add(bucket, figures);
        if (performance.now() < until) continue;
        await this.#pause();
        until = performance.now() + SLICE;
      }
      for (const entry of this.#backlog.entries) {
        if (entry.bucket < first || entry.bucket > end || !waits(entry)) continue;
        const copy = new UsageFigures();
        copy.merge(entry.figures);
        add(entry.bucket, copy);
      }
      return new Map([...series].sort(([a], [b]) => a - b));
    });
  }

  /** Leaves the event loop to callers for a while. */
  async #pause(): Promise<void> {
    if (this.#closing) await new Promise(setImmediate);
    else await sleep(PAUSE);
  }
}
