import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { before } from "node:test";
import fc from "fast-check";
import { headEnd } from "../../src/http/head.ts";
import { fileScope } from "../world/file_scope.ts";
import { HTTP_WORDS } from "./world/http_words.ts";
import { FuzzDaemons } from "./world/fuzz_daemons.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { hostileConnection } from "./world/hostile_connection.ts";
import { chanceOf, piecesOf } from "./world/pieces.ts";
import { strictFraming, strictHead, valuesIn } from "./world/strict_http.ts";

const scope = fileScope();
let daemons: FuzzDaemons;
/** What reached the service and should not have. */
const wrong: string[] = [];
let reached = 0;
before(async () => void (daemons = await FuzzDaemons.start(scope, service)));

/** A strict service: whatever reaches it has to be requests that the proxy has made of what it understood. */
function service(socket: Socket): void {
  let pending: Buffer = Buffer.alloc(0);
  const report = (what: string, bytes: Buffer) =>
    wrong.push(`${what}: ${JSON.stringify(bytes.toString("latin1").slice(0, 500))}`);
  socket.on("end", () => socket.end());
  socket.on("data", (bytes: Buffer) => {
    pending = Buffer.concat([pending, bytes]);
    try {
      for (let used = request(pending); used > 0; used = request(pending)) {
        pending = pending.subarray(used);
        reached++;
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      }
    } catch (error) {
      report(String(error), pending);
      socket.destroy();
    }
  });
}

/** Takes one request; 0 where it is not complete. @throws Error where it is not one that the proxy makes */
function request(bytes: Buffer): number {
  const end = headEnd(bytes);
  if (end < 0) return 0;
  const head = strictHead(bytes.subarray(0, end));
  assert.match(head.first, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [/*][\x21-\x7e\x80-\xff]* HTTP\/1\.1$/);
  assert.ok(valuesIn(head, "via").at(-1)?.endsWith(" petit"), "it did not come from the proxy");
  assert.deepEqual(valuesIn(head, "x-forwarded-for"), ["127.0.0.1"]);
  const framing = strictFraming(head);
  if (framing !== "chunked") {
    const length = framing === "none" ? 0 : Number(framing);
    return bytes.length - end >= length ? end + length : 0;
  }
  for (let at = end;;) {
    const line = bytes.indexOf("\r\n", at, "latin1");
    if (line < 0) return 0;
    const digits = bytes.toString("latin1", at, line);
    assert.match(digits, /^[0-9a-f]+$/);
    const size = Number.parseInt(digits, 16);
    if (size > 0) {
      at = line + 2 + size + 2;
      if (bytes.length < at) return 0;
      assert.equal(bytes.toString("latin1", at - 2, at), "\r\n");
      continue;
    }
    const last = bytes.indexOf("\r\n\r\n", line, "latin1");
    return last < 0 ? 0 : last + 4;
  }
}

let turn = 0;

async function check(bytes: Buffer): Promise<void> {
  const { proxyPort, host } = daemons.daemons;
  // The host that leads to the service is another one each time.
  const own = Buffer.from(bytes.toString("latin1").replaceAll("REGID.example.com", host), "latin1");
  const chance = chanceOf(bytes);
  const pieces = chance() < 0.5 ? [own] : piecesOf(own, chance).slice(0, 40);
  const answer = await hostileConnection(proxyPort, pieces);
  assert.ok(answer === "" || /^HTTP\/1\.1 [1-5]\d\d /.test(answer), `the answer begins with ${answer.slice(0, 100)}`);
  assert.ok(!/^HTTP\/1\.1 500 /m.test(answer), answer.slice(0, 300));
  assert.deepEqual(wrong.splice(0), []);
  if (++turn % 500 === 0) await daemons.stillWell();
}

const text = (...lines: string[]) => `${lines.join("\r\n")}\r\n\r\n`;
const HOST = "Host: REGID.example.com";
const field = fc.constantFrom(
  ...[
    "Content-Length: 5",
    "Content-Length: 0",
    "Content-Length: 4294967295",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: x",
  ],
  ...[
    "Expect: 100-continue",
    "Connection: close",
    "Connection: upgrade",
    "Upgrade: websocket",
    "TE: trailers",
    "Via: 1.0 x",
  ],
  ...["X-Forwarded-For: 192.0.2.1", "Host: other", "X:\ty", " folded", "A b: c", ""],
);
const body = fc.constantFrom(
  "",
  "hello",
  "5\r\nhello\r\n0\r\n\r\n",
  "FFFFFFFF\r\nx",
  "0\r\nVia: x\r\n\r\n",
  "5;a=b\r\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
);
const made = fc.array(
  fc.tuple(
    fc.constantFrom("GET", "POST", "HEAD", "OPTIONS"),
    fc.constantFrom("1.1", "1.0"),
    fc.array(field, { maxLength: 4 }),
    body,
  ),
  { maxLength: 3, minLength: 1 },
).map((requests) =>
  requests.map(([method, version, fields, body]) => text(`${method} /made HTTP/${version}`, HOST, ...fields) + body)
    .join("")
);

fuzzTest({
  name: "proxy_request",
  seeds: [
    text("GET / HTTP/1.1", HOST),
    text("POST / HTTP/1.1", HOST, "Content-Length: 5") + "hello",
    text("POST / HTTP/1.1", HOST, "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
    text("GET /one HTTP/1.1", HOST) + text("GET /two HTTP/1.1", HOST, "Connection: close"),
    text("GET / HTTP/1.0", HOST),
    text("GET /chat HTTP/1.1", HOST, "Connection: Upgrade", "Upgrade: websocket"),
    text("GET http://REGID.example.com/ HTTP/1.1", HOST),
    text("PRI * HTTP/2.0") + "SM\r\n\r\n",
  ],
  words: [...HTTP_WORDS, `${HOST}\r\n`, "\r\n\r\n", "GET /smuggled HTTP/1.1\r\n\r\n"],
  made: [made],
  short: 800,
  batch: 500,
  check,
  after: () => {
    assert.ok(reached > 50, `only ${reached} requests reached the service`);
    return daemons.atRest();
  },
  memory: () => daemons.memory(),
});
