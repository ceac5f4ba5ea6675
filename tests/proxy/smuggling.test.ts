import assert from "node:assert/strict";
import test, { before } from "node:test";
import { fileScope } from "../world/file_scope.ts";
import { LENIENT, LenientService } from "../world/lenient_services.ts";
import { exchange, head, RawCaller, takeAnswer, valuesOf } from "../world/raw_http.ts";
import { makeWorld, startService, TestClient } from "../world/world.ts";
import { CHUNKS, FIELDS, FRAMING, type Malformed, TARGETS } from "./malformed_requests.ts";

const scope = fileScope();

/** One server with a careless service of each kind behind it, for all tests of this file. */
const targets: { kind: string; id: string; service: LenientService }[] = [];
let proxyPort: number;

const smuggledTo = (id: string) => head("GET /smuggled HTTP/1.1", `Host: ${id}`);
const isSmuggled = (line: string) => line.includes("/smuggled");

before(async () => {
  const services = Object.entries(LENIENT).map(([kind, leniency]) => ({ kind, service: new LenientService(leniency) }));
  const [first, ...others] = services as [typeof services[0], ...typeof services];
  const world = await makeWorld(scope, first.service.accept);
  proxyPort = world.proxyPort;
  targets.push({ ...first, id: world.id });
  for (const other of others) {
    const { port } = await startService(scope, other.service.accept);
    const client = await new TestClient(scope, world.server, port).register(world.server.joinCode());
    await client.start();
    targets.push({ ...other, id: client.registered.registeredId });
  }
});

/** What each careless service falls for when nothing stands before it: the tests below would be worth nothing otherwise. */
const baits: [kind: keyof typeof LENIENT, bytes: (smuggled: string) => string][] = [
  ["takes the length before chunks", (smuggled) => {
    const size = `${smuggled.length.toString(16)}\r\n`;
    const lines = ["POST / HTTP/1.1", "Host: x", `Content-Length: ${size.length}`, "Transfer-Encoding: chunked"];
    return `${head(...lines)}${size}${smuggled}\r\n0\r\n\r\n`;
  }],
  ["takes anything for chunks", (smuggled) => {
    const lines = [
      "POST / HTTP/1.1",
      "Host: x",
      `Content-Length: ${5 + smuggled.length}`,
      "Transfer-Encoding: xchunked",
    ];
    return `${head(...lines)}0\r\n\r\n${smuggled}`;
  }],
  [
    "takes anything for chunks",
    (smuggled) => `${head("POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")}3;a=\nabc+0\r\n0x\n\n${smuggled}`,
  ],
  [
    "ends lines at any CR or LF and folds",
    (smuggled) => head("GET / HTTP/1.1", "Host: x", `X-A: b\n\n${smuggled.trimEnd().replaceAll("\r\n", "\r")}`),
  ],
  ["ends lines at any CR or LF and folds", (smuggled) => {
    const lines = [
      "POST / HTTP/1.1",
      "Host: x",
      `Content-Length: ${5 + smuggled.length}`,
      "Transfer-Encoding:",
      " chunked",
    ];
    return `${head(...lines)}0\r\n\r\n${smuggled}`;
  }],
];

for (const [index, [kind, bytes]] of baits.entries()) {
  test(`a careless service without petit before it is fooled: one that ${kind} (${index})`, async (t) => {
    const service = new LenientService(LENIENT[kind] as typeof LENIENT[string]);
    const { port } = await startService(t, service.accept);
    const caller = new RawCaller(port).send(bytes(smuggledTo("x")));
    assert.equal((await takeAnswer(caller)).status, 200);
    assert.equal((await takeAnswer(caller)).status, 200);
    assert.deepEqual(service.seen.slice(0, 2).map((line) => line.split(" ")[1]), ["/", "/smuggled"]);
  });
}

async function assertRefused({ bytes, status = 400 }: Malformed): Promise<void> {
  for (const { kind, id, service } of targets) {
    const seenBefore = service.seen.length;
    const caller = new RawCaller(proxyPort).send(bytes(id, smuggledTo(id)));
    const answer = await takeAnswer(caller);
    assert.equal(answer.status, status, answer.head);
    assert.equal(JSON.parse(answer.body).g2c, "unavailable");
    assert.deepEqual(valuesOf(answer.head, "connection"), ["close"]);
    // The connection ends, and nothing else was answered on it.
    assert.equal(await caller.all(), "");
    caller.close();
    // What was left behind on a connection to the service would come to light with the next request.
    const next = await exchange(proxyPort, head("GET /next HTTP/1.1", `Host: ${id}`, "Connection: close"));
    assert.match(next, /^HTTP\/1\.1 200 /);
    assert.ok(!service.seen.slice(seenBefore).some(isSmuggled), `a service that ${kind} saw the smuggled request`);
  }
}

for (const [group, table] of Object.entries({ framing: FRAMING, chunks: CHUNKS, fields: FIELDS, target: TARGETS })) {
  for (const malformed of table) {
    test(`a request that can be misread is refused (${group}): ${malformed.what}`, () => assertRefused(malformed));
  }
}

const BARE_LINE_FEEDS = [
  "GET / HTTP/1.1\nHost: ID\n\n",
  "GET / HTTP/1.1\r\nHost: ID\n",
  "GET / HTTP/1.1\r\nHost: ID\r\n\n",
  "\n",
];

for (const bytes of BARE_LINE_FEEDS) {
  test(`a bare line feed is refused as soon as it is seen: ${JSON.stringify(bytes)}`, async () => {
    for (const { id } of targets) {
      // Neither the rest of the head nor headTimeout is waited for, whether it comes at once or in pieces.
      const whole = new RawCaller(proxyPort).send(bytes.replace("ID", id));
      assert.equal((await takeAnswer(whole)).status, 400);
      const caller = new RawCaller(proxyPort);
      await caller.sendApart(bytes.replace("ID", id));
      assert.equal((await takeAnswer(caller)).status, 400);
    }
  });
}

test("no careless service has seen a smuggled request, not later either", () => {
  assert.equal(targets.length, Object.keys(LENIENT).length);
  for (const { kind, service } of targets) {
    assert.ok(service.seen.filter((line) => line === "GET /next HTTP/1.1").length > 150);
    assert.ok(!service.seen.some(isSmuggled), `a service that ${kind} saw a smuggled request`);
  }
});
