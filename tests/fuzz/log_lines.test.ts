import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { printable } from "../../src/text_width.ts";
import { combinedLine, jsonLine } from "../../src/observe/access_line.ts";
import { lastLines } from "../../src/observe/last_lines.ts";
import { harmless } from "../../src/observe/stderr_log.ts";
import { LogTail } from "../../src/observe/log_tail.ts";
import { causeSaid, disconnectCode, MAX_CAUSE } from "../../src/tunnel/disconnect_cause.ts";
import { exchange } from "../unit/observe/exchange.ts";
import { fuzzTest } from "./world/fuzz_target.ts";

const folder = mkdtempSync(join(tmpdir(), "petit-fuzz-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "log");

let turn = 0;

function check(bytes: Buffer): void {
  const latin1 = bytes.toString("latin1");
  const text = bytes.toString("utf8");
  checkAccess(latin1);
  checkAccess(text);
  checkCause(text);
  checkTerminal(text);
  // A file costs more than all of the others together.
  if (turn++ % 32 === 0) checkLines(bytes);
}

/** Nothing that a caller sends makes a second line, or a field of its own. */
function checkAccess(text: string): void {
  const report = exchange({ method: text, target: text, host: text, referer: text, userAgent: text });
  const combined = combinedLine(report);
  assert.match(combined, /^[\x20-\x7e]+\n$/);
  assert.equal(combined.match(/"/g)?.length, 6);
  const line = jsonLine(report);
  assert.match(line, /^[\x20-\x7e]+\n$/);
  assert.equal(JSON.parse(line).target, text.slice(0, 8192));
}

/** What a peer says of the end is told in one line, and does not pass for what this side has seen. */
function checkCause(text: string): void {
  for (const by of ["client", "server"] as const) {
    const cause = causeSaid(by, text.length, text);
    assert.ok(cause.length <= MAX_CAUSE);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(cause, /[\x00-\x1f\x7f-\x9f]/);
    const code = disconnectCode(cause);
    if (by === "client") {
      assert.ok(!["taken-over", "operator", "killed", "reset", "network", "restarted"].includes(code), cause);
    }
  }
}

/** What a terminal is shown is one line that steers nothing, and still the same JSON but for that. */
function checkTerminal(text: string): void {
  const line = harmless(`${JSON.stringify({ level: 30, user: text, msg: text })}\n`);
  const { msg } = JSON.parse(line) as { msg: string };
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(msg, /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(printable(text), /[\x00-\x1f\x7f-\x9f]/);
}

/** Whole lines only, in their order. */
function checkLines(bytes: Buffer): void {
  writeFileSync(file, bytes);
  const lines = lastLines(file);
  assert.deepEqual(lines, bytes.toString("utf8").split("\n").slice(0, -1));
  const tail = new LogTail();
  for (const line of lines) tail.push(line);
  assert.deepEqual(tail.last(3), lines.slice(-3));
}

fuzzTest({
  name: "log_lines",
  seeds: [
    'GET / HTTP/1.1" 200 0 "-" "-"\n127.0.0.1 - - ',
    '{"level":"info","msg":"a line"}\n{"level":"warn"}\nhalf a li',
    "a newer connection of the same client took over",
    "the client ended it: the server stopped",
    "the connection was reset (ECONNRESET)",
  ],
  words: [
    "\n",
    "\r",
    '"',
    "\\",
    "\0",
    "\x1b[2J",
    "\u2028",
    "\ud83d\ude00",
    "\x85",
    "the server ended it: ",
    "the client stopped",
  ],
  short: 1000,
  check,
});
