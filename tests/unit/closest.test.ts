import assert from "node:assert/strict";
import test from "node:test";
import { closest } from "../../src/closest.ts";

const KEYS = ["proxyHost", "proxyPort", "port", "host", "logLevel"];

const cases: [word: string, candidates: string[], best: string | undefined][] = [
  ["proxyPrt", KEYS, "proxyPort"],
  ["proxyport", KEYS, "proxyPort"],
  ["proxyHots", KEYS, "proxyHost"],
  ["prot", KEYS, "port"],
  ["por", KEYS, "port"],
  ["loglvl", KEYS, "logLevel"],
  ["port", KEYS, "port"],
  ["timeout", KEYS, undefined],
  ["xyzzy", KEYS, undefined],
  ["x", ["abc"], undefined],
  ["", ["abc"], undefined],
  ["port", [], undefined],
  ["bot", ["boat", "boot"], "boat"],
];

for (const [word, candidates, best] of cases) {
  test(`closest: ${JSON.stringify(word)} among ${candidates.join(", ") || "nothing"} means ${best ?? "none"}`, () => {
    assert.equal(closest(word, candidates), best);
  });
}
