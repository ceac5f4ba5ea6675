import type { ExchangeReport } from "../../../src/observe/exchange_report.ts";

/** The report of an ordinary request, with what a test wants different. */
export function exchange(different: Partial<ExchangeReport> = {}): ExchangeReport {
  return {
    kind: "http",
    request: "0a1b2c3d-1",
    id: "1001",
    brand: "ce",
    channel: 2,
    address: "192.0.2.7",
    begunAt: Date.UTC(2026, 10, 21, 3, 52, 51, 250),
    duration: 12.34,
    firstByteAfter: 10,
    method: "GET",
    target: "/items?page=2",
    host: "1001.example.com",
    version: "HTTP/1.1",
    userAgent: "curl/8.5.0",
    referer: "https://example.com/",
    status: 200,
    refused: false,
    error: null,
    cause: null,
    bytesIn: 120,
    bytesOut: 2048,
    ...different,
  };
}
