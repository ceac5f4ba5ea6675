import assert from "node:assert/strict";
import fc from "fast-check";
import { requestFraming } from "../../src/http/framing.ts";
import { headEnd, parseRequestHead, type RequestHead } from "../../src/http/head.ts";
import { MessageError } from "../../src/http/message_error.ts";
import { addressList, type Peer } from "../../src/server/forwarded_fields.ts";
import { realCaller } from "../../src/server/real_caller.ts";
import { requestedUpgrade, requestForService } from "../../src/server/request_rewrite.ts";
import { requestTarget } from "../../src/server/request_target.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { HTTP_WORDS } from "./world/http_words.ts";
import { chanceOf, piecesOf } from "./world/pieces.ts";
import { HOP_BY_HOP, strictFraming, strictHead, valuesIn } from "./world/strict_http.ts";

const proxies = addressList(["10.0.0.0/8", "::1"]);
const UNTRUSTED: Peer = { address: "192.0.2.1", port: 1, secure: false, trusted: false };
const TRUSTED: Peer = { address: "10.0.0.1", port: 1, secure: true, trusted: true, proxies };

/** Where a head ends in bytes that come in pieces, as a connection looks for it. @throws MessageError */
function endInPieces(bytes: Buffer): number {
  let have = 0;
  for (const piece of piecesOf(bytes, chanceOf(bytes))) {
    const end = headEnd(bytes.subarray(0, have + piece.length), have);
    if (end >= 0) return end;
    have += piece.length;
  }
  return -1;
}

/** The request, or undefined where the head is not complete or refused. */
function parsed(bytes: Buffer, end: (bytes: Buffer) => number): RequestHead | undefined {
  try {
    const at = end(bytes);
    return at < 0 ? undefined : parseRequestHead(bytes.subarray(0, at));
  } catch (error) {
    assert.ok(error instanceof MessageError, String(error));
    return undefined;
  }
}

function check(bytes: Buffer): void {
  const head = parsed(bytes, headEnd);
  assert.deepEqual(parsed(bytes, endInPieces), head);
  if (head === undefined) return;
  for (const peer of [UNTRUSTED, TRUSTED]) {
    let forwarded: Buffer;
    let framing: ReturnType<typeof requestFraming>;
    let target: ReturnType<typeof requestTarget>;
    let upgrade: readonly string[] | undefined;
    try {
      framing = requestFraming(head);
      target = requestTarget(head);
      upgrade = requestedUpgrade(head, framing);
      forwarded = requestForService(head, target, framing, peer, upgrade);
    } catch (error) {
      assert.ok(error instanceof MessageError, String(error));
      return;
    }
    // What is forwarded is one request to whoever reads it strictly, and the one that was understood here.
    const strict = strictHead(forwarded);
    assert.equal(strict.first, `${head.method} ${target.target} HTTP/1.1`);
    assert.match(target.target, /^(?:[/][\x21-\x7e\x80-\xff]*|\*)$/);
    const wanted = framing.kind === "length" ? String(framing.length) : framing.kind;
    const framed = strictFraming(strict);
    assert.ok(framed === wanted || (framed === "0" && wanted === "none"), `${framed} and not ${wanted}`);
    // The host that routes a request is the one that the service sees.
    const hosts = valuesIn(strict, "host");
    assert.ok(hosts.length <= 1);
    assert.equal(hosts[0] ?? "", target.host);
    for (const name of HOP_BY_HOP) assert.deepEqual(valuesIn(strict, name), []);
    assert.equal(valuesIn(strict, "upgrade").length, upgrade === undefined ? 0 : 1);
    assert.equal(valuesIn(strict, "via").at(-1), head.minor === 1 ? "1.1 petit" : "1.0 petit");
    const caller = valuesIn(strict, "x-forwarded-for");
    assert.equal(caller.length, 1);
    if (!peer.trusted) assert.equal(caller[0], peer.address);
    else assert.ok(caller[0]?.endsWith(peer.address));
    realCaller(peer, head.fields);
  }
}

const text = (...lines: string[]) => `${lines.join("\r\n")}\r\n\r\n`;

const token = fc.constantFrom("GET", "POST", "OPTIONS", "get", "M-SEARCH", "CONNECT", "");
const target = fc.constantFrom(
  "/",
  "/a?b=c",
  "*",
  "http://a.example/x",
  "http://a.example",
  "HTTP://A.EXAMPLE?q",
  "//x",
  "a:1",
);
const name = fc.constantFrom(
  ...["Host", "Content-Length", "Transfer-Encoding", "Connection", "X-Forwarded-For", "Forwarded", "x_forwarded_for"],
  ...["Upgrade", "TE", "Expect", "Via", "Keep-Alive", "X", "Content-Length ", "Transfer\tEncoding"],
);
const value = fc.oneof(
  fc.constantFrom(
    "a.example",
    "1001.example:80",
    "0",
    "5",
    "+5",
    "5, 5",
    "chunked",
    "Chunked",
    "gzip, chunked",
    "close",
  ),
  fc.constantFrom(
    "upgrade, host",
    "websocket",
    "h2c",
    "trailers",
    "100-continue",
    "10.1.1.1, 192.0.2.7",
    "for=x;host=y",
  ),
  fc.string({ maxLength: 20 }),
);
const made = fc.tuple(
  token,
  target,
  fc.constantFrom("1.1", "1.0", "2.0"),
  fc.array(fc.tuple(name, value), { maxLength: 6 }),
)
  .map(([method, target, version, fields]) =>
    Buffer.from(
      text(`${method} ${target} HTTP/${version}`, ...fields.map(([name, value]) => `${name}: ${value}`)),
      "latin1",
    )
  );

fuzzTest({
  name: "http_request",
  seeds: [
    text("GET / HTTP/1.1", "Host: 1001.example"),
    text("POST /a%20b?c=d HTTP/1.1", "Host: 1001.example:8090", "Content-Length: 12", "X-Forwarded-For: 192.0.2.9"),
    text(
      "POST / HTTP/1.1",
      "Host: a",
      "Transfer-Encoding: chunked",
      "TE: trailers",
      "Connection: TE, X-Own",
      "X-Own: 1",
    ),
    text("GET /chat HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: abc=="),
    text("GET http://a.example/x HTTP/1.0", "Host: a.example", 'Forwarded: for="[2001:db8::1]:1", for=10.0.0.9'),
  ],
  words: [...HTTP_WORDS, ",", ";", "chunked", "Host: b\r\n"],
  made: [made],
  short: 10_000,
  check,
});
