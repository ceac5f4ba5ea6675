import assert from "node:assert/strict";
import test from "node:test";
import { combinedLine, jsonLine } from "../../../src/observe/access_line.ts";
import { exchange } from "./exchange.ts";

/** As tools read the combined format: a quote ends a field, whatever stands before it. */
const COMBINED =
  /^(\S+) - - \[(\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "([^"]*)" (\d{3}) (\d+) "([^"]*)" "([^"]*)"\n$/;

function fieldsOf(line: string): string[] {
  const fields = COMBINED.exec(line);
  assert.ok(fields, `not in the combined format: ${JSON.stringify(line)}`);
  return fields.slice(1);
}

test("access log: the combined format is that of web servers", () => {
  const [address, time = "", ...others] = fieldsOf(combinedLine(exchange()));
  assert.equal(address, "192.0.2.7");
  const [, day, month, year, clock, zone] = /^(\d\d)\/(\w+)\/(\d+):([\d:]+) ([+-]\d{4})$/.exec(time) ?? [];
  assert.equal(new Date(`${day} ${month} ${year} ${clock} ${zone}`).toISOString(), "2026-11-21T03:52:51.000Z");
  assert.deepEqual(others, [
    "GET /items?page=2 HTTP/1.1",
    "200",
    "2048",
    "https://example.com/",
    "curl/8.5.0",
  ]);
});

test("access log: what is not there is a dash, and an answer that never was has a status of its own", () => {
  const nothing = { method: "", target: "", host: "", version: "", userAgent: "", referer: "" };
  assert.deepEqual(fieldsOf(combinedLine(exchange({ ...nothing, status: 400 }))).slice(2), [
    "-",
    "400",
    "2048",
    "-",
    "-",
  ]);
  assert.equal(fieldsOf(combinedLine(exchange({ status: 0, error: "caller-left" })))[3], "499");
  assert.equal(fieldsOf(combinedLine(exchange({ status: 0, error: "reset" })))[3], "000");
});

test("access log: no caller can feign a field or a line", () => {
  const forged = '" 200 1 "-" "x"\r\n192.0.2.1 - - [21/Nov/2026:00:00:00 +0000] "GET /forged HTTP/1.1" 200 1 "-" "-';
  for (const name of ["method", "target", "userAgent", "referer"] as const) {
    const line = combinedLine(exchange({ [name]: forged }));
    assert.equal(fieldsOf(line).length, 7);
    assert.match(line, /^[\x20-\x7e]*\n$/);
  }
  for (const name of ["method", "target", "userAgent", "referer", "host"] as const) {
    const line = jsonLine(exchange({ [name]: `${forged}\u2028\u009b` }));
    assert.match(line, /^[\x20-\x7e]*\n$/);
    assert.equal((JSON.parse(line) as Record<string, unknown>)[name], `${forged}\u2028\u009b`);
  }
});

test("access log: quotes, backslashes, control characters and what is not ASCII are escaped as nginx does it", () => {
  const userAgent = 'a"b\\c\td\x00e\x7ff\xc3\xa9';
  assert.equal(
    fieldsOf(combinedLine(exchange({ userAgent })))[6],
    "a\\x22b\\x5Cc\\x09d\\x00e\\x7Ff\\xC3\\xA9",
  );
});

test("access log: one field cannot make a line as long as it likes", () => {
  const target = `/${"x".repeat(60_000)}`;
  assert.ok(combinedLine(exchange({ target })).length < 10_000);
  assert.ok(jsonLine(exchange({ target })).length < 10_000);
});

test("access log: JSON has the names of the log", () => {
  assert.deepEqual(
    JSON.parse(jsonLine(exchange({ error: "service-timeout", cause: 'a "reason"', firstByteAfter: null }))),
    {
      time: "2026-11-21T03:52:51.250Z",
      kind: "http",
      id: "1001",
      brand: "ce",
      channel: 2,
      request: "0a1b2c3d-1",
      address: "192.0.2.7",
      method: "GET",
      target: "/items?page=2",
      host: "1001.example.com",
      version: "HTTP/1.1",
      status: 200,
      code: "service-timeout",
      cause: 'a "reason"',
      refused: false,
      bytesIn: 120,
      bytesOut: 2048,
      ms: 12.3,
      firstByteMs: null,
      referer: "https://example.com/",
      userAgent: "curl/8.5.0",
    },
  );
});
