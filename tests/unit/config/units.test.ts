import assert from "node:assert/strict";
import test from "node:test";
import { parseDuration, parseSize } from "../../../src/config/units.ts";

const durations: [text: string, milliseconds: number][] = [
  ["0s", 0],
  ["1ms", 1],
  ["250ms", 250],
  ["5s", 5000],
  ["2m", 120_000],
  ["24h", 86_400_000],
  ["7d", 604_800_000],
];

for (const [text, milliseconds] of durations) {
  test(`units: ${text} is ${milliseconds} milliseconds`, () => assert.equal(parseDuration(text), milliseconds));
}

const sizes: [text: string, bytes: number][] = [
  ["0B", 0],
  ["512B", 512],
  ["64KiB", 65_536],
  ["10MiB", 10_485_760],
  ["2GiB", 2_147_483_648],
];

for (const [text, bytes] of sizes) {
  test(`units: ${text} is ${bytes} bytes`, () => assert.equal(parseSize(text), bytes));
}

test("units: whatever is no number with a known unit is no duration", () => {
  for (
    const text of ["", "5", "s", "5 s", "-5s", "+5s", "1.5s", "5S", "5sec", "5w", "0x5s", "5s5", " 5s", "5s\n", "1e3s"]
  ) {
    assert.equal(parseDuration(text), undefined, JSON.stringify(text));
  }
});

test("units: whatever is no number with a known unit is no size", () => {
  for (const text of ["", "64", "KiB", "64 KiB", "-1B", "1.5MiB", "64KB", "64kib", "64k", "1TiB", " 1B", "1B\n"]) {
    assert.equal(parseSize(text), undefined, JSON.stringify(text));
  }
});

test("units: a number of ten digits is none that anyone means", () => {
  assert.equal(parseDuration("1000000000ms"), undefined);
  assert.equal(parseSize("1000000000B"), undefined);
});
