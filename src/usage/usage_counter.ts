import { DEFAULT_BRAND } from "../default_brand.ts";
import type { ExchangeObserver, ExchangeReport } from "../observe/exchange_report.ts";
import { latencyBin } from "./latency.ts";
import { outcomeOfReport } from "./outcome.ts";
import { addOne, UsageFigures } from "./usage_figures.ts";
import type { UsageEntry } from "./usage_store.ts";

/** Counts what is done for callers, in memory, by registration and time bucket: what a request pays is a few additions. */
export class UsageCounter implements ExchangeObserver {
  readonly #length: number;
  readonly #now: () => number;
  /** The bucket of now, in milliseconds since 1970. */
  #begin = 0;
  #end = 0;
  /** Entries of this bucket, by registration. */
  #current = new Map<string, UsageEntry>();
  #past: UsageEntry[] = [];
  /** Connections that go on, and how many of their bytes have been counted: they may last longer than any bucket. */
  readonly #open = new Map<ExchangeReport, { in: number; out: number }>();

  /** @param length of a bucket, in milliseconds; `now` in milliseconds since 1970 */
  constructor(length: number, now: () => number) {
    this.#length = length;
    this.#now = now;
  }

  connectionBegun(report: ExchangeReport): void {
    this.#begun(this.#figuresOf(report), report);
    this.#open.set(report, { in: 0, out: 0 });
  }

  exchangeDone(report: ExchangeReport): void {
    const figures = this.#figuresOf(report);
    const counted = report.kind === "http" ? undefined : this.#open.get(report);
    if (counted === undefined) {
      this.#begun(figures, report);
      figures.bytesIn += report.bytesIn;
      figures.bytesOut += report.bytesOut;
    } else {
      this.#open.delete(report);
      figures.bytesIn += report.bytesIn - counted.in;
      figures.bytesOut += report.bytesOut - counted.out;
    }
    if (report.error !== null) addOne(figures.errors, report.error);
  }

  #begun(figures: UsageFigures, report: ExchangeReport): void {
    if (report.kind === "tcp") {
      figures.connections++;
      return;
    }
    addOne(figures.outcomes, outcomeOfReport(report));
    const { firstByteAfter } = report;
    if (firstByteAfter !== null && !report.refused) addOne(figures.latency, latencyBin(firstByteAfter));
  }

  /** Takes out everything that was counted since the last time. */
  take(): UsageEntry[] {
    for (const [report, counted] of this.#open) {
      const { bytesIn, bytesOut } = report;
      if (bytesIn === counted.in && bytesOut === counted.out) continue;
      const figures = this.#figuresOf(report);
      figures.bytesIn += bytesIn - counted.in;
      figures.bytesOut += bytesOut - counted.out;
      counted.in = bytesIn;
      counted.out = bytesOut;
    }
    const entries = [...this.#past, ...this.#current.values()];
    this.#past = [];
    this.#current = new Map();
    return entries;
  }

  #figuresOf(report: ExchangeReport): UsageFigures {
    const now = this.#now();
    if (now >= this.#end || now < this.#begin) {
      this.#past.push(...this.#current.values());
      this.#current = new Map();
      this.#begin = Math.floor(now / this.#length) * this.#length;
      this.#end = this.#begin + this.#length;
    }
    const id = report.id ?? "";
    const brand = report.brand ?? DEFAULT_BRAND;
    const known = this.#current.get(id);
    if (known !== undefined && known.brand === brand) return known.figures;
    if (known !== undefined) this.#past.push(known);
    const entry = { id, brand, bucket: this.#begin, figures: new UsageFigures() };
    this.#current.set(id, entry);
    return entry.figures;
  }
}
