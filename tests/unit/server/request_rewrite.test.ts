import assert from "node:assert/strict";
import test from "node:test";
import { type Framing, requestFraming } from "../../../src/http/framing.ts";
import { parseRequestHead } from "../../../src/http/head.ts";
import { expectsContinue, requestedUpgrade, requestForService } from "../../../src/server/request_rewrite.ts";
import type { Peer } from "../../../src/server/forwarded_fields.ts";
import { requestTarget } from "../../../src/server/request_target.ts";

const NONE: Framing = { kind: "none" };

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
});

test("request for the service: what a caller expects is passed on where there is a body to wait for", () => {
  const expecting = ["Host: x", "Expect: 100-Continue"];
  assert.ok(rewritten("POST / HTTP/1.1", ...expecting, "Content-Length: 1").includes("Expect: 100-Continue"));
  for (const more of [[], ["Content-Length: 0"]]) {
    assert.ok(!rewritten("POST / HTTP/1.1", ...expecting, ...more).some((line) => line.startsWith("Expect")));
  }
});

for (const value of ["100-continue, 100-continue", "y 100-continue", "100-continu", "", "x"]) {
  test(`request for the service: Expect: ${value} is not understood`, () => {
    const head = parse("POST / HTTP/1.1", "Host: x", "Content-Length: 1", `Expect: ${value}`);
    assert.throws(() => expectsContinue(head, requestFraming(head)), { status: 417 });
  });
}

test("request for the service: its length is a plain number", () => {
  const lengthOf = (value: string) =>
    rewritten("POST / HTTP/1.1", "Host: x", `content-LENGTH: ${value}`).filter((line) => /^content-length/i.test(line));
  assert.deepEqual(lengthOf("0010"), ["content-LENGTH: 10"]);
  assert.deepEqual(lengthOf("000"), ["content-LENGTH: 0"]);
});

test("request for the service: a body that may be overlooked is the last on its connection", () => {
  const closes = (firstLine: string, ...lines: string[]) =>
    rewritten(firstLine, "Host: x", ...lines).filter((line) => line.startsWith("Connection:"));
  const length = "Content-Length: 1";
  for (const method of ["GET", "HEAD", "DELETE", "OPTIONS", "get"]) {
    assert.deepEqual(closes(`${method} / HTTP/1.1`, length), ["Connection: close"], method);
    assert.deepEqual(closes(`${method} / HTTP/1.1`), [], method);
    assert.deepEqual(closes(`${method} / HTTP/1.1`, "Content-Length: 0"), [], method);
  }
  assert.deepEqual(closes("POST / HTTP/1.1", length), []);
  assert.deepEqual(closes("POST / HTTP/1.1", length, "Expect: 100-continue"), ["Connection: close"]);
  assert.deepEqual(closes("POST / HTTP/1.0", length, "Expect: 100-continue"), []);
  assert.deepEqual(closes("POST / HTTP/1.1", "Transfer-Encoding: chunked"), ["Connection: close"]);
  assert.deepEqual(
    closes("POST / HTTP/1.1", "Transfer-Encoding: chunked", "TE: trailers", "Connection: close"),
    ["Connection: TE, close"],
  );
});

for (
  const name of [
    "X_Forwarded_For",
    "X.Forwarded~Host",
    "x-forwarded_proto",
    "X-Forwarded-Port",
    "X-Real-IP",
    "X!Real!IP",
    "forwarded",
  ]
) {
  test(`request for the service: the caller's own ${name} goes no further`, () => {
    const lines = rewritten("GET / HTTP/1.1", "Host: x", `${name}: 10.0.0.1`);
    assert.deepEqual(lines, ["GET / HTTP/1.1", "Host: x", ...ADDED, "Via: 1.1 petit"]);
  });
}

test("request for the service: of a trusted proxy the names that only CGI takes for others go no further", () => {
  const head = parse("GET / HTTP/1.1", "Host: x", "X-Real-IP: 192.0.2.9", "X-Forwarded-Port: 1", "X_Real_IP: 10.0.0.1");
  const text = requestForService(head, requestTarget(head), NONE, { ...PEER, trusted: true }, undefined).toString();
  assert.match(text, /\r\nX-Real-IP: 192\.0\.2\.9\r\nX-Forwarded-Port: 1\r\n/);
  assert.doesNotMatch(text, /10\.0\.0\.1/);
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

const upgrades: [lines: string[], protocols: string[] | undefined][] = [
  [["Connection: upgrade", "Upgrade: websocket"], ["websocket"]],
  [["Connection: keep-alive, UPGRADE", "Upgrade: A/1, b"], ["a/1", "b"]],
  [["Upgrade: websocket"], undefined],
  [["Connection: upgrade"], undefined],
  [["Connection: upgrade", "Upgrade: ,"], undefined],
  [["Connection: upgrade", "Upgrade: h2c"], undefined],
  [["Connection: upgrade", "Upgrade: websocket, H2C"], undefined],
  [["Connection: upgrade", "Upgrade: TLS/1.0, HTTP/1.1"], undefined],
  [["Connection: upgrade", "Upgrade: HTTP/2.0"], undefined],
  [["Connection: upgrade", "Upgrade: h2c;q=1"], undefined],
  [["Connection: upgrade", 'Upgrade: "h2c"'], undefined],
  [["Connection: upgrade", "Upgrade: websocket h2c"], undefined],
  [["Connection: upgrade", "Upgrade: a/b/c"], undefined],
  [["Connection: upgrade", "Upgrade: SPDY/3.1"], ["spdy/3.1"]],
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
