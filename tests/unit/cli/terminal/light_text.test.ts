import assert from "node:assert/strict";
import test from "node:test";
import { lightColumns } from "../../../../src/cli/terminal/light_columns.ts";
import { lightText } from "../../../../src/tunnel/light_text.ts";
import { table } from "../../../../src/cli/terminal/table.ts";
import { lights } from "../../../world/lights.ts";

const NOW = Date.UTC(2026, 0, 1, 12);

const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

test("light: green says when it was seen, how long it took and by whom", () => {
  assert.equal(
    lightText("service", { state: "green", at: ago(12), milliseconds: 0.8, by: "caller" }, NOW),
    "green, reached 12 s ago (0.8 ms, by a caller)",
  );
  assert.equal(lightText("tunnel", { state: "green", at: ago(3) }, NOW), "green, there and back 3 s ago");
  assert.equal(lightText("client", { state: "green", at: ago(0) }, NOW), "green, heard of 0 s ago");
});

test("light: red says why and since when, and when it was tried last", () => {
  const error = "ECONNREFUSED";
  assert.equal(
    lightText("service", { state: "red", at: ago(12), since: ago(125), error, code: "service-refused" }, NOW),
    "red for 2 min 5 s: ECONNREFUSED (last tried 12 s ago)",
  );
  assert.equal(
    lightText("tunnel", { state: "red", at: ago(60), error: "There is no tunnel" }, NOW),
    "red: There is no tunnel (last there and back 1 min ago)",
  );
});

test("light: unknown says when something was known last", () => {
  assert.equal(lightText("service", { state: "unknown", at: ago(7200) }, NOW), "unknown, last reached 2 h ago");
  assert.equal(lightText("service", { state: "unknown", at: null }, NOW), "unknown, never reached");
});

test("light: a column for each in a table", () => {
  const text = table(lightColumns(), [{ lights: lights("green", "red", "unknown") }]);
  assert.match(text, /CLIENT {2}TUNNEL {2}SERVICE.*\nup {6}down {4}-\n$/);
});
