import assert from "node:assert/strict";
import test from "node:test";
import { harmless } from "../../../src/observe/stderr_log.ts";

const shown = (line: Record<string, unknown>) => JSON.parse(harmless(JSON.stringify(line))) as Record<string, unknown>;

test("log on a terminal: what a peer calls itself cannot steer the terminal or feign a line", () => {
  const line = shown({
    user: "\u001b]0;x\u0007\u009b2J",
    msg: 'user "\u001b[31m\r\n12:00:00 INFO forged\b\u202e" refused',
  });
  assert.deepEqual(line, {
    user: "\\u001b]0;x\\u0007\\u009b2J",
    msg: 'user "\\u001b[31m\\r\\n12:00:00 INFO forged\\b\\u202e" refused',
  });
});

test("log on a terminal: ordinary text, quotes and backslashes stay as they are", () => {
  const line = { path: 'C:\\new\\u001b "x"\t', name: "Zoë 東京 🙂", msg: 'Cannot write "C:\\temp\\bin": ü' };
  assert.deepEqual(shown(line), line);
});

test("log on a terminal: a stack keeps its lines", () => {
  const line = { err: { stack: "Error: x\n    at y" }, msg: "Bad" };
  assert.deepEqual(shown(line), line);
});
