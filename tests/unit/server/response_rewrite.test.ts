import assert from "node:assert/strict";
import test from "node:test";
import { type Framing, responseFraming } from "../../../src/http/framing.ts";
import { parseResponseHead } from "../../../src/http/head.ts";
import {
  agreedProtocol,
  deliveryOf,
  interimForCaller,
  keepAliveHint,
  responseForCaller,
  switchingForCaller,
} from "../../../src/server/response_rewrite.ts";

const DATE = "Date: Thu, 01 Jan 1970 00:00:00 GMT";

const parse = (firstLine: string, ...lines: string[]) =>
  parseResponseHead(Buffer.from([firstLine, ...lines, "", ""].join("\r\n"), "latin1"));

/** The lines that a caller of HTTP/1.1 gets. */
function rewritten(firstLine: string, ...lines: string[]): string[] {
  const head = parse(firstLine, ...lines);
  const framing = responseFraming("GET", head);
  const text = responseForCaller(head, framing, deliveryOf(framing, 1), undefined);
  assert.ok(text.endsWith("\r\n\r\n"));
  return text.slice(0, -4).split("\r\n");
}

test("answer for the caller: end-to-end fields keep their order, case and bytes", () => {
  const lines = ["HTTP/1.1 299 Od\xe9", DATE, "Set-Cookie: a", "X: \xff", "set-cookie: b", "Content-Length: 5"];
  assert.deepEqual(rewritten(...lines as [string, ...string[]]), lines);
});

test("answer for the caller: one of HTTP/1.0 becomes HTTP/1.1", () => {
  assert.equal(rewritten("HTTP/1.0 200 OK", DATE, "Content-Length: 5")[0], "HTTP/1.1 200 OK");
});

test("answer for the caller: what concerns the service's connection goes no further", () => {
  const lines = rewritten(
    "HTTP/1.1 200 OK",
    DATE,
    "Connection: close, X-Mine",
    "X-Mine: 1",
    "Keep-Alive: timeout=5",
    "Proxy-Authenticate: Basic",
    "Upgrade: h2",
    "Content-Length: 5",
  );
  assert.deepEqual(lines, ["HTTP/1.1 200 OK", DATE, "Content-Length: 5"]);
});

test("answer for the caller: one without a date gets one", () => {
  const [, , date = ""] = rewritten("HTTP/1.1 200 OK", "Content-Length: 5");
  assert.match(date, /^Date: \w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/);
});

test("answer for the caller: one in chunks has no length beside them", () => {
  const lines = rewritten("HTTP/1.1 200 OK", DATE, "Content-Length: 5", "Transfer-Encoding: CHUNKED");
  assert.deepEqual(lines, ["HTTP/1.1 200 OK", DATE, "Transfer-Encoding: chunked"]);
});

test("answer for the caller: 204 has no length", () => {
  assert.deepEqual(rewritten("HTTP/1.1 204 No Content", DATE, "Content-Length: 5"), ["HTTP/1.1 204 No Content", DATE]);
});

test("answer for the caller: a length that the service repeats is given once", () => {
  // RFC 9110, section 8.6: whoever passes such a message on replaces the repetition by one length.
  for (const lines of [["Content-Length: 5, 5"], ["Content-Length: 5", "content-length: 5"]]) {
    const lengths = rewritten("HTTP/1.1 200 OK", DATE, ...lines).filter((line) => /^content-length/i.test(line));
    assert.deepEqual(lengths.map((line) => line.toLowerCase()), ["content-length: 5"]);
  }
});

test("answer for the caller: to HEAD the length of what GET would bring is passed on, and no other", () => {
  const lengthFor = (value: string) =>
    responseForCaller(parse("HTTP/1.1 200 OK", DATE, `Content-Length:${value}`), { kind: "none" }, "as-is", undefined)
      .split("\r\n").filter((line) => /^content-length/i.test(line));
  assert.deepEqual(lengthFor(" 5"), ["Content-Length: 5"]);
  for (const nothing of ["", " ,"]) {
    assert.ok(["", "Content-Length:"].includes(lengthFor(nothing).join().trim()), lengthFor(nothing).join());
  }
});

test("answer for the caller: the fate of its connection is told where it is asked for", () => {
  const head = parse("HTTP/1.1 200 OK", DATE, "Content-Length: 0");
  for (const option of ["close", "keep-alive"] as const) {
    assert.match(
      responseForCaller(head, { kind: "none" }, "as-is", option),
      new RegExp(`\r\nConnection: ${option}\r\n`),
    );
  }
  assert.doesNotMatch(responseForCaller(head, { kind: "none" }, "as-is", undefined), /connection/i);
});

const deliveries: [framing: Framing, minor: 0 | 1, delivery: string][] = [
  [{ kind: "none" }, 1, "as-is"],
  [{ kind: "none" }, 0, "as-is"],
  [{ kind: "length", length: 5 }, 0, "as-is"],
  [{ kind: "chunked" }, 1, "chunked"],
  [{ kind: "chunked" }, 0, "until-close"],
  [{ kind: "until-close" }, 1, "chunked"],
  [{ kind: "until-close" }, 0, "until-close"],
];

for (const [framing, minor, delivery] of deliveries) {
  test(`delivery: ${framing.kind} goes to a caller of HTTP/1.${minor} ${delivery}`, () => {
    assert.equal(deliveryOf(framing, minor), delivery);
  });
}

test("interim answer: its end-to-end fields are passed on, without a date", () => {
  const head = parse("HTTP/1.1 103 Early Hints", "Link: </a>", "Connection: x", "X: 1");
  assert.equal(interimForCaller(head).toString(), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
});

test("switching protocols: the agreed one is told on this hop", () => {
  const head = parse("HTTP/1.1 101 Switching Protocols", "Upgrade: WebSocket", "Connection: upgrade", "Accept: y");
  assert.equal(
    switchingForCaller(head, "WebSocket").toString(),
    "HTTP/1.1 101 Switching Protocols\r\nAccept: y\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n",
  );
});

test("switching protocols: only to one that was asked for", () => {
  const to = (...lines: string[]) => parse("HTTP/1.1 101 Switching Protocols", ...lines);
  assert.equal(agreedProtocol(to("Upgrade: WebSocket"), ["websocket"]), "WebSocket");
  assert.equal(agreedProtocol(to("Upgrade: a"), ["b", "a"]), "a");
  assert.equal(agreedProtocol(to("Upgrade: h2c"), ["websocket"]), undefined);
  assert.equal(agreedProtocol(to("Upgrade: websocket, h2c"), ["websocket"]), undefined);
  assert.equal(agreedProtocol(to("Upgrade: websocket"), undefined), undefined);
  assert.equal(agreedProtocol(to(), ["websocket"]), undefined);
});

const hints: [lines: string[], milliseconds: number][] = [
  [[], Infinity],
  [["Keep-Alive: timeout=5"], 4000],
  [["Keep-Alive: max=100, Timeout=15"], 14_000],
  [["Keep-Alive: timeout=1"], 0],
  [["Keep-Alive: timeout=0"], -1000],
  [["Keep-Alive: max=100"], Infinity],
  [["Keep-Alive: xtimeout=5"], Infinity],
  [["Keep-Alive: timeout=x"], Infinity],
];

for (const [lines, milliseconds] of hints) {
  test(`keep-alive hint: ${JSON.stringify(lines)} is ${milliseconds} ms`, () => {
    assert.equal(keepAliveHint(parse("HTTP/1.1 200 OK", ...lines)), milliseconds);
  });
}
