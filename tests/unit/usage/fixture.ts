import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import type { ExchangeReport } from "../../../src/observe/exchange_report.ts";
import { type UsageOptions, UsageRecord } from "../../../src/usage/usage_record.ts";
import type { LogLine, Scope } from "../../world/world.ts";

export const MINUTE = 60_000;

/** Noon of some day: the beginning of a bucket of any usual length. */
export const NOON = Date.UTC(2026, 4, 1, 12);

/** A clock that a test sets. */
export interface Clock {
  now: number;
}

export function folderFor(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), "petit-test-"));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A record with buckets of five minutes in a file of its own, and what it logs. */
export function usageRecord(
  scope: Scope,
  options: Partial<UsageOptions> = {},
): { record: UsageRecord; clock: Clock; path: string; log: LogLine[] } {
  const clock = { now: NOON };
  const path = options.path ?? join(folderFor(scope), "usage.db");
  const log: LogLine[] = [];
  const write = (text: string) => void log.push(JSON.parse(text) as LogLine);
  const record = new UsageRecord({
    path,
    bucket: 5 * MINUTE,
    retention: 24 * 60 * MINUTE,
    log: pino({ base: null, formatters: { level: (label) => ({ level: label }) } }, { write }),
    now: () => clock.now,
    ...options,
  });
  scope.after(() => record.close());
  return { record, clock, path, log };
}

/** The report of a request that the service of 1001 answered, with what a test wants different. */
export function report(different: Partial<ExchangeReport> = {}): ExchangeReport {
  return {
    kind: "http",
    request: "00000000-0",
    id: "1001",
    brand: "ce",
    channel: 0,
    address: "192.0.2.1",
    begunAt: NOON,
    duration: 12,
    firstByteAfter: 10,
    method: "GET",
    target: "/",
    host: "1001",
    version: "HTTP/1.1",
    userAgent: "",
    referer: "",
    status: 200,
    refused: false,
    error: null,
    cause: null,
    bytesIn: 100,
    bytesOut: 1000,
    ...different,
  };
}

/** The report of a refusal. */
export function refused(status: number, code: string, different: Partial<ExchangeReport> = {}): ExchangeReport {
  return report({ status, refused: true, error: code, ...different });
}
