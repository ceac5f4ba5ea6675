import assert from "node:assert/strict";
import test from "node:test";
import { ExchangeObservers } from "../../../src/observe/exchange_observers.ts";
import type { ExchangeReport } from "../../../src/observe/exchange_report.ts";
import { exchange } from "./exchange.ts";

test("observers: one that throws keeps no other from being told", () => {
  const told: string[] = [];
  const faults: unknown[] = [];
  const fault = new Error("a fault");
  const faulty = {
    connectionBegun() {
      throw fault;
    },
    exchangeDone() {
      throw fault;
    },
  };
  const good = {
    connectionBegun: ({ request }: ExchangeReport) => void told.push(`begun ${request}`),
    exchangeDone: ({ request }: ExchangeReport) => void told.push(`done ${request}`),
  };
  const observers = new ExchangeObservers([faulty, good, { exchangeDone() {} }], (error) => faults.push(error));
  const report = exchange({ request: "a-1" });
  observers.connectionBegun(report);
  observers.exchangeDone(report);
  assert.deepEqual(told, ["begun a-1", "done a-1"]);
  assert.deepEqual(faults, [fault, fault]);
});
