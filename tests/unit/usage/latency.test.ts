import assert from "node:assert/strict";
import test from "node:test";
import { latencyBin, type LatencyBins, latencyOfBin, latencyQuantile } from "../../../src/usage/latency.ts";

/** The bins of some numbers of milliseconds. */
function binsOf(values: Iterable<number>): LatencyBins {
  const bins: LatencyBins = new Map();
  for (const value of values) bins.set(latencyBin(value), (bins.get(latencyBin(value)) ?? 0) + 1);
  return bins;
}

test("latency: a value told back from its bin is at most 5 % off, from 20 µs to half an hour", () => {
  for (let value = 0.02; value < 1_800_000; value *= 1.0037) {
    const error = Math.abs(latencyOfBin(latencyBin(value)) - value) / value;
    assert.ok(error <= 0.05, `${value} ms is ${error * 100} % off`);
  }
});

test("latency: bins rise with the values and leave no gap", () => {
  let before = -1;
  for (let micros = 0; micros < 5_000_000; micros = micros < 5000 ? micros + 1 : Math.floor(micros * 1.0005)) {
    const bin = latencyBin(micros / 1000 + 0.0001);
    assert.ok(bin === before || bin === before + 1, `${micros} µs is in bin ${bin}, after ${before}`);
    before = bin;
  }
});

test("latency: nothing falls outside the bins", () => {
  for (const value of [-1, 0, NaN, 0.0000001]) assert.equal(latencyBin(value), 0);
  assert.equal(latencyBin(1e12), 447);
  assert.equal(latencyBin(Infinity), 447);
});

test("latency: percentiles are those of the sorted values, at most 5 % off", () => {
  const values = Array.from({ length: 10_000 }, (_, index) => 0.3 * 1.001 ** ((index * 7919) % 10_000));
  const sorted = [...values].sort((a, b) => a - b);
  const bins = binsOf(values);
  for (const quantile of [0.01, 0.5, 0.9, 0.99, 1]) {
    const exact = sorted[Math.ceil(quantile * sorted.length) - 1] as number;
    const got = latencyQuantile(bins, quantile) as number;
    assert.ok(Math.abs(got - exact) / exact <= 0.05, `p${quantile * 100}: ${got} for ${exact}`);
  }
});

test("latency: without a value there is no percentile", () => {
  assert.equal(latencyQuantile(new Map(), 0.5), null);
});
