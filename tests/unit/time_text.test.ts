import assert from "node:assert/strict";
import test from "node:test";
import { durationText, momentText } from "../../src/time_text.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const durations: [milliseconds: number, text: string][] = [
  [-5, "0 s"],
  [0, "0 s"],
  [999, "0 s"],
  [SECOND, "1 s"],
  [MINUTE - 1, "59 s"],
  [MINUTE, "1 min"],
  [MINUTE + 4 * SECOND, "1 min 4 s"],
  [HOUR, "1 h"],
  [HOUR + 30 * SECOND, "1 h"],
  [2 * HOUR + 13 * MINUTE, "2 h 13 min"],
  [DAY + 59 * MINUTE, "1 d"],
  [400 * DAY + 5 * HOUR + MINUTE, "400 d 5 h"],
];
for (const [milliseconds, text] of durations) {
  test(`durations: ${milliseconds} ms are "${text}"`, () => assert.equal(durationText(milliseconds), text));
}

test("moments: in this machine's time zone, to the second", () => {
  const at = new Date(2026, 0, 2, 3, 4, 5, 678);
  assert.equal(momentText(at.getTime()), "2026-01-02 03:04:05");
  assert.equal(momentText(at.toISOString()), "2026-01-02 03:04:05");
});
