import assert from "node:assert/strict";
import test, { before } from "node:test";
import { fileScope } from "../world/file_scope.ts";
import { head, RawCaller, takeAnswer } from "../world/raw_http.ts";
import { AnsweringService, RawService } from "../world/raw_service.ts";
import { makeWorld, type World } from "../world/world.ts";

const scope = fileScope();
const service = new RawService();
let world: World;
before(async () => {
  world = await makeWorld(scope, service.accept);
});

interface Legal {
  what: string;
  bytes: (id: string) => string;
  /** The first line that the service gets; "GET / HTTP/1.1" unless said. */
  line?: string;
  /** A field line that the service gets. */
  field?: (id: string) => string;
  /** The body that the service gets, with its framing. */
  body?: string;
}

const chunked = (id: string, ...lines: string[]) =>
  head("POST / HTTP/1.1", `Host: ${id}`, "Transfer-Encoding: chunked", ...lines);

const LEGAL: Legal[] = [
  { what: "an empty line before the request", bytes: (id) => `\r\n${head("GET / HTTP/1.1", `Host: ${id}`)}` },
  {
    what: "a field without white space behind its colon",
    bytes: (id) => head("GET / HTTP/1.1", `Host:${id}`, "X-A:b"),
    field: () => "X-A: b",
  },
  {
    what: "white space on both sides of a value",
    bytes: (id) => head("GET / HTTP/1.1", `Host: \t ${id} \t`, "X-A: \t b \t "),
    field: () => "X-A: b",
  },
  { what: "an empty value", bytes: (id) => head("GET / HTTP/1.1", `Host: ${id}`, "X-A:"), field: () => "X-A: " },
  {
    what: "a value above ASCII",
    bytes: (id) => head("GET / HTTP/1.1", `Host: ${id}`, "X-A: caf\xe9 \xe2\x82\xac"),
    field: () => "X-A: caf\xe9 \xe2\x82\xac",
  },
  {
    what: "a tab inside a value",
    bytes: (id) => head("GET / HTTP/1.1", `Host: ${id}`, "X-A: b\tc"),
    field: () => "X-A: b\tc",
  },
  {
    what: "colons inside a value",
    bytes: (id) => head("GET / HTTP/1.1", `Host: ${id}`, "X-A: : b:c :"),
    field: () => "X-A: : b:c :",
  },
  {
    what: "a name of odd token characters",
    bytes: (id) => head("GET / HTTP/1.1", `Host: ${id}`, "!#$%&'*+-.^_`|~0: b"),
    field: () => "!#$%&'*+-.^_`|~0: b",
  },
  {
    what: "a name with an underscore",
    bytes: (id) => head("GET / HTTP/1.1", `Host: ${id}`, "Content_Type: a"),
    field: () => "Content_Type: a",
  },
  {
    what: "field names in any case",
    bytes: (id) => head("GET / HTTP/1.1", `hOsT: ${id}`),
    field: (id) => `hOsT: ${id}`,
  },
  {
    what: "a URL with the same host as target",
    bytes: (id) => head(`GET http://${id}.example.com/a?b=c HTTP/1.1`, `Host: ${id}.example.com`),
    line: "GET /a?b=c HTTP/1.1",
    field: (id) => `Host: ${id}.example.com`,
  },
  {
    what: "a URL with the same host in another case, and a scheme in upper case",
    bytes: (id) => head(`GET HTTP://${id}.EXAMPLE.com/a HTTP/1.1`, `Host: ${id}.example.COM`),
    line: "GET /a HTTP/1.1",
  },
  {
    what: "a URL with the same host and port, without a path",
    bytes: (id) => head(`GET http://${id}:8090 HTTP/1.1`, `Host: ${id}:8090`),
  },
  {
    what: "a URL with a query and no path",
    bytes: (id) => head(`GET http://${id}?a=b HTTP/1.1`, `Host: ${id}`),
    line: "GET /?a=b HTTP/1.1",
  },
  {
    what: "a https URL",
    bytes: (id) => head(`GET https://${id}/a HTTP/1.1`, `Host: ${id}`),
    line: "GET /a HTTP/1.1",
  },
  {
    what: "OPTIONS for the whole service",
    bytes: (id) => head("OPTIONS * HTTP/1.1", `Host: ${id}`),
    line: "OPTIONS * HTTP/1.1",
  },
  {
    // RFC 9112, section 3.2.4: the last proxy turns this form into the asterisk.
    what: "OPTIONS for a URL without a path",
    bytes: (id) => head(`OPTIONS http://${id} HTTP/1.1`, `Host: ${id}`),
    line: "OPTIONS * HTTP/1.1",
  },
  {
    what: "a target with another URL in it",
    bytes: (id) => head("GET /http://9999/?u=http://9999/ HTTP/1.1", `Host: ${id}`),
    line: "GET /http://9999/?u=http://9999/ HTTP/1.1",
  },
  {
    what: "a length with leading zeros",
    bytes: (id) => head("POST / HTTP/1.1", `Host: ${id}`, "Content-Length: 0004") + "body",
    line: "POST / HTTP/1.1",
    body: "body",
  },
  {
    what: "a length of nothing",
    bytes: (id) => head("POST / HTTP/1.1", `Host: ${id}`, "Content-Length: 0"),
    line: "POST / HTTP/1.1",
    field: () => "Content-Length: 0",
  },
  {
    what: "a GET with a body",
    bytes: (id) => head("GET / HTTP/1.1", `Host: ${id}`, "Content-Length: 4") + "body",
    body: "body",
  },
  {
    what: "a body that looks like a request",
    bytes: (id) => head("GET / HTTP/1.1", `Host: ${id}`, "Content-Length: 22") + "GET /inside HTTP/1.1\r\n",
    body: "GET /inside HTTP/1.1\r\n",
  },
  {
    what: "Chunked in another case",
    bytes: (id) => head("POST / HTTP/1.1", `Host: ${id}`, "Transfer-Encoding: Chunked") + "4\r\nbody\r\n0\r\n\r\n",
    line: "POST / HTTP/1.1",
    field: () => "Transfer-Encoding: chunked",
    body: "4\r\nbody\r\n0\r\n\r\n",
  },
  {
    what: "chunk extensions",
    bytes: (id) => `${chunked(id)}4;a;b=c;d="e;f\\"g"\r\nbody\r\n0;last\r\n\r\n`,
    line: "POST / HTTP/1.1",
    body: "4\r\nbody\r\n0\r\n\r\n",
  },
  {
    what: "white space around the semicolon of a chunk extension",
    bytes: (id) => `${chunked(id)}4 \t; a = b\r\nbody\r\n0\r\n\r\n`,
    line: "POST / HTTP/1.1",
    body: "4\r\nbody\r\n0\r\n\r\n",
  },
  {
    what: "chunk sizes in upper and lower case, with leading zeros",
    bytes: (id) => `${chunked(id)}00A\r\n0123456789\r\nb\r\n0123456789a\r\n000\r\n\r\n`,
    line: "POST / HTTP/1.1",
    body: "a\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n",
  },
  {
    what: "chunks of CR and LF",
    bytes: (id) => `${chunked(id)}4\r\n\r\n\r\n\r\n5\r\n0\r\n\r\n\r\n0\r\n\r\n`,
    line: "POST / HTTP/1.1",
    body: "4\r\n\r\n\r\n\r\n5\r\n0\r\n\r\n\r\n0\r\n\r\n",
  },
  {
    what: "an empty chunked body",
    bytes: (id) => `${chunked(id)}0\r\n\r\n`,
    line: "POST / HTTP/1.1",
    body: "0\r\n\r\n",
  },
  {
    what: "Transfer-Encoding with Connection naming it",
    bytes: (id) => `${chunked(id, "Connection: Transfer-Encoding")}4\r\nbody\r\n0\r\n\r\n`,
    line: "POST / HTTP/1.1",
    body: "4\r\nbody\r\n0\r\n\r\n",
  },
];

for (const { what, bytes, line = "GET / HTTP/1.1", field, body = "" } of LEGAL) {
  test(`a legal request is served: ${what}`, async () => {
    const caller = new RawCaller(world.proxyPort).send(bytes(world.id));
    // Each request uses a fresh connection, since the one before was closed.
    const connection = await service.next();
    const text = await connection.takeHead();
    assert.equal(text.split("\r\n")[0], line);
    if (field !== undefined) assert.ok(text.includes(`\r\n${field(world.id)}\r\n`), text);
    assert.equal(await connection.take(body.length), body);
    connection.send(head("HTTP/1.1 200 OK", "Connection: close", "Content-Length: 2") + "ok");
    assert.equal((await takeAnswer(caller)).body, "ok");
    // The end of the request was found: the next one on this connection is served as well.
    caller.send(head("GET /next HTTP/1.1", `Host: ${world.id}`));
    const next = await service.next();
    assert.match(await next.takeHead(), /^GET \/next HTTP\/1\.1\r\n/);
    assert.equal(connection.received, "");
    next.send(head("HTTP/1.1 200 OK", "Connection: close", "Content-Length: 2") + "ok");
    assert.equal((await takeAnswer(caller)).body, "ok");
    caller.close();
  });
}

test("a legal request is served: an empty line before it, in two pieces", async (t) => {
  const { proxyPort, id } = await makeWorld(
    t,
    new AnsweringService(head("HTTP/1.1 200 OK", "Content-Length: 0")).accept,
  );
  const caller = new RawCaller(proxyPort);
  for (let round = 0; round < 2; round++) {
    await caller.sendApart(["\r", "\n", head("GET / HTTP/1.1", `Host: ${id}`)]);
    assert.equal((await takeAnswer(caller)).status, 200);
  }
});
