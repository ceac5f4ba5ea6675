import type { ExchangeObserver, ExchangeReport } from "./exchange_report.ts";

/** Upper ends of the classes of the duration histogram, in seconds. */
export const DURATION_CLASSES: readonly number[] = [
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
  60,
];

/** Plain counters of what is done for callers, since the start: what is paid for them is an addition each. */
export class ExchangeCounters implements ExchangeObserver {
  /** Requests by the first digit of their status; 0 where no answer was sent. */
  readonly byClass: number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  /** What went wrong, by code: there are a few dozen, and none is chosen by a caller. */
  readonly errors = new Map<string, number>();
  /** Connections to reverse ports, refused ones included; and connections that left HTTP. */
  rawConnections = 0;
  upgrades = 0;
  /** HTTP requests by class of duration, each class for itself; the last is for all that takes longer. */
  readonly durations: number[] = new Array<number>(DURATION_CLASSES.length + 1).fill(0);
  /** Seconds. */
  durationSum = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  readonly #open = new Set<ExchangeReport>();

  connectionBegun(report: ExchangeReport): void {
    this.#begun(report);
    this.#open.add(report);
  }

  exchangeDone(report: ExchangeReport): void {
    const { error } = report;
    if (report.kind === "http") {
      const seconds = report.duration / 1000;
      let index = 0;
      while (index < DURATION_CLASSES.length && seconds > (DURATION_CLASSES[index] as number)) index++;
      this.durations[index] = (this.durations[index] as number) + 1;
      this.durationSum += seconds;
      this.#begun(report);
    } else if (!this.#open.delete(report)) this.#begun(report);
    this.#bytesIn += report.bytesIn;
    this.#bytesOut += report.bytesOut;
    if (error !== null) this.errors.set(error, (this.errors.get(error) ?? 0) + 1);
  }

  #begun({ kind, status }: ExchangeReport): void {
    if (kind === "tcp") this.rawConnections++;
    else {
      if (kind === "upgrade") this.upgrades++;
      const index = Math.floor(status / 100);
      this.byClass[index] = (this.byClass[index] ?? 0) + 1;
    }
  }

  /** Connections that are not HTTP and go on. */
  get open(): number {
    return this.#open.size;
  }

  /** Bytes from callers and to them, those of connections that go on included. */
  get bytes(): { in: number; out: number } {
    const bytes = { in: this.#bytesIn, out: this.#bytesOut };
    for (const report of this.#open) {
      bytes.in += report.bytesIn;
      bytes.out += report.bytesOut;
    }
    return bytes;
  }
}
