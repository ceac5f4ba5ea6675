import type { ExchangeObserver, ExchangeReport } from "./exchange_report.ts";

/** Tells several observers; none of them can hurt a request, or keep another from being told. */
export class ExchangeObservers implements ExchangeObserver {
  readonly #observers: readonly ExchangeObserver[];
  readonly #onFault: (error: unknown) => void;

  /** @param onFault called with whatever an observer throws */
  constructor(observers: readonly ExchangeObserver[], onFault: (error: unknown) => void) {
    this.#observers = observers;
    this.#onFault = onFault;
  }

  connectionBegun(report: ExchangeReport): void {
    for (const observer of this.#observers) {
      try {
        observer.connectionBegun?.(report);
      } catch (error) {
        this.#onFault(error);
      }
    }
  }

  exchangeDone(report: ExchangeReport): void {
    for (const observer of this.#observers) {
      try {
        observer.exchangeDone(report);
      } catch (error) {
        this.#onFault(error);
      }
    }
  }
}
