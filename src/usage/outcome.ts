import type { ExchangeReport } from "../observe/exchange_report.ts";

/**
 * What came of a request. "success": the service answered, below 400. "error": it answered with 400 or more, its answer broke
 * off, or the request was refused for what the caller sent. "unavailable": petit answered that the service cannot be
 * reached. "left": the caller was gone first.
 */
export type Outcome = "success" | "error" | "unavailable" | "left";

export const OUTCOMES: readonly Outcome[] = ["success", "error", "unavailable", "left"];

/** Outcome and status in one number, which is what requests are counted under. */
export function outcomeKey(outcome: Outcome, status: number): number {
  return OUTCOMES.indexOf(outcome) * 1000 + status;
}

export function outcomeOf(key: number): { outcome: Outcome; status: number } {
  return { outcome: OUTCOMES[Math.floor(key / 1000)] as Outcome, status: key % 1000 };
}

/** The key of a report of HTTP. */
export function outcomeOfReport({ status, error, refused }: ExchangeReport): number {
  if (error === null) return status < 400 ? status : 1000 + status;
  if (error === "caller-left") return 3000 + status;
  // 404: no such registration; 502 to 504: its client or its service. Other refusals are about the request itself.
  return (refused && (status === 404 || (status >= 502 && status <= 504)) ? 2000 : 1000) + status;
}
