import assert from "node:assert/strict";
import { before } from "node:test";
import fc from "fast-check";
import { TestApi } from "../world/api.ts";
import { fileScope } from "../world/file_scope.ts";
import { startService, TestClient, TestServer } from "../world/world.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { hostileConnection } from "./world/hostile_connection.ts";
import { chanceOf, piecesOf } from "./world/pieces.ts";

const scope = fileScope();
let apis: readonly TestApi[];

before(async () => {
  const service = await startService(scope, (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  const server = await new TestServer(scope).start();
  const client = await (await new TestClient(scope, server, service.port).register(server.joinCode())).start();
  apis = [await TestApi.ofServer(scope, server), await TestApi.ofClient(scope, client)];
});

/** What leads away from this machine, or has no end of its own. */
const LEFT_OUT = /\/(?:log\/tail|register|unregister|tenants|config|check|sping)/;

let turn = 0;

/** The API is chosen by the input's length: the server's where it is even. */
async function check(bytes: Buffer): Promise<void> {
  const client = bytes.length % 2 === 1;
  const api = apis[client ? 1 : 0] as TestApi;
  const text = bytes.toString("latin1").replaceAll("TOKEN", api.token);
  if (/\/log\/tail/.test(text) || (client && LEFT_OUT.test(text))) return;
  const own = Buffer.from(text, "latin1");
  const chance = chanceOf(bytes);
  const pieces = chance() < 0.5 ? [own] : piecesOf(own, chance).slice(0, 40);
  const answer = await hostileConnection(api.port, pieces);
  assert.ok(answer === "" || /^HTTP\/1\.1 [1-5]\d\d /.test(answer), `the answer begins with ${answer.slice(0, 200)}`);
  assert.ok(!/"code":"internal"|^HTTP\/1\.1 500 /m.test(answer), answer.slice(0, 600));
  if (++turn % 200 !== 0) return;
  for (const api of apis) assert.equal((await api.get("/version")).status, 200);
}

const request = (line: string, body: string, fields = "Content-Type: application/json\r\n") =>
  `${line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer TOKEN\r\nConnection: close\r\n${fields}` +
  `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

const OPERATIONS = [
  ...[
    "PUT /log/level",
    "PATCH /config",
    "POST /join-codes",
    "PUT /registrations/1001/aliases/a.example",
    "DELETE /join-codes/x",
  ],
  ...[
    "POST /registrations/1001/disconnect",
    "DELETE /registrations/9999",
    "GET /usage/1001?start=1&end=x",
    "GET /stats/1001?start=-271821-04-20",
  ],
  ...[
    "GET /status/1001",
    "GET /status?x",
    "GET /log?lines=4294967295",
    "GET /disconnects?limit=-1&after=x",
    "GET /tunnels",
    "GET /ping",
    "GET /join-codes",
  ],
  ...[
    "POST /stop",
    "POST /reload",
    "POST /restart",
    "POST /upgrade",
    "GET /openapi.json",
    "GET /metrics",
    "OPTIONS *",
    "GET /registry",
    "GET /%ff%00",
  ],
  ...[
    "PUT /tenants/x",
    "GET /tenants",
    "GET /counts/registers?start=99999999999999",
    "GET /counts/registrations",
    "POST /start",
    "HEAD /errors",
  ],
];
const KEYS = [
  "level",
  "uses",
  "expires",
  "brand",
  "host",
  "message",
  "__proto__",
  "server.holdFor",
  "server.ssh.port",
  "server.trustedProxies",
  "x",
  "after",
];
const value = fc.oneof(
  fc.constantFrom<unknown>(
    "debug",
    "24h",
    "1e999",
    -1,
    4294967295,
    1e300,
    null,
    true,
    [],
    {},
    "x".repeat(5000),
    ["10.0.0.0/8"],
    "\0",
    "\ud800",
  ),
  fc.jsonValue({ maxDepth: 3 }),
);
const json = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 4 }).map((body) => JSON.stringify(body)),
  },
  { weight: 1, arbitrary: fc.nat(9000).map((depth) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`) },
  { weight: 1, arbitrary: fc.nat(66_000).map((depth) => "[".repeat(depth)) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '{"level":"debug"',
      '{"level":"debug","level":"warn"}',
      "1e400",
      '"\\u0000"',
      "\ufeff{}",
      '{"level":0xFFFFFFFF}',
    ),
  },
);
const fields = fc.constantFrom(
  ...[
    "Content-Type: application/json\r\n",
    "Content-Type: application/json\r\n",
    "Content-Type: application/json; charset=utf-16\r\n",
  ],
  ...[
    "Content-Type: text/plain\r\n",
    "",
    "Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
    "Content-Type: application/json\r\nOrigin: null\r\n",
  ],
  ...[
    "Content-Type: application/json\r\nX-Request-Id: \xff\r\n",
    "Content-Type: application/json\r\nExpect: 100-continue\r\n",
  ],
);
const made = fc.tuple(fc.constantFrom(...OPERATIONS), json, fields).map(([line, body, fields]) =>
  request(line, body, fields)
);
const chunked = fc.tuple(
  fc.constantFrom(...OPERATIONS),
  json,
  fc.constantFrom("0\r\n\r\n", "FFFFFFFF\r\n", "", "0\r\nX: y\r\n\r\n"),
)
  .map(([line, body, end]) =>
    `${line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer TOKEN\r\nConnection: close\r\nContent-Type: application/json\r\n` +
    `Transfer-Encoding: chunked\r\n\r\n${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n${end}`
  );
const bytes = (text: string) => Buffer.from(text, "utf8");

fuzzTest({
  name: "rest_body",
  seeds: [
    ...OPERATIONS.map((line) => request(line, "", "")),
    request("PUT /log/level", '{"level":"debug"}'),
    request("POST /join-codes", '{"uses":1,"expires":"1h"}'),
  ],
  words: [
    "\r\n",
    "\0",
    "{",
    "}",
    "[",
    '"',
    ":",
    ",",
    "null",
    "%00",
    "%2e%2e",
    "/../",
    "?",
    "&",
    "=",
    "TOKEN",
    "Host: x\r\n",
    "\xff",
    "Content-Length: 4294967295\r\n",
  ],
  made: [made.map(bytes), chunked.map(bytes)],
  short: 500,
  batch: 500,
  check,
});
