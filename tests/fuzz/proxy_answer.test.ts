import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { before } from "node:test";
import fc from "fast-check";
import { fileScope } from "../world/file_scope.ts";
import { head } from "../world/raw_http.ts";
import { FuzzDaemons } from "./world/fuzz_daemons.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { hostileConnection } from "./world/hostile_connection.ts";
import { chanceOf, piecesOf } from "./world/pieces.ts";
import { strictFraming, strictHead } from "./world/strict_http.ts";

const scope = fileScope();
let daemons: FuzzDaemons;
/** What the service answers the next request with. */
let pieces: readonly Buffer[] = [];
const WELL = [Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")];
before(async () => {
  pieces = WELL;
  daemons = await FuzzDaemons.start(scope, service);
});

function service(socket: Socket): void {
  socket.on("end", () => socket.end());
  socket.once("data", () => {
    for (const piece of pieces) socket.write(piece);
    socket.end();
  });
}

let turn = 0;

async function check(bytes: Buffer): Promise<void> {
  const { proxyPort, host } = daemons.daemons;
  const chance = chanceOf(bytes);
  const method = chance() < 0.8 ? "GET" : chance() < 0.5 ? "HEAD" : "POST";
  pieces = chance() < 0.5 ? [bytes] : piecesOf(bytes, chance).slice(0, 40);
  const upgrade = chance() < 0.1 ? ["Connection: Upgrade", "Upgrade: websocket"] : ["Connection: close"];
  const asked = head(`${method} / HTTP/1.1`, `Host: ${host}`, ...upgrade);
  const answer = Buffer.from(await hostileConnection(proxyPort, [Buffer.from(asked)]), "latin1");
  pieces = WELL;
  checkAnswer(answer, method);
  if (++turn % 500 === 0) await daemons.stillWell();
}

/** What a caller gets is answers that are read in one way, whatever the service has sent. */
function checkAnswer(answer: Buffer, method: string): void {
  let at = 0;
  for (;;) {
    const end = answer.indexOf("\r\n\r\n", at, "latin1");
    if (end < 0) break;
    const strict = strictHead(answer.subarray(at, end + 4));
    const status = Number(/^HTTP\/1\.1 ([1-9]\d\d) /.exec(strict.first)?.[1]);
    assert.ok(status >= 100, strict.first);
    assert.notEqual(status, 500);
    const framing = strictFraming(strict);
    at = end + 4;
    if (status < 200 && status !== 101) continue;
    const body = answer.length - at;
    if (status === 101) return;
    if (method === "HEAD" || status === 204 || status === 304) assert.equal(body, 0);
    else if (/^\d+$/.test(framing)) assert.ok(body <= Number(framing), `${body} bytes where ${framing} were told`);
    return;
  }
  assert.equal(answer.length, at, "the answer breaks off in its head");
}

const text = (...lines: string[]) => `${lines.join("\r\n")}\r\n\r\n`;
const field = fc.constantFrom(
  ...[
    "Content-Length: 5",
    "Content-Length: 0",
    "Content-Length: 4294967295",
    "Content-Length: 5, 5",
    "Content-Length: x",
    "Content-Length:",
  ],
  ...[
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip",
    "Connection: close",
    "Connection: keep-alive",
    "Upgrade: websocket",
  ],
  ...["Connection: upgrade", "Keep-Alive: timeout=5", " folded", "X : y", "Trailer: X"],
);
const body = fc.constantFrom(
  "",
  "hello",
  "5\r\nhello\r\n0\r\n\r\n",
  "FFFFFFFF\r\nx",
  "0\r\nSet-Cookie: x\r\n\r\n",
  "helloHTTP/1.1 200 OK\r\n\r\n",
);
const answer = fc.tuple(
  fc.constantFrom("1.1", "1.1", "1.0", "2.0"),
  fc.constantFrom("100", "101", "103", "200", "200", "200", "204", "304", "404", "500x", "099"),
  fc.array(field, { maxLength: 4 }),
  body,
).map(([version, status, fields, body]) => text(`HTTP/${version} ${status} Reason`, ...fields) + body);

fuzzTest({
  name: "proxy_answer",
  seeds: [
    text("HTTP/1.1 200 OK", "Content-Length: 5") + "hello",
    text("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\nX: y\r\n\r\n",
    text("HTTP/1.0 200 OK") + "hello until the end",
    text("HTTP/1.1 100 Continue") + text("HTTP/1.1 204 No Content"),
    text("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket") +
    "\x81\x05hello\x88\x02\x03\xe9",
    text("HTTP/1.1 103 Early Hints", "Link: </a>") + text("HTTP/1.1 200 OK", "Content-Length: 0"),
  ],
  words: [
    "\r\n",
    "\n",
    "\r",
    "\0",
    " ",
    ":",
    "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "\r\n\r\n",
    text("HTTP/1.1 200 OK"),
    "HTTP/1.1 100 Continue\r\n\r\n",
  ],
  made: [answer, fc.array(answer, { maxLength: 3 }).map((answers) => answers.join(""))],
  short: 500,
  batch: 500,
  check,
  after: () => daemons.atRest(),
  memory: () => daemons.memory(),
});
