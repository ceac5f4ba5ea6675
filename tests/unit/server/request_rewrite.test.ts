import assert from "node:assert/strict";
import test from "node:test";
import { type Framing, requestFraming } from "../../../src/http/framing.ts";
import { parseRequestHead } from "../../../src/http/head.ts";
import { requestedUpgrade, requestForService } from "../../../src/server/request_rewrite.ts";
import type { Peer } from "../../../src/server/forwarded_fields.ts";
import { requestTarget } from "../../../src/server/request_target.ts";

const PEER: Peer = { address: "192.0.2.7", port: 1, secure: false, trusted: false };

const parse = (firstLine: string, ...lines: string[]) =>
  parseRequestHead(Buffer.from([firstLine, ...lines, "", ""].join("\r\n"), "latin1"));

/** The lines that the service gets. */
function rewritten(firstLine: string, ...lines: string[]): string[] {
  const head = parse(firstLine, ...lines);
  const framing = requestFraming(head);
  const bytes = requestForService(head, requestTarget(head), framing, PEER, requestedUpgrade(head, framing));
  const text = bytes.toString("latin1");
  assert.ok(text.endsWith("\r\n\r\n"));
  return text.slice(0, -4).split("\r\n");
}

const ADDED = [
  "X-Forwarded-For: 192.0.2.7",
  "X-Forwarded-Proto: http",
  "X-Forwarded-Host: x",
  'Forwarded: for=192.0.2.7;host="x";proto=http',
];

test("request for the service: end-to-end fields keep their order, case and bytes", () => {
  assert.deepEqual(rewritten("GET /a HTTP/1.1", "Host: x", "B-b: \xe9", "A: 1", "b-B: 2", "Cookie: c"), [
    "GET /a HTTP/1.1",
    "Host: x",
    "B-b: \xe9",
    "A: 1",
    "b-B: 2",
    "Cookie: c",
    ...ADDED,
    "Via: 1.1 petit",
  ]);
});

test("request for the service: the caller's claims about itself and its connection go no further", () => {
  const lines = rewritten(
    "GET / HTTP/1.1",
    "Host: x",
    "X-Forwarded-For: 1.2.3.4",
    "Forwarded: for=1.2.3.4",
    "x-forwarded-proto: https",
    "X-Forwarded-Host: y",
    "Connection: keep-alive, X-Mine",
    "Keep-Alive: timeout=5",
    "X-Mine: 1",
    "Proxy-Authorization: secret",
  );
  assert.deepEqual(lines, ["GET / HTTP/1.1", "Host: x", ...ADDED, "Via: 1.1 petit"]);
});

test("request for the service: one of HTTP/1.0 becomes HTTP/1.1, and expects no interim answer", () => {
  const lines = rewritten("POST / HTTP/1.0", "Host: x", "Expect: 100-continue", "Content-Length: 1");
  assert.deepEqual(lines, ["POST / HTTP/1.1", "Host: x", "Content-Length: 1", ...ADDED, "Via: 1.0 petit"]);
  assert.ok(rewritten("POST / HTTP/1.1", "Host: x", "Expect: 100-continue").includes("Expect: 100-continue"));
});

test("request for the service: a chunked body stays chunked", () => {
  const lines = rewritten("POST / HTTP/1.1", "Host: x", "Transfer-Encoding:  Chunked");
  assert.deepEqual(lines.filter((line) => /^transfer-encoding/i.test(line)), ["Transfer-Encoding: chunked"]);
});

test("request for the service: whoever takes trailers says so on this hop too", () => {
  const lines = rewritten("GET / HTTP/1.1", "Host: x", "TE: gzip, Trailers", "Connection: TE");
  assert.deepEqual(lines.slice(-2), ["TE: trailers", "Connection: TE"]);
  assert.equal(rewritten("GET / HTTP/1.1", "Host: x", "TE: gzip").join().includes("TE:"), false);
});

test("request for the service: a wish to switch protocols is repeated, with that for trailers", () => {
  const wish = ["Host: x", "Upgrade: websocket", "Connection: Upgrade, TE"];
  assert.deepEqual(rewritten("GET / HTTP/1.1", ...wish).slice(-2), ["Upgrade: websocket", "Connection: Upgrade"]);
  assert.deepEqual(rewritten("GET / HTTP/1.1", ...wish, "TE: trailers").slice(-3), [
    "TE: trailers",
    "Upgrade: websocket",
    "Connection: TE, Upgrade",
  ]);
});

const NONE: Framing = { kind: "none" };

const upgrades: [lines: string[], protocols: string[] | undefined][] = [
  [["Connection: upgrade", "Upgrade: websocket"], ["websocket"]],
  [["Connection: keep-alive, UPGRADE", "Upgrade: A/1, b"], ["a/1", "b"]],
  [["Upgrade: websocket"], undefined],
  [["Connection: upgrade"], undefined],
  [["Connection: upgrade", "Upgrade: ,"], undefined],
  [["Connection: upgrade", "Upgrade: h2c"], undefined],
  [["Connection: upgrade", "Upgrade: websocket, H2C"], undefined],
  [["Connection: upgrade", "Upgrade: websocket", "Upgrade: h2c/2"], undefined],
];

for (const [lines, protocols] of upgrades) {
  test(`upgrade: ${JSON.stringify(lines)} asks for ${protocols ?? "nothing"}`, () => {
    assert.deepEqual(requestedUpgrade(parse("GET / HTTP/1.1", ...lines), NONE), protocols);
  });
}

test("upgrade: neither a request with a body nor one of HTTP/1.0 asks for it", () => {
  const lines = ["Connection: upgrade", "Upgrade: websocket"];
  assert.equal(requestedUpgrade(parse("GET / HTTP/1.1", ...lines), { kind: "length", length: 1 }), undefined);
  assert.equal(requestedUpgrade(parse("GET / HTTP/1.1", ...lines), { kind: "chunked" }), undefined);
  assert.equal(requestedUpgrade(parse("GET / HTTP/1.0", ...lines), NONE), undefined);
});
