import assert from "node:assert/strict";
import fc from "fast-check";
import { type Framing, responseFraming } from "../../src/http/framing.ts";
import { headEnd, parseResponseHead, type ResponseHead } from "../../src/http/head.ts";
import { MessageError } from "../../src/http/message_error.ts";
import {
  agreedProtocol,
  deliveryOf,
  interimForCaller,
  keepAliveHint,
  responseForCaller,
  switchingForCaller,
} from "../../src/server/response_rewrite.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { HTTP_WORDS } from "./world/http_words.ts";
import { chanceOf } from "./world/pieces.ts";
import { HOP_BY_HOP, strictFraming, type StrictHead, strictHead, valuesIn } from "./world/strict_http.ts";

function checkStatusLine({ first }: StrictHead, head: ResponseHead): void {
  assert.equal(first, `HTTP/1.1 ${head.status} ${head.reason}`);
  assert.match(first, /^HTTP\/1\.1 [1-9]\d\d [\t\x20-\x7e\x80-\xff]*$/);
}

function check(bytes: Buffer): void {
  const chance = chanceOf(bytes);
  const method = chance() < 0.2 ? "HEAD" : "GET";
  const minor = chance() < 0.2 ? 0 : 1;
  let head: ResponseHead;
  let framing: Framing;
  try {
    const end = headEnd(bytes);
    if (end < 0) return;
    head = parseResponseHead(bytes.subarray(0, end));
    framing = responseFraming(method, head);
  } catch (error) {
    assert.ok(error instanceof MessageError, String(error));
    return;
  }
  assert.ok(keepAliveHint(head) >= -1000);
  if (head.status < 200) {
    const protocol = agreedProtocol(head, ["websocket"]);
    const strict = strictHead(protocol === undefined ? interimForCaller(head) : switchingForCaller(head, protocol));
    checkStatusLine(strict, head);
    assert.equal(strictFraming(strict), "none");
    return;
  }
  const delivery = deliveryOf(framing, minor);
  const connection = delivery === "until-close" ? "close" : chance() < 0.5 ? "keep-alive" : undefined;
  const strict = strictHead(Buffer.from(responseForCaller(head, framing, delivery, connection), "latin1"));
  checkStatusLine(strict, head);
  for (const name of HOP_BY_HOP) assert.deepEqual(valuesIn(strict, name), []);
  assert.deepEqual(valuesIn(strict, "connection"), connection === undefined ? [] : [connection]);
  assert.equal(valuesIn(strict, "transfer-encoding").length, delivery === "chunked" ? 1 : 0);
  assert.ok(valuesIn(strict, "content-length").length <= 1);
  // A length that comes without a body, as with HEAD, is the service's affair as long as it is one.
  const framed = strictFraming(strict);
  if (framing.kind === "length") assert.equal(framed, String(framing.length));
  if (delivery === "chunked") assert.equal(framed, "chunked");
  if (delivery === "until-close") assert.equal(framed, "none");
}

const text = (...lines: string[]) => `${lines.join("\r\n")}\r\n\r\n`;

const name = fc.constantFrom(
  ...[
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "Keep-Alive",
    "Upgrade",
    "Date",
    "Trailer",
    "X",
    "Content-Length ",
  ],
);
const value = fc.oneof(
  fc.constantFrom(
    "0",
    "5",
    "5, 5",
    "5,6",
    "-1",
    "chunked",
    "gzip",
    "close",
    "timeout=5",
    "websocket",
    "date, content-length",
  ),
  fc.string({ maxLength: 20 }),
);
const status = fc.constantFrom("100", "101", "103", "200", "204", "205", "304", "404", "599", "099", "999");
const made = fc.tuple(fc.constantFrom("1.1", "1.0", "1.9"), status, fc.array(fc.tuple(name, value), { maxLength: 6 }))
  .map(([version, status, fields]) =>
    Buffer.from(
      text(`HTTP/${version} ${status} Reason`, ...fields.map(([name, value]) => `${name}: ${value}`)),
      "latin1",
    )
  );

fuzzTest({
  name: "http_response",
  seeds: [
    text("HTTP/1.1 200 OK", "Content-Length: 12", "Date: Sun, 06 Nov 1994 08:49:37 GMT"),
    text("HTTP/1.1 200", "Transfer-Encoding: chunked", "Trailer: X"),
    text("HTTP/1.0 200 OK", "Connection: keep-alive", "Keep-Alive: timeout=5, max=100"),
    text("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket"),
    text("HTTP/1.1 103 Early Hints", "Link: </a.css>; rel=preload"),
    text("HTTP/1.1 200 OK", "Folded: one", " two", "\tthree", "Blank : x"),
  ],
  words: [...HTTP_WORDS, ",", "chunked", "\r\n "],
  made: [made],
  short: 10_000,
  check,
});
