import assert from "node:assert/strict";
import test from "node:test";
import { parseFields } from "../../../src/http/fields.ts";
import { type Framing, persists, requestFraming, responseFraming } from "../../../src/http/framing.ts";

const NONE: Framing = { kind: "none" };
const CHUNKED: Framing = { kind: "chunked" };
const UNTIL_CLOSE: Framing = { kind: "until-close" };
const length = (bytes: number): Framing => ({ kind: "length", length: bytes });

const request = (lines: string[], minor: 0 | 1 = 1) =>
  requestFraming({ method: "POST", target: "/", minor, fields: parseFields(lines, 0) });
const response = (lines: string[], status = 200, method = "GET", minor: 0 | 1 = 1) =>
  responseFraming(method, { minor, status, reason: "", fields: parseFields(lines, 0, "mend") });

const requests: [lines: string[], framing: Framing][] = [
  [[], NONE],
  [["Content-Length: 0"], NONE],
  [["Content-Length: 5"], length(5)],
  [["Content-Length: 0005"], length(5)],
  [["Content-Length: 999999999999999"], length(999_999_999_999_999)],
  [["Transfer-Encoding: chunked"], CHUNKED],
  [["Transfer-Encoding:   ChunkeD\t"], CHUNKED],
];

for (const [lines, framing] of requests) {
  test(`request framing: ${JSON.stringify(lines)} is ${JSON.stringify(framing)}`, () => {
    assert.deepEqual(request(lines), framing);
  });
}

const refusedRequests: string[][] = [
  ["Content-Length: 5", "Content-Length: 6"],
  ["Content-Length: 5", "Content-Length: 5"],
  ["Content-Length: 5, 5"],
  ["Content-Length:"],
  ["Content-Length: -1"],
  ["Content-Length: +1"],
  ["Content-Length: 1.5"],
  ["Content-Length: 0x10"],
  ["Content-Length: 1e3"],
  ["Content-Length: 5 5"],
  ["Content-Length: 1000000000000000"],
  ["Content-Length: 99999999999999999999999"],
  ["Content-Length: 5", "Transfer-Encoding: chunked"],
  ["Transfer-Encoding: chunked", "Content-Length: 5"],
  ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
  ["Transfer-Encoding: chunked, chunked"],
  ["Transfer-Encoding: gzip, chunked"],
  ["Transfer-Encoding: chunked, identity"],
  ["Transfer-Encoding: identity"],
  ["Transfer-Encoding: xchunked"],
  ["Transfer-Encoding: chunked;q=1"],
  ["Transfer-Encoding: \x0bchunked"],
  ["Transfer-Encoding: \xa0chunked"],
  ["Transfer-Encoding:"],
];

for (const lines of refusedRequests) {
  test(`request framing: ${JSON.stringify(lines)} is refused`, () => {
    assert.throws(() => request(lines), { name: "MessageError", status: 400 });
  });
}

test("request framing: chunked is refused in an HTTP/1.0 request", () => {
  assert.throws(() => request(["Transfer-Encoding: chunked"], 0), { name: "MessageError", status: 400 });
  assert.deepEqual(request(["Content-Length: 5"], 0), length(5));
});

const responses: [lines: string[], framing: Framing][] = [
  [[], UNTIL_CLOSE],
  [["Content-Length: 0"], NONE],
  [["Content-Length: 5"], length(5)],
  [["Content-Length: 5, 5"], length(5)],
  [["Content-Length: 5", "Content-Length: 5"], length(5)],
  [["Transfer-Encoding: chunked"], CHUNKED],
  [["Transfer-Encoding: CHUNKED"], CHUNKED],
  [["Content-Length: 5", "Transfer-Encoding: chunked"], CHUNKED],
];

for (const [lines, framing] of responses) {
  test(`response framing: ${JSON.stringify(lines)} is ${JSON.stringify(framing)}`, () => {
    assert.deepEqual(response(lines), framing);
  });
}

const refusedResponses: string[][] = [
  ["Content-Length: 5", "Content-Length: 6"],
  ["Content-Length: 5, 6"],
  ["Content-Length:"],
  ["Content-Length: x"],
  ["Content-Length: -5"],
  ["Content-Length: 5 5"],
  ["Content-Length: 1000000000000000"],
  ["Transfer-Encoding: gzip, chunked"],
  ["Transfer-Encoding: chunked, gzip"],
  ["Transfer-Encoding: chunked, chunked"],
  ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
  ["Transfer-Encoding: identity"],
  ["Transfer-Encoding:"],
];

for (const lines of refusedResponses) {
  test(`response framing: ${JSON.stringify(lines)} is refused`, () => {
    assert.throws(() => response(lines), { name: "MessageError" });
  });
}

const BODY_FIELDS = [["Content-Length: 5"], ["Transfer-Encoding: chunked"], []];

for (const status of [100, 101, 103, 199, 204, 304]) {
  test(`response framing: an answer ${status} has no body, whatever its fields say`, () => {
    for (const lines of BODY_FIELDS) assert.deepEqual(response(lines, status), NONE);
  });
}

test("response framing: an answer to HEAD has no body, whatever its fields say", () => {
  for (const lines of BODY_FIELDS) assert.deepEqual(response(lines, 200, "HEAD"), NONE);
});

test("response framing: methods have no lower-case namesakes", () => {
  assert.deepEqual(response(["Content-Length: 5"], 200, "head"), length(5));
});

const connections: [minor: 0 | 1, lines: string[], open: boolean][] = [
  [1, [], true],
  [1, ["Connection: close"], false],
  [1, ["Connection: CLOSE"], false],
  [1, ["Connection: x, close"], false],
  [1, ["Connection: x", "Connection: close"], false],
  [1, ["Connection: keep-alive"], true],
  [1, ["Connection: keep-alive, close"], false],
  [1, ["Connection: closed"], true],
  [0, [], false],
  [0, ["Connection: keep-alive"], true],
  [0, ["Connection: Keep-Alive, x"], true],
  [0, ["Connection: keep-alive, close"], false],
  [0, ["Connection: x"], false],
];

for (const [minor, lines, open] of connections) {
  test(`persistence: HTTP/1.${minor} with ${JSON.stringify(lines)} ${open ? "stays open" : "closes"}`, () => {
    assert.equal(persists({ minor, fields: parseFields(lines, 0) }), open);
  });
}
